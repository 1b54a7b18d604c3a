import { classPath, mustRun } from '@ottla/interop';
import type { BenchOptions } from './case.ts';

/** Runs one of Kafka's own tools to its end and returns what it printed. */
export function officialTool(options: BenchOptions, main: string, args: readonly string[]): Promise<string> {
  if (options.libs === undefined) throw new Error('The official tools need Java');
  return mustRun('java', [
    '-Xmx512m',
    '-cp',
    classPath(options.libs),
    `org.apache.kafka.tools.${main}`,
    ...args,
  ]);
}
