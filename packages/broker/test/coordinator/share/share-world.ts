import { SILENT_LOGGER, SimClock, SimDisk, type SeededRandom } from '@ottla/platform';
import { GroupCoordinator } from '../../../src/coordinator/group/group-coordinator.ts';
import { DEFAULT_GROUP_COORDINATOR_CONFIG } from '../../../src/coordinator/group/group-coordinator-config.ts';
import { ShareGroupService } from '../../../src/coordinator/group/share/share-group-service.ts';
import { DEFAULT_SHARE_COORDINATOR_CONFIG } from '../../../src/coordinator/share/share-coordinator-config.ts';
import { ShareCoordinator } from '../../../src/coordinator/share/share-coordinator.ts';
import type { AnyApiHandler } from '../../../src/handlers/handler.ts';
import { shareHandlers } from '../../../src/handlers/share-handlers.ts';
import type { MetadataImage, MetadataStore, TopicImage } from '../../../src/metadata/image.ts';
import { RateQuota } from '../../../src/quota/rate-quota.ts';
import type { ReplicaManager } from '../../../src/replica/replica-manager.ts';
import { SharePartitions } from '../../../src/share/share-partitions.ts';
import { ShareService } from '../../../src/share/share-service.ts';
import { ShareSessions } from '../../../src/share/share-sessions.ts';
import { fixedImage } from '../group/fixed-metadata.ts';
import { FailingAppends, openReplicas, turns } from '../simulated-replicas.ts';
import { GROUP_METADATA_TOPIC, SHARE_GROUP_STATE_TOPIC } from '../../../src/controller/topic-names.ts';

/** The topic that the group shares, with two partitions. */
export const SHARED_TOPIC = 'shared';
export const SHARED_TOPIC_ID = 'dDdDdDdDdDdDdDdDdDdDdA';
export const GROUP = 'group';
export const SESSION_TIMEOUT_MS = 500;
export const LOCK_DURATION_MS = 200;
export const DELIVERY_COUNT_LIMIT = 5;

const SETTINGS = {
  recordLockDurationMs: LOCK_DURATION_MS,
  deliveryCountLimit: DELIVERY_COUNT_LIMIT,
  maxRecordLocks: 60,
  autoOffsetReset: 'earliest',
  isReadCommitted: false,
  isRenewEnabled: true,
};

/** The parts of a broker that share groups run through, between a power cut and the next. */
interface Incarnation {
  readonly clock: SimClock;
  readonly replicas: ReplicaManager;
  readonly groups: GroupCoordinator;
  readonly states: ShareCoordinator;
  readonly shareGroups: ShareGroupService;
  readonly partitions: SharePartitions;
  readonly service: ShareService;
  readonly handlers: ReadonlyMap<number, AnyApiHandler>;
}

/**
 * Everything of a broker that takes part in share groups, over real logs on a disk in memory that loses what was not
 * synced; the coordinators' writes fail on demand. Each start is a new leader epoch.
 */
export class ShareWorld {
  readonly disk: SimDisk;
  readonly appends: FailingAppends;
  readonly #random: SeededRandom;
  readonly #metadata: MetadataStore;
  #leaderEpoch = 0;
  #now: Incarnation | null = null;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.appends = new FailingAppends(random);
    this.#metadata = { current: () => worldImage(this.#leaderEpoch), subscribe: () => {} };
    const delay = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    this.disk = new SimDisk({ random, delay });
  }

  get incarnation(): Incarnation {
    if (this.#now === null) throw new Error('The world has not been started');
    return this.#now;
  }

  async start(): Promise<void> {
    this.#leaderEpoch++;
    // A clock of its own: the timers of the incarnation before are gone with it.
    const clock = new SimClock((this.#now?.clock.nowMs() ?? 1_700_000_000_000) + 1);
    const metadata = this.#metadata;
    const replicas = await openReplicas({ disk: this.disk, clock, random: this.#random, metadata });
    this.#now = this.#openParts(clock, replicas);
    await turns();
  }

  /** kill -9, or the machine loses power; then the broker starts again. */
  async restart(how: 'crash' | 'power cut'): Promise<void> {
    const { groups, states, partitions, replicas } = this.incarnation;
    if (how === 'crash') this.disk.crash();
    else this.disk.cutPower();
    partitions.close();
    void groups.close();
    void states.close();
    replicas.close();
    await turns();
    await this.start();
  }

  #openParts(clock: SimClock, replicas: ReplicaManager): Incarnation {
    const metadata = this.#metadata;
    const shared = { nodeId: 1, metadata, clock, logger: SILENT_LOGGER, log: this.appends.logOf(replicas) };
    const states = new ShareCoordinator({
      ...shared,
      config: {
        ...DEFAULT_SHARE_COORDINATOR_CONFIG,
        stateTopicPartitions: 1,
        snapshotUpdateRecordsPerSnapshot: 3,
        pruneIntervalMs: 300,
        coldPartitionSnapshotIntervalMs: 700,
      },
    });
    const partitions = new SharePartitions({ persister: states, replicas, clock, settings: () => SETTINGS });
    const service = new ShareService({ partitions, sessions: new ShareSessions(() => 100), clock });
    const groups = new GroupCoordinator({
      ...shared,
      random: this.#random,
      config: {
        ...DEFAULT_GROUP_COORDINATOR_CONFIG,
        offsetsTopicPartitions: 1,
        share: () => ({
          sessionTimeoutMs: SESSION_TIMEOUT_MS,
          heartbeatIntervalMs: 100,
          assignmentIntervalMs: 0,
          maxSize: 100,
          initializeRetryIntervalMs: 50,
        }),
        onShareGroupEmptied: (groupId) => service.groupEmptied(groupId),
      },
    });
    groups.start(metadata.current());
    states.start(metadata.current());
    const endOffset = (topic: string, partition: number): number => {
      const hosted = replicas.partition(topic, partition);
      return typeof hosted === 'number' ? -1 : hosted.highWatermark;
    };
    const shareGroups = new ShareGroupService({ ...shared, groups, states, endOffset });
    const sampling = { samples: 11, sampleMs: 1000 };
    const quota = new RateQuota({ key: 'consumer_byte_rate', clock, metadata, sampling });
    const ensureStateTopic = () => Promise.resolve(0);
    const handlers: AnyApiHandler[] = [
      ...shareHandlers(
        { groups: shareGroups, states, service },
        { metadata, fetchMaxBytes: () => 1_000_000, quota, ensureStateTopic },
      ),
    ];
    const byKey = new Map(handlers.map((handler) => [handler.apiKey, handler]));
    return { clock, replicas, groups, states, shareGroups, partitions, service, handlers: byKey };
  }
}

function worldImage(leaderEpoch: number): MetadataImage {
  const base = fixedImage(1);
  const led = { ...base.topics.byName.get(GROUP_METADATA_TOPIC)!.partitions[0]!, leaderEpoch };
  const topic = (name: string, id: string, partitionCount: number): TopicImage => ({
    name,
    id,
    partitions: Array.from({ length: partitionCount }, (_, partition) => ({ ...led, partition })),
  });
  const topics = [
    topic(GROUP_METADATA_TOPIC, 'oOoOoOoOoOoOoOoOoOoOoQ', 1),
    topic(SHARED_TOPIC, SHARED_TOPIC_ID, 2),
    topic(SHARE_GROUP_STATE_TOPIC, 'sSsSsSsSsSsSsSsSsSsSsA', 1),
  ];
  return {
    ...base,
    topics: {
      byName: new Map(topics.map((each) => [each.name, each])),
      byId: new Map(topics.map((each) => [each.id, each])),
    },
    features: new Map([['share.version', 1]]),
  };
}
