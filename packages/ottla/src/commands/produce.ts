import type { Command } from 'commander';
import { collect } from '../collect.ts';
import {
  runOnCluster,
  UsageError,
  wholeNumber,
  withClusterOptions,
  type ClusterOptions,
} from '../cluster/run-on-cluster.ts';

interface ProduceOptions extends ClusterOptions {
  readonly key?: string;
  readonly keyDelimiter?: string;
  readonly header: readonly string[];
  readonly partition?: number;
  readonly nullOnEmpty?: boolean;
  readonly acks: string;
  readonly compression: string;
}

const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/** How many lines are on their way at once: what bounds memory when the cluster is slower than the file. */
const MAX_WAITING = 10_000;

/** `ottla produce`: sends lines of standard input, one record each. */
export function registerProduce(program: Command): void {
  withClusterOptions(program.command('produce <topic>'))
    .description('send each line of standard input as a record; says how many are stored')
    .option('-k, --key <key>', 'the key of every record')
    .option('-K, --key-delimiter <text>', 'what stands before it in a line is the key')
    .option('-H, --header <name=value>', 'a header of every record; may be repeated', collect, [])
    .option('-p, --partition <number>', "default: by the key's hash, or where there is room", wholeNumber)
    .option('-Z, --null-on-empty', 'an empty value is a tombstone, an empty key none')
    .option('-a, --acks <acks>', 'all, 1 or 0', 'all')
    .option('-z, --compression <type>', COMPRESSIONS.join(', '), 'none')
    .addHelpText(
      'after',
      "\nExamples:\n  echo 'c-17:12.5' | ottla produce orders -K :\n  ottla produce orders -z lz4 < lines.txt",
    )
    .action((topic: string, options: ProduceOptions) => produce(topic, options));
}

function produce(topic: string, options: ProduceOptions): Promise<void> {
  return runOnCluster(options, async ({ ottla }) => {
    const { createInterface } = await import('node:readline');
    const headers = options.header.map(headerOf);
    await using producer = ottla.producer({
      acks: acksOf(options.acks),
      compression: compressionOf(options.compression),
    });
    const waiting: Promise<unknown>[] = [];
    let stored = 0;
    const settle = async (): Promise<void> => {
      const outcomes = await Promise.allSettled(waiting.splice(0));
      stored += outcomes.filter(({ status }) => status === 'fulfilled').length;
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    };
    try {
      for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
        const { key, value } = recordOf(line, options);
        const sent = producer.send(topic, {
          value,
          headers,
          ...(key !== null && { key }),
          ...(options.partition !== undefined && { partition: options.partition }),
        });
        // Awaited below, together with the others: an early failure must not end the process.
        sent.catch(() => {});
        waiting.push(sent);
        if (waiting.length >= MAX_WAITING) await settle();
      }
    } finally {
      // Also after an error: whoever goes on has to know from where.
      await settle().finally(() => process.stderr.write(`ottla: ${stored} records stored in "${topic}"\n`));
    }
  });
}

function recordOf(line: string, options: ProduceOptions): { key: string | null; value: string | null } {
  const { keyDelimiter } = options;
  let key = options.key ?? null;
  let value: string | null = line;
  if (keyDelimiter !== undefined) {
    const at = line.indexOf(keyDelimiter);
    if (at < 0) throw new UsageError(`Line "${line.slice(0, 60)}" has no key delimiter "${keyDelimiter}"`);
    key = line.slice(0, at);
    value = line.slice(at + keyDelimiter.length);
  }
  if (options.nullOnEmpty === true) {
    if (value === '') value = null;
    if (key === '') key = null;
  }
  return { key, value };
}

function headerOf(text: string): [string, string] {
  const equals = text.indexOf('=');
  if (equals < 1) throw new UsageError(`Header "${text}" is not of the form name=value`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

function acksOf(text: string): 'all' | 0 | 1 {
  if (text === 'all' || text === '-1') return 'all';
  if (text === '1') return 1;
  if (text === '0') return 0;
  throw new UsageError(`Acks "${text}" is none of all, 1 and 0`);
}

function compressionOf(text: string): (typeof COMPRESSIONS)[number] {
  const found = COMPRESSIONS.find((type) => type === text);
  if (found === undefined)
    throw new UsageError(`Compression "${text}" is none of ${COMPRESSIONS.join(', ')}`);
  return found;
}
