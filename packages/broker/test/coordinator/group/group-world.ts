import { SILENT_LOGGER, SimClock, type SeededRandom } from '@ottla/platform';
import { ErrorCodes } from '@ottla/protocol';
import type { ConsumerGroupTimings } from '../../../src/coordinator/group/consumer/consumer-group-config.ts';
import type { GroupCoordinatorConfig } from '../../../src/coordinator/group/group-coordinator-config.ts';
import { GroupCoordinator } from '../../../src/coordinator/group/group-coordinator.ts';
import { GroupMachine } from '../../../src/coordinator/group/group-machine.ts';
import { groupRecordSerde } from '../../../src/coordinator/group/group-records.ts';
import { loadPartition } from '../../../src/coordinator/runtime/shard-loader.ts';
import type { MetadataImage } from '../../../src/metadata/image.ts';
import { fixedImage, T1_ID } from './fixed-metadata.ts';
import { MemoryLog, type AppendFate } from './memory-log.ts';
import { GROUP_METADATA_TOPIC } from '../../../src/controller/topic-names.ts';

/** How an append may end: mostly well, now and then refused, or kept without that anybody knows. */
export const FATES: readonly AppendFate[] = [
  ...Array.from({ length: 8 }, () => ({ errorCode: ErrorCodes.NONE, kept: true })),
  { errorCode: ErrorCodes.NOT_ENOUGH_REPLICAS, kept: false },
  { errorCode: ErrorCodes.REQUEST_TIMED_OUT, kept: true },
];

export interface GroupWorldOptions {
  readonly random: SeededRandom;
  readonly config: GroupCoordinatorConfig;
  readonly consumerTimings?: ConsumerGroupTimings;
}

/**
 * Where simulations of groups take place: a coordinator over a log whose appends end when and how somebody says, under time
 * that moves by jumps, and topics that grow. The members are the simulation's own.
 */
export class GroupWorld {
  /** For the message of a failure. */
  lastAction = 'start';
  readonly random: SeededRandom;
  readonly clock = new SimClock();
  readonly log = new MemoryLog(() => {});
  readonly problems: string[] = [];
  /** Topic `t1` begins with three partitions. */
  image = withPartitions(3, 1);
  coordinator: GroupCoordinator;
  /** Calls that have no answer yet. */
  waiting = 0;
  readonly #options: GroupWorldOptions;
  readonly #deferred: (() => void)[] = [];

  constructor(options: GroupWorldOptions) {
    this.random = options.random;
    this.#options = options;
    this.coordinator = this.#newCoordinator();
  }

  async start(): Promise<void> {
    await this.turn();
  }

  unanswered(): number {
    return this.waiting;
  }

  violations(): readonly string[] {
    return this.problems;
  }

  call(client: { busy: boolean }, action: () => Promise<void>): void {
    this.waiting++;
    client.busy = true;
    action()
      .catch((failure: unknown) => void this.problems.push(String(failure)))
      .finally(() => {
        this.waiting--;
        client.busy = false;
      });
  }

  settle(fate: AppendFate): void {
    this.lastAction = `append ends with ${fate.errorCode}`;
    this.log.settle(fate);
  }

  /** Every append under way ends well, and those that follow from it. */
  async settleAll(): Promise<void> {
    while (this.log.pendingCount > 0) {
      this.log.settle();
      await this.turn();
    }
  }

  advance(ms: number): void {
    this.lastAction = `${ms} ms pass`;
    this.clock.advance(ms);
  }

  partitionCount(): number {
    return this.image.topics.byName.get('t1')!.partitions.length;
  }

  addPartition(): void {
    if (this.partitionCount() >= 9) return;
    this.lastAction = 'a partition is added';
    this.image = withPartitions(this.partitionCount() + 1, this.image.offset + 1);
  }

  /** The broker dies and starts again; appends under way may or may not be kept. */
  async restart(): Promise<void> {
    this.lastAction = 'restart';
    const kept = this.random.nextInt(2) === 0;
    while (this.log.pendingCount > 0) this.log.settle({ errorCode: ErrorCodes.NOT_LEADER_OR_FOLLOWER, kept });
    this.#deferred.length = 0;
    const topic = this.image.topics.byName.get(GROUP_METADATA_TOPIC)!;
    this.coordinator.onMetadataChange(
      {
        previous: this.image,
        changedTopicIds: new Set(),
        deletedTopics: new Map([[topic.id, topic]]),
        changedConfigs: new Set(),
      },
      this.image,
    );
    await this.turn();
    this.coordinator = this.#newCoordinator();
  }

  /** Lets everything run that is due. */
  async turn(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      for (const callback of this.#deferred.splice(0)) callback();
    }
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** What a replay of the log gives. */
  async replay(): Promise<GroupMachine> {
    const machine = new GroupMachine({
      config: this.#options.config,
      image: () => this.image,
      newTopicsVersion: () => 0,
      consumerTimings: () => this.#options.consumerTimings ?? NO_TIMINGS,
    });
    await loadPartition({
      partition: { topic: GROUP_METADATA_TOPIC, partition: 0 },
      machine,
      serde: groupRecordSerde,
      log: this.log,
      cancelled: () => false,
    });
    return machine;
  }

  #newCoordinator(): GroupCoordinator {
    const { random, config, consumerTimings } = this.#options;
    const coordinator = new GroupCoordinator({
      nodeId: 1,
      config,
      log: this.log,
      metadata: { current: () => this.image, subscribe: () => {} },
      clock: this.clock,
      random,
      logger: SILENT_LOGGER,
      ...(consumerTimings && { consumerTimings: () => consumerTimings }),
      defer: (callback) => void this.#deferred.push(callback),
    });
    coordinator.start(this.image);
    return coordinator;
  }
}

const NO_TIMINGS: ConsumerGroupTimings = {
  sessionTimeoutMs: 1,
  heartbeatIntervalMs: 1,
  assignmentIntervalMs: 1,
};

/** Topic `t1` with so many partitions. */
function withPartitions(count: number, offset: number): MetadataImage {
  const image = fixedImage(1);
  const topic = image.topics.byName.get('t1')!;
  const partitions = Array.from({ length: count }, (_, partition) => ({
    ...topic.partitions[0]!,
    partition,
  }));
  const changed = { ...topic, partitions };
  return {
    ...image,
    offset,
    topics: {
      byName: new Map(image.topics.byName).set('t1', changed),
      byId: new Map(image.topics.byId).set(T1_ID, changed),
    },
  };
}
