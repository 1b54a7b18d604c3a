import type { RecordHeader, RecordReader, TimestampType } from '@ottla/protocol';
import { readRecordHeaders } from '@ottla/protocol';
import type { RecordRun } from './record-run.ts';

/** Where the parts of a record are in the bytes of its batch. */
type RecordBounds = Pick<
  RecordReader,
  'keyStart' | 'keyLength' | 'valueStart' | 'valueLength' | 'headerCount' | 'headersStart' | 'recordEnd'
>;

/** Not decoded yet: no value of a serde can be it. */
const UNREAD = Symbol('unread');

/**
 * A record as the application gets it. Key, value and headers are decoded when they are looked at, from the bytes of the received
 * response, which stay in memory as long as a message of them does.
 */
export class Message<K = unknown, V = unknown> {
  readonly offset: number;
  /** Milliseconds since the epoch: of its creation, or of its append where the topic says so. */
  readonly timestamp: number;
  readonly #run: RecordRun;
  readonly #keyStart: number;
  readonly #keyLength: number;
  readonly #valueStart: number;
  readonly #valueLength: number;
  readonly #headerCount: number;
  readonly #headersStart: number;
  readonly #end: number;
  #key: unknown = UNREAD;
  #value: unknown = UNREAD;

  /** Takes the record that the reader stands at. */
  // oxlint-disable-next-line max-params -- one object per record, on the hot path
  constructor(run: RecordRun, reader: RecordBounds, offset: number, timestamp: number) {
    this.offset = offset;
    this.timestamp = timestamp;
    this.#run = run;
    this.#keyStart = reader.keyStart;
    this.#keyLength = reader.keyLength;
    this.#valueStart = reader.valueStart;
    this.#valueLength = reader.valueLength;
    this.#headerCount = reader.headerCount;
    this.#headersStart = reader.headersStart;
    this.#end = reader.recordEnd;
  }

  get topic(): string {
    return this.#run.topic;
  }

  get partition(): number {
    return this.#run.partition;
  }

  /** Epoch of the leader that appended it; -1 when unknown. */
  get leaderEpoch(): number {
    return this.#run.leaderEpoch;
  }

  get timestampType(): TimestampType {
    return this.#run.timestampType;
  }

  /** @throws SerdeError when the bytes are not what the topic declares */
  get key(): K {
    if (this.#key === UNREAD)
      this.#key = this.#run.serdes.key.deserialize(this.keyBytes, this.#run.keyContext);
    return this.#key as K;
  }

  /** @throws SerdeError when the bytes are not what the topic declares */
  get value(): V {
    if (this.#value === UNREAD)
      this.#value = this.#run.serdes.value.deserialize(this.valueBytes, this.#run.valueContext);
    return this.#value as V;
  }

  /** The key as it came, a view of the response; null when there is none. */
  get keyBytes(): Buffer | null {
    return this.#keyLength < 0
      ? null
      : this.#run.bytes.subarray(this.#keyStart, this.#keyStart + this.#keyLength);
  }

  /** The value as it came, a view of the response; null for a tombstone. */
  get valueBytes(): Buffer | null {
    return this.#valueLength < 0
      ? null
      : this.#run.bytes.subarray(this.#valueStart, this.#valueStart + this.#valueLength);
  }

  /** All headers in order; a name may come more than once. @throws ProtocolError when they are malformed */
  get headers(): readonly RecordHeader[] {
    return readRecordHeaders(this.#run.bytes, this.#headersStart, {
      count: this.#headerCount,
      end: this.#end,
    });
  }

  /** The text of the last header with this name; null when there is none, or it has no value. */
  header(name: string): string | null {
    if (this.#headerCount === 0) return null;
    return this.headers.findLast(({ key }) => key === name)?.value?.toString() ?? null;
  }

  /** The same record with another key or value, for interceptors: what is read of it in bytes stays. */
  with<K2 = K, V2 = V>(changes: { readonly key?: K2; readonly value?: V2 }): Message<K2, V2> {
    const bounds: RecordBounds = {
      keyStart: this.#keyStart,
      keyLength: this.#keyLength,
      valueStart: this.#valueStart,
      valueLength: this.#valueLength,
      headerCount: this.#headerCount,
      headersStart: this.#headersStart,
      recordEnd: this.#end,
    };
    const copy = new Message<K2, V2>(this.#run, bounds, this.offset, this.timestamp);
    copy.#key = 'key' in changes ? changes.key : this.#key;
    copy.#value = 'value' in changes ? changes.value : this.#value;
    return copy;
  }

  /** For logs and JSON: everything, decoded. */
  toJSON(): object {
    const { topic, partition, offset, timestamp, key, value } = this;
    const headers = this.headers.map((header) => ({
      key: header.key,
      value: header.value?.toString() ?? null,
    }));
    return { topic, partition, offset, timestamp, key, value, headers };
  }
}
