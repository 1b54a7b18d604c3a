import type { RecordReader } from '@ottla/protocol';
import { Message } from '../consumer/delivery/message.ts';
import type { RecordRun } from '../consumer/delivery/record-run.ts';
import type { MessageOf } from '../consumer/subscription.ts';
import type { AcknowledgeType } from './acknowledgement-batches.ts';
import type { SharePartition } from './share-partition.ts';

/** The type of the messages of a source; of several topics, a union. */
export type ShareMessageOf<S> =
  MessageOf<S> extends Message<infer K, infer V> ? ShareMessage<K, V> : ShareMessage;

/** A record that was acquired for this consumer alone, until it is acknowledged or the lock times out. */
export class ShareMessage<K = unknown, V = unknown> extends Message<K, V> {
  /** 1 for the first delivery. */
  readonly deliveryCount: number;
  readonly #partition: SharePartition;
  readonly #onAcknowledged: () => void;

  // oxlint-disable-next-line max-params -- one object per record, on the hot path
  constructor(
    run: RecordRun,
    reader: RecordReader,
    place: { readonly offset: number; readonly timestamp: number; readonly deliveryCount: number },
    owner: { readonly partition: SharePartition; readonly onAcknowledged: () => void },
  ) {
    super(run, reader, place.offset, place.timestamp);
    this.deliveryCount = place.deliveryCount;
    this.#partition = owner.partition;
    this.#onAcknowledged = owner.onAcknowledged;
  }

  /** Whether it still is this consumer's to acknowledge. */
  get isAcquired(): boolean {
    return this.#partition.isAcquired(this.offset);
  }

  /** It was handled. @throws KafkaError INVALID_RECORD_STATE when it was acknowledged before */
  accept(): void {
    this.acknowledge('accept');
  }

  /** It was not handled: somebody gets it again. @throws KafkaError INVALID_RECORD_STATE */
  release(): void {
    this.acknowledge('release');
  }

  /** It cannot be handled by anybody: it is not delivered again. @throws KafkaError INVALID_RECORD_STATE */
  reject(): void {
    this.acknowledge('reject');
  }

  /** Takes more time: the lock begins anew (KIP-1222, Kafka 4.2), and another acknowledgement follows. @throws KafkaError INVALID_RECORD_STATE */
  renew(): void {
    this.acknowledge('renew');
  }

  /** Says what became of it; sent with the next fetch, a moment later, or by `commit`. @throws KafkaError INVALID_RECORD_STATE when it was acknowledged before */
  acknowledge(type: AcknowledgeType): void {
    this.#partition.acknowledge(this.offset, type);
    this.#onAcknowledged();
  }
}
