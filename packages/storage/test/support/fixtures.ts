import { NodeDisk, SeededRandom, SimClock, type Disk, type SimOperation } from '@ottla/platform';
import { encodeBatch, iterateBatches, type BatchInput } from '@ottla/protocol';
import {
  DEFAULT_LOG_CONFIG,
  LogManager,
  type Log,
  type LogConfig,
  type LogManagerOptions,
} from '../../src/index.ts';

export const TP = { topic: 'orders', partition: 0 };

/** A batch with `count` records of about `valueBytes` each. */
export function batchOf(
  count: number,
  options: Partial<BatchInput> & { valueBytes?: number; timestamp?: number } = {},
): Buffer {
  const { valueBytes = 20, timestamp = 1_700_000_000_000, ...rest } = options;
  return encodeBatch({
    records: Array.from({ length: count }, (_, index) => ({
      timestamp: timestamp + index,
      key: Buffer.from(`k${index}`),
      value: Buffer.alloc(valueBytes, index),
    })),
    ...rest,
  });
}

export async function openManager(
  dirs: string[],
  overrides: Partial<Omit<LogManagerOptions, 'configFor'>> & {
    config?: Partial<LogConfig>;
    disk?: Disk;
  } = {},
): Promise<LogManager> {
  const { config, ...rest } = overrides;
  return LogManager.open({
    disk: new NodeDisk(),
    clock: new SimClock(),
    random: new SeededRandom(1),
    dirs,
    nodeId: 1,
    clusterId: null,
    onDirFailure: () => {},
    ...rest,
    configFor: () => ({ ...DEFAULT_LOG_CONFIG, ...config }),
  });
}

export function logConfig(overrides: Partial<LogConfig> = {}): LogConfig {
  return { ...DEFAULT_LOG_CONFIG, ...overrides };
}

/** Calls of a disk that may fail while a log is in use. */
export const OPERATIONS = [
  'read',
  'write',
  'datasync',
  'open',
  'rename',
  'unlink',
  'truncate',
  'syncFolder',
] as const satisfies readonly SimOperation[];

export const client = { leaderEpoch: 0, origin: 'client' } as const;
export const ALL = { maxBytes: 64 * 1024 * 1024, upToOffset: Number.MAX_SAFE_INTEGER, minOneMessage: true };

/** The [base, last] offsets of every batch from `from` on. */
export async function offsetsOf(log: Log, from = log.logStartOffset): Promise<[number, number][]> {
  const found: [number, number][] = [];
  for (let offset = from; offset < log.logEndOffset;) {
    const result = await log.read(offset, ALL);
    if (result.sizeInBytes === 0) throw new Error(`Nothing to read at ${offset}`);
    for (const buffer of result.batches) {
      for (const batch of iterateBatches(buffer)) found.push([batch.baseOffset, batch.lastOffset]);
    }
    offset = result.nextOffset;
  }
  return found;
}

/** Lets the work that is under way go on for so many turns of the event loop. */
export async function settle(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
}
