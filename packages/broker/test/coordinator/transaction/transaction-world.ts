import { SILENT_LOGGER, SimClock, SimDisk, type SeededRandom } from '@ottla/platform';
import { ZERO_UUID } from '@ottla/protocol';
import { GroupCoordinator } from '../../../src/coordinator/group/group-coordinator.ts';
import { DEFAULT_GROUP_COORDINATOR_CONFIG } from '../../../src/coordinator/group/group-coordinator-config.ts';
import { MarkerWriter } from '../../../src/coordinator/transaction/marker-writer.ts';
import { DEFAULT_TRANSACTION_CONFIG } from '../../../src/coordinator/transaction/transaction-config.ts';
import { TransactionCoordinator } from '../../../src/coordinator/transaction/transaction-coordinator.ts';
import { addOffsetsToTxnHandler } from '../../../src/handlers/add-offsets-to-txn.ts';
import { addPartitionsToTxnHandler } from '../../../src/handlers/add-partitions-to-txn.ts';
import { endTxnHandler } from '../../../src/handlers/end-txn.ts';
import type { AnyApiHandler } from '../../../src/handlers/handler.ts';
import { initProducerIdHandler } from '../../../src/handlers/init-producer-id.ts';
import { RateQuota } from '../../../src/quota/rate-quota.ts';
import { produceHandler } from '../../../src/handlers/produce.ts';
import { TransactionVerification } from '../../../src/handlers/transaction-verification.ts';
import { txnOffsetCommitHandler } from '../../../src/handlers/txn-offset-commit.ts';
import type { MetadataImage, MetadataStore, TopicImage } from '../../../src/metadata/image.ts';
import { ProducerIdSource } from '../../../src/replica/producer-id-source.ts';
import type { ReplicaManager } from '../../../src/replica/replica-manager.ts';
import { fixedImage } from '../group/fixed-metadata.ts';
import { FailingAppends, openReplicas, turns } from '../simulated-replicas.ts';
import { GROUP_METADATA_TOPIC, TRANSACTION_STATE_TOPIC } from '../../../src/controller/topic-names.ts';

/** The topic that transactions write to, with two partitions. */
export const DATA_TOPIC = 'data';
export const DATA_TOPIC_ID = 'dDdDdDdDdDdDdDdDdDdDdA';

const TRANSACTION_TIMEOUT_CHECK_MS = 100;

const CONFIG = {
  ...DEFAULT_TRANSACTION_CONFIG,
  topicPartitions: 2,
  abortTimedOutIntervalMs: TRANSACTION_TIMEOUT_CHECK_MS,
};

/** The parts of a broker that transactions run through, between a power cut and the next. */
interface Incarnation {
  readonly clock: SimClock;
  readonly replicas: ReplicaManager;
  readonly transactions: TransactionCoordinator;
  readonly groups: GroupCoordinator;
  readonly handlers: ReadonlyMap<number, AnyApiHandler>;
}

/**
 * Everything of a broker that takes part in transactions, over real logs on a disk in memory that loses what was not synced.
 * Coordinators' writes and markers fail on demand: refused, or written but reported as timed out.
 */
export class TransactionWorld {
  readonly disk: SimDisk;
  readonly appends: FailingAppends;
  readonly #random: SeededRandom;
  readonly #metadata: MetadataStore;
  #nextProducerId = 0;
  #now: Incarnation | null = null;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.appends = new FailingAppends(random);
    const image = worldImage();
    this.#metadata = { current: () => image, subscribe: () => {} };
    const delay = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    this.disk = new SimDisk({ random, delay });
  }

  get incarnation(): Incarnation {
    if (this.#now === null) throw new Error('The world has not been started');
    return this.#now;
  }

  async start(): Promise<void> {
    // A clock of its own: the timers of the incarnation before are gone with it.
    const clock = new SimClock((this.#now?.clock.nowMs() ?? 1_700_000_000_000) + 1);
    const replicas = await openReplicas({
      disk: this.disk,
      clock,
      random: this.#random,
      metadata: this.#metadata,
    });
    this.#now = this.#openCoordinators(clock, replicas);
    await turns();
  }

  /** kill -9, or the machine loses power; then the broker starts again. */
  async restart(how: 'crash' | 'power cut'): Promise<void> {
    const { transactions, groups, replicas } = this.incarnation;
    if (how === 'crash') this.disk.crash();
    else this.disk.cutPower();
    void transactions.close();
    void groups.close();
    replicas.close();
    await turns();
    await this.start();
  }

  #openCoordinators(clock: SimClock, replicas: ReplicaManager): Incarnation {
    const metadata = this.#metadata;
    const shared = { nodeId: 1, metadata, clock, random: this.#random, logger: SILENT_LOGGER };
    const log = this.appends.logOf(replicas);
    const groups = new GroupCoordinator({ ...shared, config: DEFAULT_GROUP_COORDINATOR_CONFIG, log });
    const markers = new MarkerWriter({
      logs: {
        appendMarkers: (requests, timeoutMs) =>
          this.appends.run(requests, () => replicas.appendMarkers(requests, timeoutMs)),
        isTransactionOpen: (...place) => replicas.isTransactionOpen(...place),
        isTransactionEnded: (...place) => replicas.isTransactionEnded(...place),
      },
      owner: {
        topic: GROUP_METADATA_TOPIC,
        completeTransaction: (partition, marker, end) => groups.completeTransaction(partition, marker, end),
      },
      clock,
      timeoutMs: CONFIG.writeTimeoutMs,
    });
    const blocks = {
      allocateProducerIds: () => Promise.resolve({ first: (this.#nextProducerId += 10), length: 10 }),
    };
    const producerIds = new ProducerIdSource(blocks, SILENT_LOGGER);
    const transactions = new TransactionCoordinator({ ...shared, config: CONFIG, log, markers, producerIds });
    groups.start(metadata.current());
    transactions.start(metadata.current());
    const verification = new TransactionVerification({
      replicaManager: replicas,
      transactions,
      isEnabled: () => true,
    });
    const sampling = { samples: 11, sampleMs: 1000 };
    const quota = new RateQuota({ key: 'producer_byte_rate', clock, metadata, sampling });
    const handlers: AnyApiHandler[] = [
      initProducerIdHandler({ producerIds, transactions }),
      addPartitionsToTxnHandler({ transactions, metadata }),
      addOffsetsToTxnHandler({ transactions, groups }),
      endTxnHandler({ transactions }),
      produceHandler({ metadata, replicaManager: replicas, verification, quota }),
      txnOffsetCommitHandler({
        groups,
        metadata,
        replicaManager: replicas,
        verification,
        isVerificationEnabled: () => true,
      }),
    ];
    const byKey = new Map(handlers.map((handler) => [handler.apiKey, handler]));
    return { clock, replicas, transactions, groups, handlers: byKey };
  }
}

function worldImage(): MetadataImage {
  const base = fixedImage(1);
  const offsets = base.topics.byName.get(GROUP_METADATA_TOPIC)!;
  const partitions = [0, 1].map((partition) => ({ ...offsets.partitions[0]!, partition }));
  const topics: TopicImage[] = [
    offsets,
    { name: DATA_TOPIC, id: DATA_TOPIC_ID, partitions },
    { name: TRANSACTION_STATE_TOPIC, id: 'sSsSsSsSsSsSsSsSsSsSsA', partitions },
  ];
  return {
    ...base,
    topics: {
      byName: new Map(topics.map((topic) => [topic.name, topic])),
      byId: new Map(topics.map((topic) => [topic.id === ZERO_UUID ? topic.name : topic.id, topic])),
    },
    features: new Map([['transaction.version', 2]]),
  };
}
