import type { TimestampType } from '@ottla/protocol';
import type { Serde, SerdeContext } from '../../serde/serde.ts';

/** How keys and values of a topic are read. */
export interface TopicSerdes {
  readonly key: Serde<unknown>;
  readonly value: Serde<unknown>;
}

/** What the records of one batch have in common; a message keeps it, and with it the batch's bytes. */
export class RecordRun {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Buffer;
  readonly serdes: TopicSerdes;
  readonly leaderEpoch: number;
  readonly timestampType: TimestampType;
  readonly keyContext: SerdeContext;
  readonly valueContext: SerdeContext;

  constructor(
    topic: string,
    partition: number,
    batch: {
      readonly bytes: Buffer;
      readonly serdes: TopicSerdes;
      readonly leaderEpoch: number;
      readonly timestampType: TimestampType;
    },
  ) {
    this.topic = topic;
    this.partition = partition;
    this.bytes = batch.bytes;
    this.serdes = batch.serdes;
    this.leaderEpoch = batch.leaderEpoch;
    this.timestampType = batch.timestampType;
    this.keyContext = { topic, part: 'key' };
    this.valueContext = { topic, part: 'value' };
  }
}
