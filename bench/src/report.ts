import Table from 'cli-table3';
import type { BenchCase, Figures, Metric } from './case.ts';
import { median } from './statistics.ts';
import { subjectTitles, type SubjectName } from './subject.ts';

/** All rounds of one case. */
export interface CaseResult {
  readonly name: string;
  readonly about: string;
  readonly rows: readonly MetricResult[];
}

/** One metric of one case: every round, medians, and ratios to Kafka's median. */
export interface MetricResult {
  readonly metric: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  readonly rounds: Partial<Record<SubjectName, readonly number[]>>;
  readonly medians: Partial<Record<SubjectName, number>>;
  readonly ratios: Partial<Record<SubjectName, number>>;
  readonly goal?: string;
  /** Whether Ottla with `write.caching` reaches the goal; absent when there is none or nothing to compare with. */
  readonly reached?: boolean;
}

function goalOf(
  metric: Metric,
  ottla: number | undefined,
  ratio: number | undefined,
): Pick<MetricResult, 'goal' | 'reached'> {
  const isRatio = metric.ratioGoal !== undefined;
  const limit = metric.ratioGoal ?? metric.absoluteGoal;
  if (limit === undefined) return {};
  const goal = `${metric.better === 'higher' ? '>=' : '<='} ${limit}${isRatio ? 'x' : ''}`;
  const value = isRatio ? ratio : ottla;
  if (value === undefined || Number.isNaN(value)) return { goal };
  return { goal, reached: metric.better === 'higher' ? value >= limit : value <= limit };
}

/** Medians and ratios of what the rounds of a case gave. */
export function summarise(
  bench: BenchCase,
  rounds: ReadonlyMap<SubjectName, readonly Figures[]>,
): CaseResult {
  const rows = bench.metrics.map((metric): MetricResult => {
    const values: Partial<Record<SubjectName, number[]>> = {};
    const medians: Partial<Record<SubjectName, number>> = {};
    const ratios: Partial<Record<SubjectName, number>> = {};
    for (const [subject, figures] of rounds) {
      values[subject] = figures.map((figure) => figure[metric.name] ?? Number.NaN);
      medians[subject] = median(values[subject]);
    }
    for (const subject of rounds.keys()) {
      if (subject !== 'kafka' && medians.kafka !== undefined)
        ratios[subject] = medians[subject]! / medians.kafka;
    }
    const goal = goalOf(metric, medians.caching, ratios.caching);
    return {
      metric: metric.name,
      unit: metric.unit,
      better: metric.better,
      rounds: values,
      medians,
      ratios,
      ...goal,
    };
  });
  return { name: bench.name, about: bench.about, rows };
}

function shown(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '';
  if (value >= 1000) return Math.round(value).toLocaleString('en-US');
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}

/** One case as a table for people. */
export function table(result: CaseResult, subjects: readonly SubjectName[]): string {
  const others = subjects.filter((subject) => subject !== 'kafka' && subjects.includes('kafka'));
  const colour = { head: [], border: [] };
  const head = [
    result.name,
    ...subjects.map((name) => subjectTitles[name]),
    ...others.map((name) => `${name} / Kafka`),
    'goal',
    '',
  ];
  const drawn = new Table({
    head,
    style: colour,
    colAligns: head.map((_, i) => (i === 0 ? 'left' : 'right')),
  });
  for (const row of result.rows) {
    // A client that is not here leaves no figures.
    if (Object.values(row.medians).every((value) => Number.isNaN(value))) continue;
    drawn.push([
      row.metric,
      ...subjects.map((name) => shown(row.medians[name])),
      ...others.map((name) => shown(row.ratios[name])),
      row.goal ?? '',
      row.reached === undefined ? '' : row.reached ? 'ok' : 'MISSED',
    ]);
  }
  return `${result.about}\n${drawn.toString()}\n`;
}
