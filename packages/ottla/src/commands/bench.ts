import { InvalidArgumentError, type Command } from 'commander';
import {
  withConnectionOptions,
  withOutputOptions,
  withProperties,
  wholeNumber,
} from '../cluster/run-on-cluster.ts';
import type {
  BenchConsumeOptions,
  BenchLatencyOptions,
  BenchProduceOptions,
} from '../bench/bench-options.ts';
import { parsePercentiles } from '../bench/latencies.ts';

/** `ottla bench`: how fast a cluster takes records, gives them, and passes them on. */
export function registerBench(program: Command): void {
  const bench = program
    .command('bench')
    .description('measure a cluster: produce, consume, end-to-end latency');
  withBenchOptions(bench.command('produce [topic]'), 1_000_000)
    .description(
      'send records as fast as they go, or so many a second: throughput, and latency until the answer',
    )
    .option('--throughput <number>', 'records a second; -1 for as many as go', throughput, -1)
    .option('--payload-file <file>', 'values from the lines of this file, instead of random letters')
    .option('--payload-delimiter <text>', 'what stands between them', '\\n')
    .option('-a, --acks <acks>', 'all, 1 or 0')
    .option('--warmup-records <number>', 'send so many more first, and do not measure them', wholeNumber, 0)
    .option('--transaction-duration-ms <ms>', 'in transactions of this length', wholeNumber)
    .addHelpText(
      'after',
      '\nAt full speed one record in ten is timed.\n\nExamples:\n  ottla bench produce -n 5000000 -s 1024 -z lz4\n  ottla bench produce orders --throughput 10000 --percentiles 50,99.9',
    )
    .action(async (topic: string | undefined, options: BenchProduceOptions) => {
      const { benchProduce } = await import('../bench/bench-produce.ts');
      await benchProduce(topic, options);
    });
  withBenchOptions(bench.command('consume [topic]'), 1_000_000)
    .description('read records as fast as they come; without a topic one is filled first')
    .option('-g, --group <group>', 'as a member of this group')
    .option('--from-latest', 'what arrives from now on, instead of what is there')
    .option('--idle-ms <ms>', 'give up when nothing came for so long', wholeNumber, 10_000)
    .addHelpText('after', '\nExamples:\n  ottla bench consume\n  ottla bench consume orders -n 100000 --json')
    .action(async (topic: string | undefined, options: BenchConsumeOptions) => {
      const { benchConsume } = await import('../bench/bench-consume.ts');
      await benchConsume(topic, options);
    });
  withBenchOptions(bench.command('e2e [topic]'), 10_000)
    .description(
      'send one record after the other, each when the one before has been read: latency from end to end',
    )
    .option('-a, --acks <acks>', 'all, 1 or 0')
    .addHelpText(
      'after',
      '\nExamples:\n  ottla bench e2e -n 10000 -a 1\n  ottla bench e2e --json | jq .latencyMs.p99',
    )
    .action(async (topic: string | undefined, options: BenchLatencyOptions) => {
      const { benchLatency } = await import('../bench/bench-latency.ts');
      await benchLatency(topic, options);
    });
}

function withBenchOptions(command: Command, records: number): Command {
  command
    .option('-n, --num-records <number>', 'how many', wholeNumber, records)
    .option('-s, --record-size <bytes>', 'of each value', wholeNumber, 100)
    .option('-z, --compression <type>', 'none, gzip, snappy, lz4 or zstd')
    .option('--percentiles <numbers>', 'of latencies', percentiles, [50, 95, 99, 99.9])
    .option('--partitions <count>', 'of a topic that is made', wholeNumber, 6)
    .option('--replication-factor <count>', "of a topic that is made; default: the broker's", wholeNumber)
    .option('--keep', 'leave a topic that is made; otherwise it is removed at the end');
  return withOutputOptions(withProperties(withConnectionOptions(command)));
}

function throughput(text: string): number {
  const value = Number(text);
  if (value === -1 || value > 0) return value;
  throw new InvalidArgumentError(`"${text}" is neither -1 nor a number of records a second`);
}

function percentiles(text: string): number[] {
  try {
    return parsePercentiles(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}
