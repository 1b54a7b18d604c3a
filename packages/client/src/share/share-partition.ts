import type { TopicPartition } from '../admin/admin-requests.ts';
import { KafkaError } from '../errors/kafka-error.ts';
import { ACKNOWLEDGE_TYPES, type AcknowledgeType } from './acknowledgement-batches.ts';

/** One partition of a share consumer: which records are ours, and what is to be said of them. */
export class SharePartition implements TopicPartition {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly id: string;
  /** Handed out, or waiting to be, and not acknowledged. */
  readonly #acquired = new Set<number>();
  /** Types by offset, to be sent. */
  #pending = new Map<number, number>();
  #renewals = new Map<number, number>();
  /** The node that gave us the records: another leader knows nothing of them. */
  nodeId = -1;
  isGone = false;
  /** No fetch before this monotonic time, after an error. */
  retryAtMs = 0;

  constructor(place: TopicPartition & { readonly topicId: string }) {
    this.topic = place.topic;
    this.topicId = place.topicId;
    this.partition = place.partition;
    this.id = `${place.topic}-${place.partition}`;
  }

  get hasPending(): boolean {
    return this.#pending.size > 0;
  }

  get hasRenewals(): boolean {
    return this.#renewals.size > 0;
  }

  isAcquired(offset: number): boolean {
    return this.#acquired.has(offset);
  }

  acquire(offset: number): void {
    this.#acquired.add(offset);
  }

  /** An acquired offset has no record. */
  gap(offset: number): void {
    this.#pending.set(offset, ACKNOWLEDGE_TYPES.gap);
  }

  /** @throws KafkaError INVALID_RECORD_STATE when the record is not ours any more */
  acknowledge(offset: number, type: AcknowledgeType): void {
    if (!this.#acquired.has(offset))
      throw new KafkaError(
        'INVALID_RECORD_STATE',
        `Record ${this.id} at offset ${offset} cannot be acknowledged: it was before, or is no longer this consumer's`,
      );
    if (type === 'renew') {
      this.#renewals.set(offset, ACKNOWLEDGE_TYPES.renew);
      return;
    }
    this.#acquired.delete(offset);
    this.#renewals.delete(offset);
    this.#pending.set(offset, ACKNOWLEDGE_TYPES[type]);
  }

  /** What is to be sent now. */
  takePending(): ReadonlyMap<number, number> {
    const pending = this.#pending;
    this.#pending = new Map();
    return pending;
  }

  takeRenewals(): ReadonlyMap<number, number> {
    const renewals = this.#renewals;
    this.#renewals = new Map();
    return renewals;
  }
}
