import { parseArgs } from 'node:util';
import { cpus } from 'node:os';
import { kafkaJars, nodeLibrdkafka } from '@ottla/interop';
import type { BenchCase, BenchOptions, Figures } from './case.ts';
import { clientsConsume } from './cases/clients-consume.ts';
import { clientsCopy } from './cases/clients-copy.ts';
import { clientsProduce } from './cases/clients-produce.ts';
import { consumerGroups } from './cases/consumer-groups.ts';
import { officialTools } from './cases/official-tools.ts';
import { saturation, warmUp } from './cases/saturation.ts';
import { scale } from './cases/scale.ts';
import { shareGroups } from './cases/share-groups.ts';
import { smallRequests } from './cases/small-requests.ts';
import { startup } from './cases/startup.ts';
import { transactions } from './cases/transactions.ts';
import { summarise, table, type CaseResult } from './report.ts';
import { startSubject, subjectNames, subjectTitles, type Subject, type SubjectName } from './subject.ts';

const cases: readonly BenchCase[] = [
  startup,
  ...smallRequests,
  ...transactions,
  ...saturation,
  ...officialTools,
  ...scale,
  ...consumerGroups,
  ...shareGroups,
  ...clientsConsume,
  ...clientsProduce,
  ...clientsCopy,
];

const usage = `npm run bench -- [options]
  --cases a,b        only these cases, by name or beginning of the name:
                     ${cases.map(({ name }) => name).join(' ')}
  --all              the long ones as well
  --subjects a,b     brokers to compare, of: ${subjectNames.join(' ')} (default all)
  --rounds N         rounds that count, after one to warm up (default 3)
  --quick            a tenth of the work and one round, to try it out
  --log-gb 1,10      sizes of the log for the case log-size
  --json             results as JSON on the standard output
`;

/** Progress goes to the standard error, so that --json stays clean. */
function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function options() {
  const { values } = parseArgs({
    options: {
      cases: { type: 'string' },
      all: { type: 'boolean', default: false },
      subjects: { type: 'string', default: subjectNames.join(',') },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      'log-gb': { type: 'string', default: '1,10' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  return values;
}

function chosenCases(names: string | undefined, all: boolean): BenchCase[] {
  if (names === undefined) return cases.filter((bench) => all || bench.isLong !== true);
  const wanted = names.split(',');
  const caseNames = new Set(cases.map(({ name }) => name));
  const fits = (bench: BenchCase, name: string): boolean =>
    caseNames.has(name) ? bench.name === name : bench.name.startsWith(name);
  const unknown = wanted.find((name) => !cases.some((bench) => fits(bench, name)));
  if (unknown !== undefined) throw new Error(`Unknown case "${unknown}"\n${usage}`);
  return cases.filter((bench) => wanted.some((name) => fits(bench, name)));
}

function chosenSubjects(names: string): SubjectName[] {
  const wanted = names.split(',');
  const unknown = wanted.find((name) => !subjectNames.some((subject) => subject === name));
  if (unknown !== undefined)
    throw new Error(`Unknown subject "${unknown}", must be of: ${subjectNames.join(' ')}`);
  return subjectNames.filter((name) => wanted.includes(name));
}

/** Runs a case A B C A B C ..., the first time to warm up, and returns the figures of the rounds that count. */
async function runCase(
  bench: BenchCase,
  subjects: readonly Subject[],
  run: { rounds: number; options: BenchOptions },
): Promise<CaseResult> {
  const rounds = new Map<SubjectName, Figures[]>(subjects.map(({ name }) => [name, []]));
  const warmUps = bench.isLong === true ? 0 : 1;
  for (let round = -warmUps; round < run.rounds; round += 1) {
    for (const subject of subjects) {
      const begun = performance.now();
      const figures = await bench.run(subject, run.options);
      if (round >= 0) rounds.get(subject.name)!.push(figures);
      const seconds = ((performance.now() - begun) / 1000).toFixed(1);
      const label = round < 0 ? 'warm-up' : `round ${round + 1}/${run.rounds}`;
      const shown = Object.entries(figures)
        .slice(0, 4)
        .map(([name, value]) => `${name} ${value.toFixed(2)}`);
      say(
        `  ${bench.name}  ${label}  ${subject.name.padEnd(8)} ${seconds.padStart(5)} s   ${shown.join('  ')}`,
      );
    }
  }
  return summarise(bench, rounds);
}

/** Where the binding of librdkafka is, when one of the cases wants it and it can be installed. */
async function librdkafkaFor(chosen: readonly BenchCase[]): Promise<string | undefined> {
  if (!chosen.some(({ name }) => name.startsWith('clients-'))) return undefined;
  const binding = await nodeLibrdkafka();
  if ('path' in binding) return binding.path;
  say(`  The client librdkafka is left out: ${binding.absent}`);
  return undefined;
}

async function main(): Promise<void> {
  const values = options();
  if (values.help) return void process.stdout.write(usage);
  const jars = await kafkaJars();
  const libs = 'libs' in jars ? jars.libs : undefined;
  let names = chosenSubjects(values.subjects);
  if ('absent' in jars) {
    say(`  Kafka and the official tools are left out: ${jars.absent}`);
    names = names.filter((name) => name !== 'kafka');
  }
  const chosen = chosenCases(values.cases, values.all).filter(
    (bench) => libs !== undefined || bench.needsJava !== true,
  );
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`Rounds are "${values.rounds}", must be a whole number above 0`);
  const run = {
    rounds,
    options: {
      scale: values.quick ? 0.1 : 1,
      libs,
      librdkafka: await librdkafkaFor(chosen),
      logGb: values['log-gb'].split(',').map(Number),
    },
  };

  const subjects: Subject[] = [];
  const results: CaseResult[] = [];
  const disposeAll = () => Promise.all(subjects.map(({ peer }) => peer.dispose()));
  // Brokers and their gigabytes must not outlive a bench that is interrupted.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void disposeAll().finally(() => process.exit(130)));
  }
  try {
    for (const name of names) {
      const subject = { name, peer: await startSubject(name, libs) };
      subjects.push(subject);
      say(
        `${subjectTitles[name]} is ready after ${(subject.peer.readyMs / 1000).toFixed(2)} s and is being warmed up`,
      );
      await warmUp(subject, run.options);
    }
    for (const bench of chosen) {
      say(`${bench.name}: ${bench.about}`);
      const result = await runCase(bench, subjects, run);
      results.push(result);
      if (!values.json) process.stdout.write(`${table(result, names)}\n`);
    }
  } finally {
    await disposeAll();
  }
  const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}, node ${process.version}`;
  if (values.json)
    process.stdout.write(`${JSON.stringify({ machine, rounds, quick: values.quick, results }, null, 2)}\n`);
  const missed = results.flatMap((result) =>
    result.rows.filter((row) => row.reached === false).map((row) => `${result.name}: ${row.metric}`),
  );
  say(`${machine}; ${missed.length === 0 ? 'every goal reached' : `goals missed: ${missed.join(', ')}`}`);
}

try {
  await main();
} catch (error) {
  say((error as Error).message);
  process.exitCode = 1;
}
