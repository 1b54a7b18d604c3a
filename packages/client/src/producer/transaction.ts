import type { OffsetToCommit } from '../admin/group-offsets.ts';
import type { GroupMetadata } from '../consumer/offset-committer.ts';
import { KafkaError } from '../errors/kafka-error.ts';
import type { RecordMetadata } from './batch-outcome.ts';
import type { RecordInput, SendOptions, TopicToSend } from './record-input.ts';
import type { TransactionGate } from './transaction-gate.ts';

/** What a transaction needs of its producer. */
export interface TransactionHost {
  readonly gate: TransactionGate;
  readonly send: <K, V>(
    topic: TopicToSend<K, V>,
    record: RecordInput<K, V>,
    options?: SendOptions,
  ) => Promise<RecordMetadata>;
  readonly flush: () => Promise<void>;
  readonly dropUnsent: (error: KafkaError) => void;
}

/** Records and offsets that count all together or not at all. */
export class Transaction {
  readonly #host: TransactionHost;
  #isOpen = true;

  /** Use `producer.transaction()` or `producer.begin()`. */
  constructor(host: TransactionHost) {
    this.#host = host;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** See `Producer.send`; read_committed consumers see the record once the transaction is committed. */
  send<K, V>(
    topic: TopicToSend<K, V>,
    record: RecordInput<K, V>,
    options?: SendOptions,
  ): Promise<RecordMetadata> {
    try {
      this.#checkOpen();
      this.#host.gate.throwIfFailed();
    } catch (error) {
      return Promise.reject(error as Error);
    }
    return this.#host.send(topic, record, options);
  }

  /**
   * Makes the offsets that a consumer has come to part of the transaction; pass `consumer.groupMetadata`, so that a member that
   * lost its partitions is refused (KIP-447).
   */
  async sendOffsets(offsets: readonly OffsetToCommit[], group: GroupMetadata | string): Promise<void> {
    this.#checkOpen();
    if (offsets.length === 0) return;
    const metadata =
      typeof group === 'string'
        ? { groupId: group, generationId: -1, memberId: '', groupInstanceId: null }
        : group;
    await this.#host.gate.sendOffsets(offsets, metadata);
  }

  /** Waits for everything that was sent and commits. Rejects when any of it failed: then abort. */
  async commit(): Promise<void> {
    this.#checkOpen();
    await this.#host.flush();
    await this.#host.gate.end(true);
    this.#isOpen = false;
  }

  /** Gives everything up; records that were not sent yet fail. */
  async abort(): Promise<void> {
    this.#checkOpen();
    this.#isOpen = false;
    this.#host.dropUnsent(
      new KafkaError('TRANSACTION_ABORTABLE', 'The transaction was aborted', { retriable: false }),
    );
    await this.#host.flush();
    await this.#host.gate.end(false);
  }

  #checkOpen(): void {
    if (this.#isOpen) return;
    throw new KafkaError('INVALID_TXN_STATE', 'The transaction has ended: begin another one', {
      retriable: false,
    });
  }
}
