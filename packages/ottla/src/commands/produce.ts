import type { Producer } from '@ottla/client';
import { NodeDisk } from '@ottla/platform';
import { Option, type Command } from 'commander';
import { acksOf, producerSettings } from '../cluster/client-settings.ts';
import { recordOfLine, recordsOfLines, type LineOptions } from '../records/lines-to-records.ts';
import { PartitionCheck } from '../records/partition-check.ts';
import { Pace } from '../records/pace.ts';
import { parseTimeMs } from '../records/parse-time.ts';
import { toJson } from '../terminal/print.ts';
import { bytesText, ProgressLine } from '../terminal/progress-line.ts';
import { unescape } from '../records/record-format.ts';
import type { RecordToSend } from '../records/record-json.ts';
import { fileChunks, splitChunks } from '../records/record-lines.ts';
import {
  nameAndValue,
  positiveNumber,
  refuseFolder,
  runOnCluster,
  UsageError,
  wholeNumber,
  withConnectionOptions,
  withProperties,
  type ClusterOptions,
} from '../cluster/run-on-cluster.ts';
import { counted } from '../terminal/counted.ts';
import { StopSignal } from '../terminal/stop-signal.ts';
import { collect } from '../collect.ts';

interface ProduceOptions extends ClusterOptions {
  readonly file: readonly string[];
  readonly key?: string;
  readonly keyDelimiter?: string;
  readonly delimiter: string;
  readonly header: readonly string[];
  readonly partition?: number;
  readonly timestamp?: number;
  readonly nullOnEmpty?: boolean;
  readonly repartition?: boolean;
  readonly rate?: number;
  readonly acks?: string;
  readonly compression?: 'none';
}

const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/** How many records are on their way at once: what bounds memory when the cluster is slower than the file. */
const MAX_WAITING = 10_000;

/** How often to look at a topic that is being created. */
const LOOKS_PER_SECOND = 20;

/** `ottla produce`: sends lines or files as records. */
export function registerProduce(program: Command): void {
  const command = program
    .command('produce <topic> [files...]')
    .description('send each line of standard input, or each file, as a record; says how many are stored')
    .option('-l, --file <file>', 'send the lines of this file; may be repeated', collect, [])
    .option('-k, --key <key>', 'the key of every record')
    .option('-K, --key-delimiter <text>', 'what stands before it in a line is the key')
    .option('-D, --delimiter <text>', 'what stands between two records', '\\n')
    .option('-H, --header <name=value>', 'a header of every record; may be repeated', collect, [])
    .option('-p, --partition <number>', "default: by the key's hash, or where there is room", wholeNumber)
    .option(
      '-T, --timestamp <time>',
      'of every record, in milliseconds or as a date; default: now',
      parseTimeMs,
    )
    .option('-Z, --null-on-empty', 'an empty value is a tombstone, an empty key none')
    .option('-J, --jsonl', 'each line is a JSON object: key, value, headers, partition, timestamp')
    .option('--repartition', 'with --jsonl: by keys, whatever partitions the lines name')
    .option('--rate <number>', 'so many records a second at most', positiveNumber)
    .addOption(
      new Option('-a, --acks <acks>', 'who has to have a record; default: all').choices([
        'all',
        '-1',
        '1',
        '0',
      ]),
    )
    .addOption(new Option('-z, --compression <type>', 'of batches; default: none').choices(COMPRESSIONS))
    .option('--json', 'print the outcome as JSON');
  withProperties(withConnectionOptions(command))
    .addHelpText(
      'after',
      [
        '\nWithout files it reads standard input. A file behind the topic is one record, whole; with -l its lines are.',
        '\nExamples:',
        "  echo 'c-17:12.5' | ottla produce orders -K :",
        '  ottla produce orders -z lz4 -l lines.txt',
        '  ottla produce pictures cat.jpg dog.jpg -H type=image/jpeg',
        '  ottla consume orders -o beginning -e --jsonl | ottla produce orders-copy --jsonl --repartition',
      ].join('\n'),
    )
    .action((topic: string, files: string[], options: ProduceOptions) => produce(topic, files, options));
}

function produce(topic: string, files: readonly string[], options: ProduceOptions): Promise<void> {
  return runOnCluster(options, async (access) => {
    const { ottla, properties } = access;
    using stop = new StopSignal();
    await using producer = ottla.producer({
      maxBlockMs: options.timeout,
      ...producerSettings(properties),
      ...(options.acks !== undefined && { acks: acksOf(options.acks) }),
      ...(options.compression !== undefined && { compression: options.compression }),
    });
    const remedy =
      options.jsonl === true
        ? '--repartition places records by their keys instead'
        : `"ottla topics describe ${topic}" shows them`;
    const sending = new Sending(producer, topic, new PartitionCheck(access, topic, remedy));
    const pace = new Pace(options.rate ?? Infinity, stop.signal);
    try {
      for await (const record of recordsOf(files, options, stop.signal)) {
        await pace.next();
        if (stop.signal.aborted) break;
        await sending.send(record);
      }
    } finally {
      // Also after an error: whoever goes on has to know from where.
      await sending.end().finally(() => sending.report(options.json === true));
    }
  });
}

const STANDARD_INPUT = '/dev/stdin';

/** The records of the files and of standard input, one by one. */
async function* recordsOf(
  files: readonly string[],
  options: ProduceOptions,
  signal: AbortSignal,
): AsyncGenerator<RecordToSend> {
  const lineOptions = lineOptionsOf(options);
  const { keyDelimiter: _none, ...fileOptions } = lineOptions;
  const disk = new NodeDisk();
  for (const path of files) yield recordOfLine(wholeFile(disk, path), { ...fileOptions, isJson: false });
  const delimiter = unescape(options.delimiter);
  for (const path of options.file)
    yield* recordsOfLines(splitChunks(fileChunks(disk, path), delimiter), lineOptions);
  if (files.length > 0 || options.file.length > 0) return;
  // Node.js reads nothing from a folder, and says nothing.
  refuseFolder(disk, STANDARD_INPUT);
  yield* recordsOfLines(splitChunks(standardInput(signal), delimiter), lineOptions);
}

/** Standard input up to its end or the signal. */
async function* standardInput(signal: AbortSignal): AsyncGenerator<Buffer> {
  const end = (): void => void process.stdin.destroy();
  signal.addEventListener('abort', end);
  try {
    for await (const chunk of process.stdin) yield chunk as Buffer;
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', end);
  }
}

/** More than a broker takes by default by far. */
const MAX_FILE_BYTES = 1024 * 1024 * 1024;

function wholeFile(disk: NodeDisk, path: string): Buffer {
  refuseFolder(disk, path);
  const size = disk.sizeSync(path);
  if (size > MAX_FILE_BYTES)
    throw new UsageError(`File "${path}" has ${size} bytes, too many for one record; -l sends its lines`);
  return disk.readFileSync(path);
}

function lineOptionsOf(options: ProduceOptions): LineOptions {
  const { key, keyDelimiter, partition, timestamp } = options;
  if (keyDelimiter !== undefined && (key !== undefined || options.jsonl === true))
    throw new UsageError('--key-delimiter has no place beside --key and --jsonl: the key is given there');
  return {
    ...(key !== undefined && { key }),
    ...(keyDelimiter !== undefined && { keyDelimiter: unescape(keyDelimiter) }),
    headers: options.header.map((text) => nameAndValue(text, 'Header')),
    ...(partition !== undefined && { partition }),
    ...(timestamp !== undefined && { timestampMs: timestamp }),
    nullOnEmpty: options.nullOnEmpty === true,
    isJson: options.jsonl === true,
    repartition: options.repartition === true,
  };
}

/** Records on their way, and those that are stored. */
class Sending {
  readonly #producer: Producer;
  readonly #topic: string;
  readonly #check: PartitionCheck;
  readonly #misplaced = new AbortController();
  readonly #progress = new ProgressLine();
  #waiting: Promise<unknown>[] = [];
  #sentBytes = 0;
  #stored = 0;
  #hasFailed = false;

  constructor(producer: Producer, topic: string, check: PartitionCheck) {
    this.#producer = producer;
    this.#topic = topic;
    this.#check = check;
  }

  /** Sends a record; waits when too many are on their way. Rejects when one of them was refused. */
  async send(record: RecordToSend): Promise<void> {
    const { key, value, headers, partition, timestamp } = record;
    const sent = this.#producer.send(
      this.#topic,
      {
        value,
        headers,
        ...(key !== null && { key }),
        ...(partition !== undefined && { partition }),
        ...(timestamp !== undefined && { timestamp }),
      },
      partition === undefined ? {} : { signal: this.#misplaced.signal },
    );
    // Awaited below, together with the others: an early failure must not end the process.
    sent.catch(() => (this.#hasFailed = true));
    this.#waiting.push(sent);
    if (partition !== undefined) await this.#refuseMissing(partition, sent);
    this.#sentBytes += (key?.length ?? 0) + (value?.length ?? 0);
    await this.#producer.room();
    if (this.#hasFailed || this.#waiting.length >= MAX_WAITING) await this.end();
    this.#progress.update(() => this.#howFar());
  }

  /** Takes a record back that waits for a partition which is not there. A topic that is only now created is waited for, with its record. */
  async #refuseMissing(partition: number, sent: Promise<unknown>): Promise<void> {
    if (this.#check.isKnown(partition)) return;
    let isSettled = false;
    const settle = (): void => void (isSettled = true);
    sent.then(settle, settle);
    try {
      const looks = new Pace(LOOKS_PER_SECOND);
      while (!isSettled && !(await this.#check.ask(partition))) await looks.next();
    } catch (error) {
      this.#misplaced.abort(error);
      throw error;
    }
  }

  /** Waits for all that are on their way. */
  async end(): Promise<void> {
    const outcomes = await Promise.allSettled(this.#waiting);
    this.#waiting = [];
    this.#stored += outcomes.filter(({ status }) => status === 'fulfilled').length;
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  /** Says how many are stored: to people on stderr, to programs on stdout. */
  report(asJson: boolean): void {
    this.#progress.clear();
    const seconds = this.#progress.elapsedMs / 1000;
    const outcome = { topic: this.#topic, records: this.#stored, bytes: this.#sentBytes, seconds };
    if (asJson) process.stdout.write(`${toJson(outcome)}\n`);
    else process.stderr.write(`ottla: ${counted(this.#stored, 'record')} stored in "${this.#topic}"\n`);
  }

  #howFar(): string {
    const perSecond = (this.#sentBytes / this.#progress.elapsedMs) * 1000;
    return `${this.#stored} records stored · ${bytesText(this.#sentBytes)} sent · ${bytesText(perSecond)}/s`;
  }
}
