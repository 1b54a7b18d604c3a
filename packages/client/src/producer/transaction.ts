import type { CommitOffset } from '../admin/commit-offset.ts';
import type { GroupMetadata } from '../consumer/offset-committer.ts';
import { KafkaError } from '../errors/kafka-error.ts';
import type { RecordMetadata } from './batch-outcome.ts';
import type { RecordInput, SendOptions, TopicToSend } from './record-input.ts';
import type { TransactionGate } from './transaction-gate.ts';

/** What a transaction needs of its producer. */
export interface TransactionHost {
  readonly gate: TransactionGate;
  readonly generation: number;
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
  #isEnding = false;

  /** Use `producer.transaction()` or `producer.begin()`. */
  constructor(host: TransactionHost) {
    this.#host = host;
  }

  /** Whether it takes records: until `commit` or `abort` is called. */
  get isOpen(): boolean {
    return !this.#isEnding && this.#host.gate.isCurrent(this.#host.generation);
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
  async sendOffsets(offsets: readonly CommitOffset[], group: GroupMetadata | string): Promise<void> {
    this.#checkOpen();
    if (offsets.length === 0) return;
    const metadata =
      typeof group === 'string'
        ? { groupId: group, generationId: -1, memberId: '', groupInstanceId: null }
        : group;
    await this.#host.gate.sendOffsets(offsets, metadata);
  }

  /**
   * Waits for everything that was sent and commits. Rejects when any of it failed: then abort. Rejects with TimeoutError when the coordinator
   * does not answer: then it may be committed, and `commit` may be called again.
   */
  async commit(): Promise<void> {
    this.#checkCurrent();
    this.#isEnding = true;
    await this.#host.flush();
    await this.#host.gate.end(true);
  }

  /** Gives everything up; records that were not sent yet fail. May be called again when the coordinator did not answer. */
  async abort(): Promise<void> {
    this.#checkCurrent();
    this.#isEnding = true;
    this.#host.dropUnsent(
      new KafkaError('TRANSACTION_ABORTABLE', 'The transaction was aborted', { retriable: false }),
    );
    await this.#host.flush();
    await this.#host.gate.end(false);
  }

  #checkOpen(): void {
    this.#checkCurrent();
    if (!this.#isEnding) return;
    throw new KafkaError('INVALID_TXN_STATE', 'The transaction is being ended: nothing can be added to it', {
      retriable: false,
    });
  }

  #checkCurrent(): void {
    if (this.#host.gate.isCurrent(this.#host.generation)) return;
    throw new KafkaError('INVALID_TXN_STATE', 'The transaction has ended: begin another one', {
      retriable: false,
    });
  }
}
