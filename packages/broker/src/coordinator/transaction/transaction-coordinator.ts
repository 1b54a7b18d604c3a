import type { Clock, Logger } from '@ottla/platform';
import { ErrorCodes } from '@ottla/protocol';
import type { MetadataDelta, MetadataImage, MetadataListener, MetadataStore } from '../../metadata/image.ts';
import type { TopicPartition } from '../../replica/append.ts';
import type { ProducerIdSource } from '../../replica/producer-id-source.ts';
import type { CoordinatorLogAccess } from '../../replica/replica-manager.ts';
import { CoordinatorError, errorCodeOf } from '../runtime/coordinator-error.ts';
import { coordinatorPartition } from '../runtime/coordinator-partition.ts';
import { CoordinatorRuntime } from '../runtime/coordinator-runtime.ts';
import { Leadership } from '../runtime/leadership.ts';
import { verifyPartitions } from './add-partitions.ts';
import { MarkerPump } from './marker-pump.ts';
import type { MarkerWriter } from './marker-writer.ts';
import type { TransactionConfig } from './transaction-config.ts';
import { requireTimeout, TransactionMachine } from './transaction-machine.ts';
import { listTransactions, type ListedTransaction, type TransactionFilters } from './transaction-queries.ts';
import { transactionRecordSerde } from './transaction-records.ts';
import type { TransactionMetadata } from './transaction-state.ts';
import type {
  AddPartitionsCommand,
  EndCommand,
  InitCommand,
  ProducerIdentity,
  TransactionTypes,
} from './transaction-types.ts';
import { TRANSACTION_STATE_TOPIC } from '../../controller/topic-names.ts';

/** What the transaction coordinator needs of the broker. */
export interface TransactionCoordinatorDeps {
  readonly nodeId: number;
  readonly config: TransactionConfig;
  readonly log: CoordinatorLogAccess;
  readonly markers: MarkerWriter;
  readonly producerIds: ProducerIdSource;
  readonly metadata: MetadataStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** End of the event loop's turn; `setImmediate` when absent. Simulations put their own scheduler here. */
  readonly defer?: (callback: () => void) => void;
}

/** Largest batch that is written to `__transaction_state`: Kafka's default `max.message.bytes`, without the batch header. */
const MAX_BATCH_BYTES = 1_048_588 - 61;

/**
 * The transactional ids of this broker, as the handlers see them: requests in, replies out, refusals as
 * `CoordinatorError`. Behind it, `TransactionMachine` decides, `CoordinatorRuntime` keeps, `MarkerPump` carries out.
 */
export class TransactionCoordinator implements MetadataListener {
  readonly #deps: TransactionCoordinatorDeps;
  readonly #runtime: CoordinatorRuntime<TransactionTypes, TransactionMachine>;
  readonly #pump: MarkerPump;
  readonly #leadership: Leadership<TransactionTypes, TransactionMachine>;
  #isClosed = false;

  constructor(deps: TransactionCoordinatorDeps) {
    const { config, log, clock, logger, metadata } = deps;
    const serverVersion = (): number => metadata.current().features.get('transaction.version') ?? 0;
    this.#deps = deps;
    this.#runtime = new CoordinatorRuntime(
      {
        topic: TRANSACTION_STATE_TOPIC,
        serde: transactionRecordSerde(serverVersion),
        createMachine: () => new TransactionMachine({ config, serverVersion }),
      },
      {
        log,
        clock,
        settings: {
          writeTimeoutMs: config.writeTimeoutMs,
          lingerMs: 0,
          maxBatchBytes: MAX_BATCH_BYTES,
          defer: deps.defer ?? ((callback) => void setImmediate(callback)),
        },
        onProblem: (message, cause) => logger.error({ err: cause }, message),
      },
    );
    this.#pump = new MarkerPump({
      runtime: this.#runtime,
      writer: deps.markers,
      clock,
      logger,
      coordinatorEpoch: (partition) => this.#leaderEpoch(partition),
      exists: ({ topic, partition }) =>
        metadata.current().topics.byName.get(topic)?.partitions[partition] !== undefined,
    });
    this.#leadership = new Leadership({
      topic: TRANSACTION_STATE_TOPIC,
      nodeId: deps.nodeId,
      runtime: this.#runtime,
      onLed: (partition) => this.#pump.start(partition),
    });
  }

  /** Takes up the partitions that the image gives to this broker. Call once, after the replica manager has started. */
  start(image: MetadataImage): void {
    this.#leadership.start(image);
  }

  /** Follows leadership of `__transaction_state`. */
  onMetadataChange(delta: MetadataDelta, image: MetadataImage): void {
    this.#leadership.onMetadataChange(delta, image);
  }

  /** The partition of `__transaction_state` that a transactional id belongs to. */
  partitionFor(transactionalId: string): number {
    const topic = this.#deps.metadata.current().topics.byName.get(TRANSACTION_STATE_TOPIC);
    return coordinatorPartition(
      transactionalId,
      topic?.partitions.length ?? this.#deps.config.topicPartitions,
    );
  }

  /** InitProducerId: the identity that the producer has from now on. */
  async initProducerId(command: Omit<InitCommand, 'type' | 'newProducerId'>): Promise<ProducerIdentity> {
    requireTransactionalId(command.transactionalId);
    requireTimeout(command.timeoutMs, this.#deps.config);
    return this.#withProducerId((newProducerId) =>
      this.#submit({ type: 'init-producer-id', ...command, newProducerId }),
    );
  }

  /** AddPartitionsToTxn and AddOffsetsToTxn. */
  async addPartitions(command: Omit<AddPartitionsCommand, 'type'>): Promise<void> {
    requireTransactionalId(command.transactionalId);
    await this.#submit({ type: 'add-partitions', ...command });
  }

  /**
   * The same on behalf of a produce request or an offset commit (KIP-890): waits a little for the end of the
   * transaction before, so that its producer need not ask again. `onAttempt` is called before each attempt: what is
   * known of the partitions' logs has to be known anew, since the markers of the transaction before may have come.
   */
  async addPartitionsWhenFree(
    command: Omit<AddPartitionsCommand, 'type'>,
    onAttempt: () => void,
  ): Promise<void> {
    const { clock, config } = this.#deps;
    const deadlineMs = clock.monotonicMs() + config.addRetryBackoffMaxMs;
    this.#requireLed(command.transactionalId);
    for (;;) {
      onAttempt();
      try {
        await this.addPartitions(command);
        return;
      } catch (failure) {
        const leftMs = deadlineMs - clock.monotonicMs();
        if (errorCodeOf(failure) !== ErrorCodes.CONCURRENT_TRANSACTIONS || leftMs <= 0) throw failure;
        await this.#pump.completion(command.transactionalId, Math.min(leftMs, config.addRetryBackoffMs));
      }
    }
  }

  /** The error code of each partition that a producer claims to have added (KIP-890). */
  verifyPartitions(
    claim: ProducerIdentity & {
      readonly transactionalId: string;
      readonly partitions: readonly TopicPartition[];
    },
  ): number[] {
    requireTransactionalId(claim.transactionalId);
    this.#requireOpen();
    this.#requireLed(claim.transactionalId);
    return this.#runtime.read(this.partitionFor(claim.transactionalId), ({ store }) =>
      verifyPartitions(store, claim),
    );
  }

  /** EndTxn; answered when the decision is durable. The identity is the one for the next transaction. */
  async endTransaction(command: Omit<EndCommand, 'type' | 'newProducerId'>): Promise<ProducerIdentity> {
    requireTransactionalId(command.transactionalId);
    return this.#withProducerId((newProducerId) =>
      this.#submit({ type: 'end-transaction', ...command, newProducerId }),
    );
  }

  /** DescribeTransactions for one id. @throws CoordinatorError TRANSACTIONAL_ID_NOT_FOUND and others */
  describe(transactionalId: string): TransactionMetadata {
    this.#requireOpen();
    requireTransactionalId(transactionalId);
    const metadata = this.#runtime.read(this.partitionFor(transactionalId), ({ store }) =>
      store.get(transactionalId),
    );
    if (metadata === undefined) throw new CoordinatorError(ErrorCodes.TRANSACTIONAL_ID_NOT_FOUND);
    return metadata;
  }

  /** ListTransactions over all partitions led here. @throws CoordinatorError COORDINATOR_LOAD_IN_PROGRESS */
  list(filters: TransactionFilters): ListedTransaction[] {
    this.#requireOpen();
    const nowMs = this.#deps.clock.nowMs();
    const listed: ListedTransaction[] = [];
    for (const partition of this.#runtime.partitions()) {
      try {
        const found = this.#runtime.read(partition, ({ store }) => listTransactions(store, filters, nowMs));
        for (const each of found) listed.push(each);
      } catch (failure) {
        // A partition that has just moved away has its transactions listed elsewhere.
        if (errorCodeOf(failure) !== ErrorCodes.NOT_COORDINATOR) throw failure;
      }
    }
    return listed;
  }

  /** Finishes what is being written and refuses the rest. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#pump.close();
    await this.#runtime.close();
  }

  async #withProducerId(
    submit: (newProducerId: number | null) => Promise<ProducerIdentity | 'needs-producer-id'>,
  ): Promise<ProducerIdentity> {
    const reply = await submit(null);
    if (reply !== 'needs-producer-id') return reply;
    const newProducerId = await this.#deps.producerIds.next();
    if (newProducerId === null) throw new CoordinatorError(ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS);
    const second = await submit(newProducerId);
    if (second === 'needs-producer-id') throw new CoordinatorError(ErrorCodes.UNKNOWN_SERVER_ERROR);
    return second;
  }

  async #submit<C extends InitCommand | AddPartitionsCommand | EndCommand>(
    command: C,
  ): Promise<TransactionTypes['replies'][C['type']]> {
    this.#requireOpen();
    return this.#runtime.submit(this.partitionFor(command.transactionalId), command) as Promise<
      TransactionTypes['replies'][C['type']]
    >;
  }

  #leaderEpoch(partition: number): number | null {
    const topic = this.#deps.metadata.current().topics.byName.get(TRANSACTION_STATE_TOPIC);
    const image = topic?.partitions[partition];
    return image === undefined || image.leader !== this.#deps.nodeId ? null : image.leaderEpoch;
  }

  /** Whoever asks for another broker's client does not know that this one coordinates nothing yet. */
  #requireLed(transactionalId: string): void {
    if (this.#leaderEpoch(this.partitionFor(transactionalId)) === null)
      throw new CoordinatorError(ErrorCodes.COORDINATOR_NOT_AVAILABLE);
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new CoordinatorError(ErrorCodes.COORDINATOR_NOT_AVAILABLE);
  }
}

function requireTransactionalId(transactionalId: string): void {
  if (transactionalId === '') throw new CoordinatorError(ErrorCodes.INVALID_REQUEST);
}
