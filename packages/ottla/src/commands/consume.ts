import { Option, type Command } from 'commander';
import { consumerSettings } from '../cluster/client-settings.ts';
import { counted } from '../terminal/counted.ts';
import { writeOut } from '../terminal/print.ts';
import { ProgressLine } from '../terminal/progress-line.ts';
import { kcatName, partitionList, parseRange, planReads, type ReadPlan } from '../records/read-plan.ts';
import { readAsMember, readPlan, type RecordSource } from '../records/read-records.ts';
import { recordFilter, type FilterOptions } from '../records/record-filter.ts';
import { compileFormat, unescape, type RecordFormat } from '../records/record-format.ts';
import { recordToJson } from '../records/record-json.ts';
import {
  runOnCluster,
  UsageError,
  wholeNumber,
  withConnectionOptions,
  withProperties,
  type ClusterAccess,
  type ClusterOptions,
} from '../cluster/run-on-cluster.ts';
import { StopSignal } from '../terminal/stop-signal.ts';
import { collect } from '../collect.ts';

interface ConsumeOptions extends ClusterOptions, FilterOptions {
  readonly group?: string;
  readonly offset: readonly string[];
  readonly partitions?: number[];
  readonly exit?: boolean;
  readonly follow?: boolean;
  readonly count?: number;
  readonly format?: string;
  readonly keyDelimiter?: string;
  readonly delimiter: string;
  readonly null?: boolean;
  readonly readCommitted?: boolean;
}

/** `ottla consume`: prints the records of topics. */
export function registerConsume(program: Command): void {
  const command = program
    .command('consume <topics...>')
    .description('print the records of topics, and go on with what arrives')
    .option('-g, --group <group>', 'as a member of this group, which remembers how far it is')
    .option(
      '-o, --offset <where>',
      'beginning, end, N, -N (the last N of each partition), s@TIME from a time on, e@TIME up to it; default: end. With a group: beginning or end, where it has not been yet',
      collect,
      [],
    )
    .option('-p, --partitions <numbers>', 'only these: 0,3', partitionList)
    .option('-e, --exit', 'stop at what is the end now')
    .option('-F, --follow', 'go on with what arrives, as it does without --exit')
    .option('-c, --count <number>', 'stop after so many records', wholeNumber)
    .option(
      '-f, --format <format>',
      '%t topic %p partition %o offset %T timestamp %k key %s value %h headers; %s{hex}',
    )
    .option('-K, --key-delimiter <text>', 'print keys too, and this behind them')
    .option('-D, --delimiter <text>', 'print this behind each record', '\\n')
    .option('-Z, --null', 'print NULL for a key or value that is not there')
    .option('--grep <pattern>', 'only records whose key or value matches this regular expression')
    .option('--grep-key <pattern>', 'only those whose key does')
    .option('--grep-value <pattern>', 'only those whose value does')
    .option('--grep-header <name=pattern>', 'only those with such a header; may be repeated', collect, [])
    .option('--read-committed', 'no records of open or aborted transactions');
  withProperties(withConnectionOptions(command))
    .option('--json', 'as --jsonl: a topic has no end')
    .option('-J, --jsonl', 'print one JSON object a line; bytes that are no text as {"base64": "..."}')
    // What kcat's users type: it prints at once, and says nothing else, anyway.
    .addOption(new Option('-u', 'unbuffered').hideHelp())
    .addOption(new Option('-q', 'quiet').hideHelp())
    // And what those of Kafka's console consumer do.
    .addOption(
      new Option('--from-beginning', 'as -o beginning').hideHelp().implies({ offset: ['beginning'] }),
    )
    .addHelpText(
      'after',
      [
        '\nExamples:',
        '  ottla consume orders -o beginning -e',
        "  ottla consume orders -o -10 -e -f '%p/%o %k: %s\\n'",
        '  ottla consume orders -o s@2026-01-31 -o e@2026-02-01 --grep-key ^c-17$',
        '  ottla consume orders payments -g audit -o beginning',
        '  ottla consume orders --jsonl | jq .value',
      ].join('\n'),
    )
    .action((topics: string[], options: ConsumeOptions) => consume(topics, options));
}

function consume(topics: readonly string[], options: ConsumeOptions): Promise<void> {
  return runOnCluster(options, async (access) => {
    const show = formatOf(options);
    const isWanted = recordFilter(options);
    const most = options.count ?? Infinity;
    if (most === 0) return;
    using stop = new StopSignal();
    const { records, total } = await sourceOf(access, { topics, options, signal: stop.signal });
    const progress = new ProgressLine();
    let readCount = 0;
    let shownCount = 0;
    const howFar = (): string => {
      const read =
        total === null ? counted(readCount, 'record') : `${readCount} of ${counted(total, 'offset')}`;
      return `${read} read, ${shownCount} printed`;
    };
    // Where the records themselves are seen, they are progress enough; and what goes on for ever gets nowhere.
    if (options.exit === true && (isWanted !== null || process.stdout.isTTY !== true))
      progress.keepUpdating(howFar);
    try {
      for await (const message of records) {
        readCount += 1;
        if (isWanted?.(message) === false) continue;
        progress.clearFor(process.stdout);
        await writeOut(show(message));
        shownCount += 1;
        if (shownCount === most) return;
      }
    } finally {
      progress.clear();
    }
  });
}

/** What is read, and how many offsets that are; null when nobody knows. */
interface Reading {
  readonly records: RecordSource;
  readonly total: number | null;
}

interface Request {
  readonly topics: readonly string[];
  readonly options: ConsumeOptions;
  readonly signal: AbortSignal;
}

async function sourceOf(access: ClusterAccess, request: Request): Promise<Reading> {
  const { topics, options, signal } = request;
  if (options.exit === true && options.follow === true)
    throw new UsageError('Give one of --exit and --follow: the one stops at the end, the other goes on');
  const { group: configured, ...settings } = consumerSettings(access.properties);
  const group = options.group ?? configured;
  const readCommitted = options.readCommitted === true || settings.isolationLevel === 'read_committed';
  const isolationLevel = readCommitted ? ('read_committed' as const) : ('read_uncommitted' as const);
  const range = parseRange(options.offset);
  const toEnd = options.exit === true;
  const plan = (where: Partial<Parameters<typeof planReads>[1]>): Promise<ReadPlan[]> =>
    planReads(access, { topics, range, readCommitted, toEnd, ...where });
  if (group === undefined) {
    const { partitions } = options;
    const planned = await plan(partitions === undefined ? {} : { partitions });
    const records = readPlan(access, {
      plan: planned,
      options: { ...settings, isolationLevel },
      untilMs: range.untilMs,
      signal,
    });
    const total = planned.reduce((sum, { offset, end }) => sum + Math.max(0, end - offset), 0);
    return { records, total: Number.isFinite(total) ? total : null };
  }
  if (options.partitions !== undefined)
    throw new UsageError('--partitions has no place beside --group: the group shares out the partitions');
  const from = fromOfGroup(options.offset);
  const records = readAsMember(access, {
    topics,
    options: { ...settings, ...(from !== undefined && { from }), isolationLevel, group },
    ends: toEnd ? await plan({ range: { from: 'beginning', untilMs: null } }) : null,
    signal,
  });
  return { records, total: null };
}

/** A group goes on where it was; `-o` counts where it has not been. */
function fromOfGroup(values: readonly string[]): 'earliest' | 'latest' | undefined {
  const [where, ...more] = values;
  if (where === undefined) return undefined;
  const start = kcatName(where);
  if (start === 'beginning' && more.length === 0) return 'earliest';
  if (start === 'end' && more.length === 0) return 'latest';
  throw new UsageError(
    `Offset "${values.join(' ')}" has no place beside --group: give beginning or end, or move the group with "ottla groups reset-offsets"`,
  );
}

function formatOf(options: ConsumeOptions): RecordFormat {
  if (options.json === true || options.jsonl === true) return (record) => `${recordToJson(record)}\n`;
  const whenNull = options.null === true ? 'NULL' : '';
  if (options.format !== undefined) return compileFormat(options.format, whenNull);
  const end = unescape(options.delimiter);
  const { keyDelimiter } = options;
  const text = (bytes: Buffer | null): string => bytes?.toString() ?? whenNull;
  if (keyDelimiter === undefined) return ({ valueBytes }) => text(valueBytes) + end;
  const between = unescape(keyDelimiter);
  return ({ keyBytes, valueBytes }) => text(keyBytes) + between + text(valueBytes) + end;
}
