import type { Message } from '../consumer/delivery/message.ts';
import type { RebalanceListener } from '../consumer/consumer-options.ts';
import type { Consumer } from '../consumer/consumer.ts';
import type { Producer } from '../producer/producer.ts';
import type { RecordInput } from '../producer/record-input.ts';

/** A record for another topic, as bytes. */
export interface OutgoingRecord {
  readonly topic: string;
  readonly record: RecordInput<Buffer | null, Buffer | null>;
}

/** How one stage's records are finished: nothing is committed before what follows from it is stored. */
export interface HandOver {
  /** What its consumer has to be made with, over what the application wants. */
  readonly commit: 'auto' | 'manual';
  readonly listener: RebalanceListener;
  /** The consumer is there, and begins. */
  start(consumer: Consumer): void;
  /** The handler is about to get the record. */
  begin(message: Message): void;
  /** The record needs nothing more. */
  done(message: Message): void;
  /** Stores the record that follows from a failed one, which is then done. Rejects when it is not stored. */
  give(message: Message, next: OutgoingRecord): Promise<void>;
  /** No more timers. */
  stop(): void;
}

/**
 * At least once: the next record is acknowledged by all replicas, and only then does the consumer, which commits by itself, count the
 * failed one as handled. A crash in between brings the failed one again.
 */
export class AcknowledgedHandOver implements HandOver {
  readonly commit = 'auto';
  readonly listener: RebalanceListener = {};
  readonly #producer: Producer;

  constructor(producer: Producer) {
    this.#producer = producer;
  }

  start(): void {}

  begin(): void {}

  done(): void {}

  async give(_message: Message, { topic, record }: OutgoingRecord): Promise<void> {
    await this.#producer.send(topic, record);
  }

  stop(): void {}
}
