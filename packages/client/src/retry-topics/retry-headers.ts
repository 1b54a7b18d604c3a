import type { RecordHeader } from '@ottla/protocol';
import type { Message } from '../consumer/delivery/message.ts';
import { int32Bytes, int64Bytes } from '../serde/integer-bytes.ts';

/** The names and forms of Spring for Apache Kafka, so that its applications and ours read each other's retry topics. */
export const RetryHeaders = {
  /** int32: which attempt the next one is. */
  attempts: 'retry_topic-attempts',
  /** The shortest two's complement: milliseconds since the epoch before which it is not handled. */
  backOffTimestamp: 'retry_topic-backoff-timestamp',
  /** The shortest two's complement: when the record was first produced. */
  originalTimestamp: 'retry_topic-original-timestamp',
  topic: 'kafka_original-topic',
  partition: 'kafka_original-partition',
  offset: 'kafka_original-offset',
  timestamp: 'kafka_original-timestamp',
  timestampType: 'kafka_original-timestamp-type',
  /** Spring's name of it has the prefix of dead letters also here. */
  consumerGroup: 'kafka_dlt-original-consumer-group',
  exceptionName: 'kafka_exception-fqcn',
  exceptionCauseName: 'kafka_exception-cause-fqcn',
  exceptionMessage: 'kafka_exception-message',
  exceptionStack: 'kafka_exception-stacktrace',
} as const;

/** Where a record was before its first failure. */
export interface RecordOrigin {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
}

/** How the last attempt at a record ended. */
export interface RecordFailure {
  /** The name of the error: of ours as `TypeError`, of Java's as `java.lang.IllegalStateException`. */
  readonly name: string;
  readonly message: string;
  readonly stack: string | null;
}

type Headers = readonly RecordHeader[];

/** Spring counts attempts up to this. */
const MAX_ATTEMPTS = 32_767;

/** What the headers of a record say of its attempts, read when it is asked for. What is malformed counts as absent. */
export class RetryInfo {
  readonly #message: Message;
  #headers: Headers | null = null;

  constructor(message: Message) {
    this.#message = message;
  }

  /** 1 for the first time that the record is handled. */
  get attempt(): number {
    const value = this.#last(RetryHeaders.attempts);
    // Spring once wrote a single byte.
    const attempt = value?.length === 4 ? value.readInt32BE() : value?.length === 1 ? value.readUInt8() : 1;
    return attempt >= 1 && attempt <= MAX_ATTEMPTS ? attempt : 1;
  }

  /** Where it came from; of a record that has not failed yet its own place. */
  get origin(): RecordOrigin {
    const { topic, partition, offset, timestamp } = this.#message;
    return {
      topic: this.#text(RetryHeaders.topic) ?? topic,
      partition: this.#number(RetryHeaders.partition) ?? partition,
      offset: this.#number(RetryHeaders.offset) ?? offset,
      timestamp: this.#number(RetryHeaders.originalTimestamp) ?? timestamp,
    };
  }

  /** Milliseconds since the epoch before which it is not handled; null when it does not wait. */
  get notBeforeMs(): number | null {
    return this.#number(RetryHeaders.backOffTimestamp);
  }

  /** How the last attempt ended; null when there was none. */
  get failure(): RecordFailure | null {
    const name = this.#text(RetryHeaders.exceptionName);
    if (name === null) return null;
    const message = this.#text(RetryHeaders.exceptionMessage) ?? '';
    return { name, message, stack: this.#text(RetryHeaders.exceptionStack) };
  }

  #text(name: string): string | null {
    return this.#last(name)?.toString() ?? null;
  }

  /** A number in two's complement, of 1 to 8 bytes. */
  #number(name: string): number | null {
    const value = this.#last(name);
    if (value === null || value.length === 0 || value.length > 8) return null;
    return Number(BigInt.asIntN(value.length * 8, BigInt(`0x${value.toString('hex')}`)));
  }

  #last(name: string): Buffer | null {
    this.#headers ??= this.#message.headers;
    return this.#headers.findLast(({ key }) => key === name)?.value ?? null;
  }
}

/** The headers of the record's next life: its own, those that say where it came from when they are missing, and those of this failure. */
export function headersAfterFailure(
  message: Message,
  failure: {
    readonly error: unknown;
    readonly attempt: number;
    readonly group: string;
    readonly notBeforeMs: number;
  },
): [name: string, value: Buffer | null][] {
  const { error, attempt, group, notBeforeMs } = failure;
  const own = message.headers;
  const has = (name: string): boolean => own.some(({ key }) => key === name);
  const origin: [string, Buffer][] = [
    [RetryHeaders.topic, Buffer.from(message.topic)],
    [RetryHeaders.partition, int32Bytes(message.partition)],
    [RetryHeaders.offset, int64Bytes(message.offset)],
    [RetryHeaders.timestamp, int64Bytes(message.timestamp)],
    [RetryHeaders.timestampType, Buffer.from(message.timestampType)],
    [RetryHeaders.consumerGroup, Buffer.from(group)],
    [RetryHeaders.originalTimestamp, shortestInteger(message.timestamp)],
  ];
  const fresh: [string, Buffer][] = [
    ...exceptionHeaders(error),
    [RetryHeaders.attempts, int32Bytes(Math.min(attempt + 1, MAX_ATTEMPTS))],
    [RetryHeaders.backOffTimestamp, shortestInteger(notBeforeMs)],
  ];
  const replaced = new Set<string>([
    ...fresh.map(([name]) => name),
    RetryHeaders.exceptionCauseName,
    RetryHeaders.exceptionMessage,
  ]);
  return [
    ...own
      .filter(({ key }) => !replaced.has(key))
      .map(({ key, value }): [string, Buffer | null] => [key, value]),
    ...origin.filter(([name]) => !has(name)),
    ...fresh,
  ];
}

function exceptionHeaders(error: unknown): [string, Buffer][] {
  const reason = error instanceof Error ? error : new Error(String(error));
  const root = rootCauseOf(reason);
  const message =
    root === reason ? reason.message : [reason.message, root.message].filter(Boolean).join('; ');
  return [
    [RetryHeaders.exceptionName, Buffer.from(reason.name)],
    [RetryHeaders.exceptionCauseName, Buffer.from(root.name)],
    [RetryHeaders.exceptionMessage, Buffer.from(message)],
    [RetryHeaders.exceptionStack, Buffer.from(reason.stack ?? reason.name)],
  ];
}

function rootCauseOf(error: Error): Error {
  const seen = new Set<Error>();
  let root = error;
  while (root.cause instanceof Error && !seen.has(root.cause)) {
    seen.add(root);
    root = root.cause;
  }
  return root;
}

/** As Java's `BigInteger.toByteArray`: no more bytes than the number and its sign need. */
function shortestInteger(value: number): Buffer {
  const bytes = int64Bytes(value);
  let start = 0;
  while (start < 7 && isSignOnly(bytes[start]!, bytes[start + 1]!)) start += 1;
  return bytes.subarray(start);
}

/** Whether a byte says nothing that the sign of the next one does not. */
function isSignOnly(byte: number, next: number): boolean {
  return next < 0x80 ? byte === 0x00 : byte === 0xff;
}
