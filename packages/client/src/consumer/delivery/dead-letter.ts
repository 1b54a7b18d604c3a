import { OptionError } from '../../errors/client-errors.ts';
import { int32Bytes, int64Bytes } from '../../serde/integer-bytes.ts';
import type { ErrorPolicy } from './error-policy.ts';
import type { Message } from './message.ts';

/** A record as it goes to a dead-letter topic: key, value and headers as they came, and headers that say where from and why. */
export interface DeadLetterRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [name: string, value: Buffer | string | null])[];
}

/** Sends to a dead-letter topic; resolves when the record is stored. */
export type SendDeadLetter = (topic: string, record: DeadLetterRecord) => Promise<unknown>;

/** What takes the records that a handler keeps failing at; undefined when nothing does. @throws OptionError */
export function deadLetterHandler(
  { deadLetter }: ErrorPolicy,
  send: SendDeadLetter | undefined,
): ((message: Message, error: unknown) => unknown) | undefined {
  if (deadLetter === undefined) return undefined;
  if (typeof deadLetter === 'function')
    return deadLetter as (message: Message, error: unknown) => void | Promise<void>;
  const name = typeof deadLetter === 'string' ? deadLetter : deadLetter.name;
  if (send === undefined)
    throw new OptionError('deadLetter names a topic, which needs a consumer made by ottla.consumer()');
  return (message, error) => send(name, deadLetterRecord(message, error));
}

/** The names of the headers are those of Spring for Apache Kafka, so that its tools and habits fit. */
export function deadLetterRecord(message: Message, error: unknown): DeadLetterRecord {
  const { topic, partition, offset, timestamp, keyBytes, valueBytes } = message;
  const reason = error instanceof Error ? error : new Error(String(error));
  return {
    key: keyBytes,
    value: valueBytes,
    headers: [
      ...message.headers.map(({ key, value }) => [key, value] as const),
      ['kafka_dlt-original-topic', topic],
      ['kafka_dlt-original-partition', int32Bytes(partition)],
      ['kafka_dlt-original-offset', int64Bytes(offset)],
      ['kafka_dlt-original-timestamp', int64Bytes(timestamp)],
      ['kafka_dlt-exception-fqcn', reason.name],
      ['kafka_dlt-exception-message', reason.message],
    ],
  };
}
