import type { Message } from '../consumer/delivery/message.ts';
import type { Batch, IHeaders, KafkaMessage } from './consumer-types.ts';

/** The client's message in kafkajs's form. */
export function kafkaMessage(message: Message): KafkaMessage {
  return {
    key: message.keyBytes,
    value: message.valueBytes,
    timestamp: String(message.timestamp),
    attributes: 0,
    offset: String(message.offset),
    headers: headersOf(message),
  };
}

/** Headers as an object; a name that occurs more than once has a list. */
function headersOf(message: Message): IHeaders {
  const headers: IHeaders = {};
  for (const { key, value } of message.headers) {
    const bytes = value ?? Buffer.alloc(0);
    const known = headers[key];
    if (known === undefined) headers[key] = bytes;
    else if (Array.isArray(known)) known.push(bytes);
    else headers[key] = [known, bytes];
  }
  return headers;
}

/** A batch over messages of one partition. */
export function kafkaBatch(messages: readonly Message[], highWatermark: number): Batch {
  const [first] = messages as readonly [Message, ...Message[]];
  const last = messages.at(-1)!;
  const lag = (offset: number): string => String(Math.max(0, highWatermark - 1 - offset));
  return {
    topic: first.topic,
    partition: first.partition,
    highWatermark: String(highWatermark),
    messages: messages.map(kafkaMessage),
    isEmpty: () => false,
    firstOffset: () => String(first.offset),
    lastOffset: () => String(last.offset),
    offsetLag: () => lag(last.offset),
    offsetLagLow: () => lag(first.offset),
  };
}
