import type { Admin, Message, PartitionOffset } from '@ottla/client';
import { NodeClock, type TimerHandle } from '@ottla/platform';
import type { Command } from 'commander';
import { toJson } from '../cluster/print.ts';
import { compileFormat, type FormattedRecord, type RecordFormat } from '../cluster/record-format.ts';
import {
  runOnCluster,
  UsageError,
  wholeNumber,
  withClusterOptions,
  type ClusterAccess,
  type ClusterOptions,
} from '../cluster/run-on-cluster.ts';

interface ConsumeOptions extends ClusterOptions {
  readonly offset: string;
  readonly partitions?: string;
  readonly exit?: boolean;
  readonly count?: number;
  readonly format?: string;
  readonly grep?: string;
  readonly readCommitted?: boolean;
}

/** How often `--exit` looks whether the end was passed without a record. */
const END_CHECK_MS = 50;

/** Where each partition is read from, and where it ends with `--exit`. */
interface ReadPlan {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly end: number;
}

/** `ottla consume`: prints the records of a topic. */
export function registerConsume(program: Command): void {
  withClusterOptions(program.command('consume <topic>'))
    .description('print the records of a topic, and go on with what arrives')
    .option(
      '-o, --offset <where>',
      'beginning, end, N, -N (the last N of each partition) or s@MS (from a time)',
      'end',
    )
    .option('-p, --partitions <numbers>', 'only these: 0,3')
    .option('-e, --exit', 'stop at what is the end now')
    .option('-c, --count <number>', 'stop after so many records', wholeNumber)
    .option(
      '-f, --format <format>',
      '%t topic %p partition %o offset %T timestamp %k key %s value %h headers; %s{hex}',
    )
    .option('--grep <pattern>', 'only records whose key or value matches this regular expression')
    .option('--read-committed', 'no records of open or aborted transactions')
    .addHelpText(
      'after',
      "\nExamples:\n  ottla consume orders -o beginning -e\n  ottla consume orders -o -10 -e -f '%p/%o %k: %s\\n'\n  ottla consume orders --jsonl | jq .value",
    )
    .action((topic: string, options: ConsumeOptions) => consume(topic, options));
}

function consume(topic: string, options: ConsumeOptions): Promise<void> {
  return runOnCluster(options, async (access) => {
    const show = formatOf(options);
    const isWanted = filterOf(options);
    const plan = await planOf(access, topic, options);
    let left = options.count ?? Infinity;
    if (left === 0) return;
    for await (const message of messagesOf(access, plan, options)) {
      if (!isWanted(message)) continue;
      if (!process.stdout.write(show(message)))
        await new Promise((resolve) => process.stdout.once('drain', resolve));
      left -= 1;
      if (left === 0) return;
    }
  });
}

/** The messages of the plan in the order in which they come; with `--exit` up to the end that each partition had. */
async function* messagesOf(
  { ottla }: ClusterAccess,
  plan: readonly ReadPlan[],
  options: ConsumeOptions,
): AsyncGenerator<Message> {
  const open = new Map(
    plan.filter(({ offset, end }) => offset < end).map((each) => [each.partition, each.end]),
  );
  const ends = new Map(open);
  if (options.exit === true && open.size === 0) return;
  const { serde } = await import('@ottla/client');
  const source = { partitions: plan, key: serde.nullable(serde.bytes), value: serde.nullable(serde.bytes) };
  const isolationLevel = options.readCommitted === true ? 'read_committed' : 'read_uncommitted';
  const stop = new AbortController();
  await using consumer = ottla.consumer(source, { isolationLevel, from: 'earliest', signal: stop.signal });
  // The end of a partition need not be a record: transaction markers and what compaction removed count as offsets too.
  const clock = new NodeClock();
  let watch = null as TimerHandle | null;
  const check = (): void => {
    for (const { partition, position } of consumer.lag())
      if (position >= (open.get(partition) ?? Infinity)) open.delete(partition);
    if (open.size === 0) stop.abort();
    else watch = clock.setTimer(END_CHECK_MS, check);
  };
  if (options.exit === true) check();
  try {
    for await (const message of consumer) {
      const end = options.exit === true ? ends.get(message.partition) : Infinity;
      if (end !== undefined && message.offset < end) yield message;
      if (end !== undefined && message.offset + 1 >= end) open.delete(message.partition);
      if (options.exit === true && open.size === 0) return;
    }
  } finally {
    watch?.cancel();
  }
}

async function planOf(
  { admin, limits }: ClusterAccess,
  topic: string,
  options: ConsumeOptions,
): Promise<ReadPlan[]> {
  const wanted = options.partitions?.split(',').map(wholeNumber);
  const isolationLevel = options.readCommitted === true ? 'read_committed' : 'read_uncommitted';
  const list = async (spec: Parameters<Admin['offsets']['list']>[1]): Promise<PartitionOffset[]> =>
    (await admin.offsets.list(topic, spec, { ...limits, isolationLevel })).flatMap((found) => {
      if (found.error !== null) throw found.error;
      return wanted === undefined || wanted.includes(found.partition) ? [found] : [];
    });
  const ends = await list('latest');
  if (wanted?.some((partition) => !ends.some((end) => end.partition === partition)) === true)
    throw new UsageError(
      `Topic "${topic}" has no such partition; "ottla topics describe ${topic}" shows them`,
    );
  const starts = await list('earliest');
  const times = options.offset.startsWith('s@')
    ? await list({ timestampMs: wholeNumber(options.offset.slice(2)) })
    : [];
  return ends.map(({ partition, offset: end }) => {
    const of = (offsets: readonly PartitionOffset[]): number =>
      offsets.find((found) => found.partition === partition)?.offset ?? -1;
    const begin = startOf(options.offset, { start: of(starts), end, atTime: of(times) });
    return { topic, partition, offset: begin, end };
  });
}

/** The offset that `-o` means in a partition. @throws UsageError */
function startOf(where: string, log: { start: number; end: number; atTime: number }): number {
  if (where === 'beginning') return log.start;
  if (where === 'end') return log.end;
  if (where.startsWith('s@')) return log.atTime < 0 ? log.end : log.atTime;
  if (/^\d+$/.test(where)) return Math.min(Math.max(Number(where), log.start), log.end);
  if (/^-\d+$/.test(where)) return Math.max(log.start, log.end + Number(where));
  throw new UsageError(`Offset "${where}" is none of beginning, end, N, -N and s@MS`);
}

function formatOf(options: ConsumeOptions): RecordFormat {
  if (options.json === true || options.jsonl === true) return jsonLine;
  return compileFormat(options.format ?? '%s\\n');
}

/** One object a line, also with `--json`: a topic has no end. */
function jsonLine({
  topic,
  partition,
  offset,
  timestamp,
  keyBytes,
  valueBytes,
  headers,
}: FormattedRecord): string {
  const record = {
    topic,
    partition,
    offset,
    timestamp,
    key: keyBytes?.toString() ?? null,
    value: valueBytes?.toString() ?? null,
    headers: headers.map(({ key, value }) => ({ key, value: value?.toString() ?? null })),
  };
  return `${toJson(record)}\n`;
}

function filterOf({ grep }: ConsumeOptions): (record: FormattedRecord) => boolean {
  if (grep === undefined) return () => true;
  let pattern: RegExp;
  try {
    pattern = new RegExp(grep);
  } catch (error) {
    throw new UsageError(`--grep: ${error instanceof Error ? error.message : String(error)}`);
  }
  return ({ keyBytes, valueBytes }) =>
    pattern.test(keyBytes?.toString() ?? '') || pattern.test(valueBytes?.toString() ?? '');
}
