import type { OptionNames } from '@ottla/platform';
import { decodeRecords, partitionForKey, type BatchSummary, type RecordInput } from '@ottla/protocol';
import { refuseUnknown } from './refuse-unknown.ts';

/** A record to store: its value alone, or more of it. Objects, numbers and booleans are stored as JSON. */
export type SeedRecord =
  | string
  | {
      readonly key?: string | Buffer | null;
      readonly value?: unknown;
      readonly headers?: Readonly<Record<string, string | Buffer | null>>;
      /** Default: by the key, as Kafka's clients do it; without a key, one partition after the other. */
      readonly partition?: number;
      /** Milliseconds since the epoch. Default: the broker's time. */
      readonly timestamp?: number;
    };

const RECORD_FIELDS: OptionNames<Exclude<SeedRecord, string>> = {
  key: true,
  value: true,
  headers: true,
  partition: true,
  timestamp: true,
};

/** A record as it stands in the log. */
export interface StoredRecord {
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  /** As text. */
  readonly key: string | null;
  /** As text. */
  readonly value: string | null;
  readonly keyBytes: Buffer | null;
  readonly valueBytes: Buffer | null;
  /** As text; of several headers with one name the last. */
  readonly headers: Readonly<Record<string, string | null>>;
}

/**
 * The records by the partition that they go to.
 * @throws RangeError for a partition that does not exist, TypeError for a field that records do not have
 */
export function partitioned(
  records: readonly SeedRecord[],
  { partitions, nowMs }: { readonly partitions: number; readonly nowMs: number },
): Map<number, RecordInput[]> {
  const byPartition = new Map<number, RecordInput[]>();
  for (const [index, record] of records.entries()) {
    const seed = typeof record === 'string' ? { value: record } : record;
    if (!wasRead(seed)) refuseUnknown('A record', seed, RECORD_FIELDS);
    const key = bytesOf(seed.key ?? null);
    const partition =
      seed.partition ?? (key === null ? index % partitions : partitionForKey(key, partitions));
    if (!Number.isInteger(partition) || partition < 0 || partition >= partitions)
      throw new RangeError(
        `Partition "${partition}" does not exist: there are ${partitions}, counted from 0`,
      );
    const input: RecordInput = {
      key,
      value: bytesOf(seed.value ?? null),
      timestamp: seed.timestamp ?? nowMs,
      headers: Object.entries(seed.headers ?? {}).map(([name, value]) => ({
        key: name,
        value: bytesOf(value),
      })),
    };
    const others = byPartition.get(partition);
    if (others === undefined) byPartition.set(partition, [input]);
    else others.push(input);
  }
  return byPartition;
}

/** One that was read may be stored again, as it is or changed, with what it has beside. */
function wasRead(seed: object): boolean {
  return Object.hasOwn(seed, 'offset') && Object.hasOwn(seed, 'valueBytes');
}

/** The records of one batch; none for the markers of transactions. */
export function storedRecords(buffer: Buffer, batch: BatchSummary, partition: number): StoredRecord[] {
  if (batch.isControl) return [];
  return decodeRecords(buffer, batch.position).map(({ offset, timestamp, key, value, headers }) => ({
    partition,
    offset,
    timestamp,
    key: key?.toString() ?? null,
    value: value?.toString() ?? null,
    keyBytes: key,
    valueBytes: value,
    headers: Object.fromEntries(headers.map((header) => [header.key, header.value?.toString() ?? null])),
  }));
}

function bytesOf(value: unknown): Buffer | null {
  if (value === null) return null;
  if (typeof value === 'string') return Buffer.from(value);
  if (value instanceof Uint8Array) return Buffer.from(value);
  return Buffer.from(JSON.stringify(value));
}
