import type { Topic } from '../topic.ts';
import type { HeaderPair, RecordBytes } from './record-bytes.ts';

/** Header values are bytes or text; null is a header without a value. A list of pairs keeps order and repeated names. */
export type HeadersInput =
  | Readonly<Record<string, RecordBytes>>
  | readonly (readonly [name: string, value: RecordBytes])[];

/** A record to send. */
export interface RecordInput<K = unknown, V = unknown> {
  readonly key?: K;
  readonly value: V;
  readonly headers?: HeadersInput;
  /** Default: by the key's hash, or where there is room. */
  readonly partition?: number;
  /** Milliseconds since the epoch. Default: now. */
  readonly timestamp?: number;
}

/** How one call of `send` works. */
export interface SendOptions {
  /** Rejects the promise with its reason while the record waits for room or metadata; afterwards the record is on its way. */
  readonly signal?: AbortSignal | undefined;
}

/** The topic to send to: declared, or a name for records of text and bytes. */
export type TopicToSend<K, V> = Topic<K, V> | string;

/** Headers as pairs, in order. */
export function headerPairs(headers: HeadersInput): readonly HeaderPair[] {
  return Array.isArray(headers)
    ? (headers as readonly HeaderPair[])
    : Object.entries(headers as Readonly<Record<string, RecordBytes>>);
}
