import { recordFromJson, type RecordToSend } from './record-json.ts';
import { UsageError } from '../cluster/run-on-cluster.ts';

/** What all records of a command have, and how its lines are read. */
export interface LineOptions {
  readonly key?: string;
  readonly keyDelimiter?: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly partition?: number;
  readonly timestampMs?: number;
  readonly nullOnEmpty: boolean;
  readonly isJson: boolean;
  /** Places records by their keys, though their JSON names partitions. */
  readonly repartition: boolean;
}

/** Makes a record of each line; among lines of JSON empty ones are none. @throws UsageError for a line that is no record */
export async function* recordsOfLines(
  lines: AsyncIterable<Buffer>,
  options: LineOptions,
): AsyncGenerator<RecordToSend> {
  for await (const line of lines) if (!options.isJson || line.length > 0) yield recordOfLine(line, options);
}

/** Makes a record of a line. @throws UsageError for a line that is none */
export function recordOfLine(line: Buffer, options: LineOptions): RecordToSend {
  const { key, value, headers, ...place } = options.isJson
    ? recordFromJson(line.toString())
    : { ...keyAndValue(line, options), headers: [] };
  const { partition, timestampMs } = options;
  return {
    key: options.key === undefined ? key : options.key,
    value,
    headers: [...headers, ...options.headers],
    ...(!options.repartition && place.partition !== undefined && { partition: place.partition }),
    ...(place.timestamp !== undefined && { timestamp: place.timestamp }),
    ...(partition !== undefined && { partition }),
    ...(timestampMs !== undefined && { timestamp: timestampMs }),
  };
}

type KeyAndValue = Pick<RecordToSend, 'key' | 'value'> & {
  readonly partition?: number;
  readonly timestamp?: number;
};

function keyAndValue(line: Buffer, { keyDelimiter, nullOnEmpty }: LineOptions): KeyAndValue {
  let key: Buffer | null = null;
  let value: Buffer | null = line;
  if (keyDelimiter !== undefined) {
    const at = line.indexOf(keyDelimiter);
    if (at < 0)
      throw new UsageError(`Line "${line.toString('utf8', 0, 60)}" has no key delimiter "${keyDelimiter}"`);
    key = line.subarray(0, at);
    value = line.subarray(at + Buffer.byteLength(keyDelimiter));
  }
  if (!nullOnEmpty) return { key, value };
  return { key: key?.length === 0 ? null : key, value: value.length === 0 ? null : value };
}
