import { toJson } from '../terminal/print.ts';
import type { FormattedRecord } from './record-format.ts';
import { UsageError } from '../cluster/run-on-cluster.ts';

/** Bytes in JSON: text where they are UTF-8, else an object, so that what `consume` prints can be produced again byte by byte. */
type JsonBytes = string | { readonly base64: string } | null;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function toJsonBytes(bytes: Buffer | null): JsonBytes {
  if (bytes === null) return null;
  try {
    return utf8.decode(bytes);
  } catch {
    return { base64: bytes.toString('base64') };
  }
}

/** A record as JSON, on one line. */
export function recordToJson(record: FormattedRecord): string {
  const { topic, partition, offset, timestamp, keyBytes, valueBytes, headers } = record;
  return toJson({
    topic,
    partition,
    offset,
    timestamp,
    key: toJsonBytes(keyBytes),
    value: toJsonBytes(valueBytes),
    headers: headers.map(({ key, value }) => ({ key, value: toJsonBytes(value) })),
  });
}

/** A record to send, as a line or a file gives it. */
export interface RecordToSend {
  readonly key: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly headers: readonly (readonly [string, Buffer | string | null])[];
  readonly partition?: number;
  /** Milliseconds since the epoch. */
  readonly timestamp?: number;
}

/**
 * Reads a record from a line of JSON: an object with key, value, headers, partition and timestamp, all optional, as `consume --jsonl`
 * prints it, or with kcat's payload and ts. Keys and values that are not text are sent as JSON.
 * @throws UsageError for a line that is none
 */
export function recordFromJson(line: string): RecordToSend {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (error) {
    return refuse(line, error instanceof Error ? error.message : String(error));
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    return refuse(line, 'it is no object');
  const { key, value, payload, headers, partition, timestamp, ts } = json as Readonly<
    Record<string, unknown>
  >;
  const time = timestamp ?? ts;
  return {
    key: fromJsonBytes(key),
    value: fromJsonBytes(value === undefined ? payload : value),
    headers: headersFromJson(headers, line),
    ...(partition !== undefined && { partition: wholeField('partition', partition, line) }),
    // Records without a timestamp have -1.
    ...(time !== undefined && time !== -1 && { timestamp: wholeField('timestamp', time, line) }),
  };
}

function fromJsonBytes(json: unknown): Buffer | string | null {
  if (json === null || json === undefined) return null;
  if (typeof json === 'string') return json;
  if (typeof json === 'object' && Object.keys(json).length === 1 && 'base64' in json)
    if (typeof json.base64 === 'string') return Buffer.from(json.base64, 'base64');
  return JSON.stringify(json);
}

/** A list of `{key, value}`, an object of names and values, or kcat's flat list of both in turn. */
function headersFromJson(json: unknown, line: string): [string, Buffer | string | null][] {
  if (json === undefined || json === null) return [];
  if (typeof json !== 'object') return refuse(line, 'its headers are neither a list nor an object');
  if (!Array.isArray(json)) return Object.entries(json).map(([name, value]) => [name, fromJsonBytes(value)]);
  const list = json as unknown[];
  if (list.every((each) => typeof each === 'string')) {
    if (list.length % 2 === 1) return refuse(line, 'a header has no value');
    return list.flatMap((name, at) => (at % 2 === 0 ? [[name, list[at + 1] as string]] : []));
  }
  return list.map((each) => {
    const { key, value } = (each ?? {}) as Readonly<Record<string, unknown>>;
    return typeof key === 'string' ? [key, fromJsonBytes(value)] : refuse(line, 'a header has no key');
  });
}

function wholeField(name: string, value: unknown, line: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  return refuse(line, `its ${name} is no whole number of at least 0`);
}

function refuse(line: string, reason: string): never {
  throw new UsageError(`Line "${line.slice(0, 60)}" is no record in JSON: ${reason}`);
}
