import { SILENT_LOGGER, SimClock, type SeededRandom } from '@ottla/platform';
import { ErrorCodes, readBatchSummary } from '@ottla/protocol';
import { loadPartition } from '../../../src/coordinator/runtime/shard-loader.ts';
import { DEFAULT_SHARE_COORDINATOR_CONFIG } from '../../../src/coordinator/share/share-coordinator-config.ts';
import { ShareCoordinator } from '../../../src/coordinator/share/share-coordinator.ts';
import { ShareStateMachine } from '../../../src/coordinator/share/share-state-machine.ts';
import { shareStateRecordSerde } from '../../../src/coordinator/share/share-state-records.ts';
import {
  DeliveryState,
  type SharePartitionKey,
  type ShareStateResult,
  type StateBatch,
} from '../../../src/coordinator/share/share-state-types.ts';
import { mapKey } from '../../../src/coordinator/share/share-states.ts';
import type { MetadataDelta, MetadataImage } from '../../../src/metadata/image.ts';
import { fixedImage, T1_ID } from '../group/fixed-metadata.ts';
import { MemoryLog, type AppendFate } from '../group/memory-log.ts';
import { StateFacts } from './share-state-facts.ts';
import { SHARE_GROUP_STATE_TOPIC } from '../../../src/controller/topic-names.ts';

const CONFIG = {
  ...DEFAULT_SHARE_COORDINATOR_CONFIG,
  stateTopicPartitions: 1,
  snapshotUpdateRecordsPerSnapshot: 4,
  pruneIntervalMs: 200,
  coldPartitionSnapshotIntervalMs: 500,
};

const GOOD: AppendFate = { errorCode: ErrorCodes.NONE, kept: true };
const FATES: readonly AppendFate[] = [
  ...Array.from({ length: 6 }, () => GOOD),
  { errorCode: ErrorCodes.NOT_ENOUGH_REPLICAS, kept: false },
  { errorCode: ErrorCodes.REQUEST_TIMED_OUT, kept: true },
];

/** Answers of a coordinator that is not at home; whatever was asked may have been done. */
const UNCERTAIN: ReadonlySet<number> = new Set([
  ErrorCodes.NOT_COORDINATOR,
  ErrorCodes.COORDINATOR_NOT_AVAILABLE,
  ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS,
]);
const REFUSALS: ReadonlySet<number> = new Set([
  ErrorCodes.INVALID_REQUEST,
  ErrorCodes.FENCED_LEADER_EPOCH,
  ErrorCodes.FENCED_STATE_EPOCH,
]);

/** A log whose beginning can be cut off. What was appended before it is read is in it by then, or never. */
class StateLog extends MemoryLog {
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    super(() => {});
    this.#random = random;
  }

  override scan(...args: Parameters<MemoryLog['scan']>): Promise<void> {
    this.endAll();
    return super.scan(...args);
  }

  /** Nobody waits for the appends under way any more; each is kept or not. */
  endAll(): void {
    while (this.pendingCount > 0)
      this.settle({ errorCode: ErrorCodes.NOT_LEADER_OR_FOLLOWER, kept: this.#random.chance(0.5) });
  }

  trim(_topic: string, partition: number, beforeOffset: number): void {
    const kept = (this.batches.get(partition) ?? []).filter(
      (batch) => readBatchSummary(batch, 0).lastOffset >= beforeOffset,
    );
    this.batches.set(partition, kept);
  }
}

/**
 * Group coordinators and partition leaders, old ones among them, that ask a share coordinator whose appends end when and
 * how the seed says. After each step it is asked what is wrong:
 *
 *   - a state is what a replay of the log gives, also of a log that was pruned,
 *   - what was acknowledged as finished stays so, and a start offset never falls,
 *   - state epochs only grow; a leader of an older epoch than one that has read is fenced.
 */
export class ShareStateSimulation {
  lastAction = 'start';
  readonly problems: string[] = [];
  /** How many requests were answered well. */
  doneCount = 0;
  readonly #random: SeededRandom;
  readonly #clock = new SimClock();
  readonly #log: StateLog;
  readonly #deferred: (() => void)[] = [];
  readonly #keys: readonly SharePartitionKey[];
  readonly #facts = new Map<string, StateFacts>();
  readonly #writing = new Set<string>();
  /** The start that was last written, by share partition and generation of its state. */
  readonly #starts = new Map<string, number>();
  #coordinator: ShareCoordinator;
  #leaderEpoch = 0;
  #waiting = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#log = new StateLog(random);
    this.#keys = ['a', 'b'].flatMap((groupId) =>
      [0, 1].map((partition) => ({ groupId, topicId: T1_ID, partition })),
    );
    for (const key of this.#keys) this.#facts.set(mapKey(key), new StateFacts());
    this.#coordinator = this.#newCoordinator();
  }

  async start(): Promise<void> {
    await this.#settleTurn();
  }

  async step(): Promise<void> {
    const dice = this.#random.nextInt(100);
    if (dice < 50) this.#request(this.#keys[this.#random.nextInt(this.#keys.length)]!);
    else if (dice < 82) this.#log.settle(FATES[this.#random.nextInt(FATES.length)]);
    else if (dice < 96) this.#advance(1 + this.#random.nextInt(400));
    else if (dice < 98) this.#deleteTopic();
    else await this.#restart();
    await this.#settleTurn();
    await this.#compareWithReplay();
  }

  /** From here on writes succeed and time passes: everybody has to get an answer. */
  async heal(): Promise<void> {
    for (let i = 0; i < 40; i++) {
      while (this.#log.pendingCount > 0) this.#log.settle();
      this.#advance(300);
      await this.#settleTurn();
    }
    while (this.#log.pendingCount > 0) this.#log.settle();
    await this.#settleTurn();
    await this.#compareWithReplay();
    if (this.#waiting > 0) this.problems.push(`${this.#waiting} callers have no answer`);
  }

  #newCoordinator(): ShareCoordinator {
    const coordinator = new ShareCoordinator({
      nodeId: 1,
      config: CONFIG,
      log: this.#log,
      metadata: { current: () => IMAGE, subscribe: () => {} },
      clock: this.#clock,
      logger: SILENT_LOGGER,
      defer: (callback) => void this.#deferred.push(callback),
    });
    coordinator.start(IMAGE);
    return coordinator;
  }

  #request(key: SharePartitionKey): void {
    const dice = this.#random.nextInt(100);
    const isUnknown = this.#factsOf(key).current.stateEpoch < 0;
    if (dice < (isUnknown ? 50 : 3)) this.#initialize(key);
    else if (dice < 30) this.#read(key);
    else if (dice < 97) this.#write(key);
    else this.#delete(key);
  }

  #initialize(key: SharePartitionKey): void {
    const facts = this.#factsOf(key);
    const before = facts.current;
    const stateEpoch = Math.max(0, before.stateEpoch + this.#random.nextInt(4) - 1);
    const startOffset = this.#random.chance(0.3) ? -1 : this.#random.nextInt(2) * 10;
    const generation = facts.undone();
    this.#call(`initialize ${mapKey(key)}`, async () => {
      const { errorCode } = await this.#coordinator.initialize({ ...key, stateEpoch, startOffset });
      if (errorCode === ErrorCodes.NONE) {
        facts.established(generation, { stateEpoch, startOffset });
        if (stateEpoch < before.stateEpoch) this.problems.push(`State epoch ${stateEpoch} was taken`);
      }
      // Refused, nothing has changed.
      if (REFUSALS.has(errorCode)) facts.established(generation, before, asBatches(before.finished));
      return errorCode;
    });
  }

  #read(key: SharePartitionKey): void {
    const facts = this.#factsOf(key);
    const { current: before, generation } = facts;
    // Now and then a leader that does not know yet that there is another.
    if (this.#random.chance(0.2)) this.#leaderEpoch++;
    const leaderEpoch = this.#random.chance(0.2)
      ? -1
      : Math.max(0, this.#leaderEpoch - this.#random.nextInt(2));
    this.#call(`read ${mapKey(key)} as leader ${leaderEpoch}`, async () => {
      const answer = await this.#coordinator.read(key, leaderEpoch);
      if (answer.errorCode !== ErrorCodes.NONE) return answer.errorCode;
      const { stateEpoch, startOffset, stateBatches } = answer;
      this.problems.push(...StateFacts.problems(before, answer));
      if (leaderEpoch !== -1 && leaderEpoch < before.leaderEpoch)
        this.problems.push(`Leader ${leaderEpoch} reads after ${before.leaderEpoch}`);
      facts.established(generation, { stateEpoch, startOffset, leaderEpoch }, stateBatches);
      return ErrorCodes.NONE;
    });
  }

  #write(key: SharePartitionKey): void {
    const facts = this.#factsOf(key);
    const { current: before, generation } = facts;
    const name = mapKey(key);
    // Whoever has not read the state does not write it, and a leader writes once at a time.
    if (before.leaderEpoch < 0 || this.#writing.has(name)) return;
    const leaderEpoch = Math.max(0, before.leaderEpoch - (this.#random.chance(0.1) ? 1 : 0));
    const stateEpoch = Math.max(0, before.stateEpoch - (this.#random.chance(0.05) ? 1 : 0));
    // A leader's start moves on whether or not it hears that its writes are kept.
    const written = this.#starts.get(`${name}/${generation}`) ?? 0;
    const step = this.#random.chance(0.3) ? this.#random.nextInt(8) : 0;
    const startOffset = Math.max(written, before.startOffset) + step;
    this.#starts.set(`${name}/${generation}`, startOffset);
    const stateBatches = this.#batches(startOffset);
    this.#writing.add(name);
    this.#call(`write ${name} as leader ${leaderEpoch}`, async () => {
      const { errorCode } = await this.#coordinator.write({
        ...key,
        stateEpoch,
        leaderEpoch,
        startOffset,
        deliveryCompleteCount: 0,
        stateBatches,
      });
      this.#writing.delete(name);
      if (errorCode !== ErrorCodes.NONE) return errorCode;
      if (leaderEpoch < before.leaderEpoch)
        this.problems.push(`Leader ${leaderEpoch} writes after ${before.leaderEpoch}`);
      if (stateEpoch < before.stateEpoch)
        this.problems.push(`State epoch ${stateEpoch} writes after ${before.stateEpoch}`);
      facts.established(generation, { leaderEpoch, startOffset }, stateBatches);
      return errorCode;
    });
  }

  /** Disjoint, ascending; what is finished has the highest number of deliveries, as its leader would see to. */
  #batches(startOffset: number): StateBatch[] {
    const batches: StateBatch[] = [];
    let next = startOffset + this.#random.nextInt(4);
    for (let count = this.#random.nextInt(4); count > 0; count--) {
      const lastOffset = next + this.#random.nextInt(4);
      const isFinished = this.#random.chance(0.6);
      batches.push({
        firstOffset: next,
        lastOffset,
        deliveryState: isFinished ? DeliveryState.acknowledged : DeliveryState.available,
        deliveryCount: isFinished ? 5 : 1 + this.#random.nextInt(4),
      });
      next = lastOffset + 1 + this.#random.nextInt(3);
    }
    return batches;
  }

  #delete(key: SharePartitionKey): void {
    this.#factsOf(key).undone();
    this.#call(`delete ${mapKey(key)}`, async () => (await this.#coordinator.delete(key)).errorCode);
  }

  /** Every state of the topic goes; the group coordinator makes them anew when it wants. */
  #deleteTopic(): void {
    this.lastAction = 'the topic is deleted';
    for (const facts of this.#facts.values()) facts.undone();
    const topic = IMAGE.topics.byId.get(T1_ID)!;
    this.#coordinator.onMetadataChange({ ...NO_CHANGE, deletedTopics: new Map([[T1_ID, topic]]) }, IMAGE);
  }

  #call(name: string, action: () => Promise<ShareStateResult['errorCode']>): void {
    this.lastAction = name;
    this.#waiting++;
    void action()
      .then((errorCode) => {
        if (errorCode === ErrorCodes.NONE) this.doneCount++;
        else if (!UNCERTAIN.has(errorCode) && !REFUSALS.has(errorCode))
          this.problems.push(`${name} ended with ${errorCode}`);
      })
      .finally(() => this.#waiting--);
  }

  #factsOf(key: SharePartitionKey): StateFacts {
    return this.#facts.get(mapKey(key))!;
  }

  #advance(ms: number): void {
    this.lastAction = `${ms} ms pass`;
    this.#clock.advance(ms);
  }

  /** The broker dies and starts again: appends under way may or may not be kept. */
  async #restart(): Promise<void> {
    this.lastAction = 'restart';
    this.#log.endAll();
    this.#deferred.length = 0;
    const topic = IMAGE.topics.byName.get(SHARE_GROUP_STATE_TOPIC)!;
    this.#coordinator.onMetadataChange({ ...NO_CHANGE, deletedTopics: new Map([[topic.id, topic]]) }, IMAGE);
    await this.#settleTurn();
    void this.#coordinator.close();
    this.#coordinator = this.#newCoordinator();
  }

  async #settleTurn(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      for (const callback of this.#deferred.splice(0)) callback();
    }
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Nothing in flight: the state has to be what the log says. */
  async #compareWithReplay(): Promise<void> {
    if (this.#log.pendingCount > 0) return;
    const replayed = new ShareStateMachine(CONFIG);
    await loadPartition({
      partition: { topic: SHARE_GROUP_STATE_TOPIC, partition: 0 },
      machine: replayed,
      serde: shareStateRecordSerde,
      log: this.#log,
      cancelled: () => false,
    });
    const live = this.#coordinator.inspect(0, durable);
    if (live !== undefined && this.#log.pendingCount === 0 && live !== durable(replayed))
      this.problems.push(`live ${live} is not what the log says: ${durable(replayed)}`);
  }
}

function durable({ states }: ShareStateMachine): string {
  return JSON.stringify(
    Array.from(states.entries(), ({ key, state }) => [
      mapKey(key),
      states.updateCount(key),
      state,
    ]).toSorted(),
  );
}

function asBatches(finished: ReadonlySet<number>): StateBatch[] {
  return Array.from(finished, (offset) => ({
    firstOffset: offset,
    lastOffset: offset,
    deliveryState: DeliveryState.acknowledged,
    deliveryCount: 5,
  }));
}

const IMAGE = imageWithStateTopic();

const NO_CHANGE: MetadataDelta = {
  previous: IMAGE,
  changedTopicIds: new Set(),
  deletedTopics: new Map(),
  changedConfigs: new Set(),
};

function imageWithStateTopic(): MetadataImage {
  const base = fixedImage(1);
  const [partition] = base.topics.byName.get('__consumer_offsets')!.partitions;
  const states = { name: SHARE_GROUP_STATE_TOPIC, id: 'sSsSsSsSsSsSsSsSsSsSsA', partitions: [partition!] };
  return {
    ...base,
    topics: {
      byName: new Map([...base.topics.byName, [states.name, states]]),
      byId: new Map([...base.topics.byId, [states.id, states]]),
    },
  };
}
