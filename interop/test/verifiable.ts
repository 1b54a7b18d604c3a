import { JavaProgram } from '../src/index.ts';
import { interop, javaTools } from './support.ts';

/** One event of a tool for system tests: what it is, when (milliseconds since the epoch), and what belongs to it. */
export interface ToolEvent {
  readonly name: string;
  readonly timestamp: number;
  readonly [field: string]: unknown;
}

/** The events among the lines. The last line of a tool that was killed may have been cut. */
export function eventsOf(lines: readonly string[]): ToolEvent[] {
  const whole = lines.filter((line) => line.startsWith('{') && line.endsWith('}'));
  return whole.map((line) => JSON.parse(line) as ToolEvent);
}

/** Options of a tool by name; one that is true has no value. */
export type ToolOptions = Readonly<Record<string, string | true>>;

/** The arguments that stand for the options. */
export function argumentsOf(options: ToolOptions): string[] {
  return Object.entries(options).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : [`--${name}`, value],
  );
}

/** Starts a tool of Kafka's system tests in a JVM of its own: it is to be killed, or does its work in hooks of the JVM. */
export function startTool(main: string, options: ToolOptions): JavaProgram {
  if ('absent' in interop.java) throw new Error(interop.java.absent);
  const call = { main: `org.apache.kafka.tools.${main}`, args: argumentsOf(options) };
  return new JavaProgram({ ...interop.java, ...call });
}

/** Creates a topic with the official tool. */
export async function createTopicOf(bootstrap: string, topic: string, partitions: number): Promise<void> {
  const options = {
    'bootstrap-server': bootstrap,
    create: true,
    topic,
    partitions: String(partitions),
  } as const;
  await javaTools().run('TopicCommand', argumentsOf(options));
}

/** What an `AckedWriter` was acknowledged, as `partition:offset`. */
export function acknowledged(lines: readonly string[]): string[] {
  const parts = lines.filter((line) => line.startsWith('acked ')).map((line) => line.split(' '));
  return parts.map(([, partition, offset]) => `${partition}:${offset}`);
}
