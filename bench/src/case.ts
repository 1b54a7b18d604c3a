import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { GeneratorPlan, GeneratorReport } from './generator-plan.ts';
import { measured, type Usage } from './process-usage.ts';
import type { Subject } from './subject.ts';

/** Figures of one run of a case on one broker, by metric. */
export type Figures = Readonly<Record<string, number>>;

/** What a figure means, and what it should be compared with Kafka's. */
export interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** The ratio to Kafka's median that is to be reached with `write.caching`. */
  readonly ratioGoal?: number;
  /** The figure that is to be reached, whatever Kafka's is. */
  readonly absoluteGoal?: number;
}

/** Sizes and tools of this run. */
export interface BenchOptions {
  /** Multiplies the amounts of work: 1, or 0.1 for `--quick`. */
  readonly scale: number;
  /** Folder of the official jars; undefined when there is no Java. */
  readonly libs: string | undefined;
  /** The Node binding of librdkafka; undefined when it cannot run here, or no case asks for it. */
  readonly librdkafka: string | undefined;
  /** Sizes of the log for the case `log-size`, in GB. */
  readonly logGb: readonly number[];
}

/** Something that is measured on every broker in turn. */
export interface BenchCase {
  readonly name: string;
  readonly about: string;
  readonly metrics: readonly Metric[];
  /** Left out unless it is asked for by name or with `--all`. */
  readonly isLong?: boolean;
  readonly needsJava?: boolean;
  run(subject: Subject, options: BenchOptions): Promise<Figures>;
}

const generator = fileURLToPath(new URL('./generator.js', import.meta.url));

/** Runs the generator against a broker; throws with its error output when it fails. */
export function generate(plan: GeneratorPlan): Promise<GeneratorReport> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [generator, JSON.stringify(plan)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(out) as GeneratorReport);
      else reject(new Error(`The generator ended with ${code}: ${errors.slice(-800)}`));
    });
  });
}

/** Runs the generator and measures the broker meanwhile. */
export async function generateMeasured(
  subject: Subject,
  plan: Omit<GeneratorPlan, 'port'>,
): Promise<{ report: GeneratorReport; usage: Usage }> {
  const { result, usage } = await measured(subject.peer.pid, () =>
    generate({ ...plan, port: subject.peer.port }),
  );
  return { report: result, usage };
}

let topicCount = 0;

/** A topic name of this run that no other case uses. */
export function freshTopic(name: string): string {
  return `bench-${name}-${(topicCount += 1)}`;
}
