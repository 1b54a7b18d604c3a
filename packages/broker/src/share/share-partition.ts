import type { Clock, TimerHandle } from '@ottla/platform';
import { ErrorCodes, errorMessage } from '@ottla/protocol';
import { LogError } from '@ottla/storage';
import type { ShareCoordinator } from '../coordinator/share/share-coordinator.ts';
import type { SharePartitionKey, StateBatch } from '../coordinator/share/share-state-types.ts';
import type { Partition } from '../replica/partition.ts';
import { initialShareOffset } from './initial-share-offset.ts';
import { SharePartitionState, type Change } from './share-partition-state.ts';
import type {
  AcknowledgementBatch,
  AcquiredRecords,
  AcquireRequest,
  SharePartitionSettings,
  ShareRefusal,
} from './share-partition-types.ts';

/** The part of the share coordinator that a share partition needs: where its state is kept. */
export type SharePersister = Pick<ShareCoordinator, 'read' | 'write'>;

export interface SharePartitionDeps {
  readonly persister: SharePersister;
  readonly clock: Clock;
  /** Read anew for each use: a group's configs change while it runs. */
  readonly settings: () => SharePartitionSettings;
  /** Another leader or a newer state has taken over: this one must not be used any more. */
  readonly onFenced: () => void;
}

/** Told when there may be more to acquire. */
export interface ShareWaiter {
  /** Records were released, written or given up, or the partition is gone. */
  onShareChanged(): void;
  /** A fetch has given back the right to read: news only for those whom it kept out. */
  onFetchUnlocked(share: SharePartition): void;
}

interface PendingWrite {
  /** Null for what needs no settling. */
  readonly change: Change | null;
  readonly stateBatches: readonly StateBatch[];
  readonly done: (refusal: ShareRefusal) => void;
}

const OK: ShareRefusal = { errorCode: ErrorCodes.NONE, errorMessage: null };

/**
 * One share group's view of one partition that is led here: `SharePartitionState` with a clock, its timer, and the share
 * coordinator. One write is under way at a time; what comes meanwhile goes into the next, so that a busy group costs one
 * record per commit of the state topic and not one per acknowledgement.
 */
export class SharePartition {
  readonly key: SharePartitionKey;
  readonly partition: Partition;
  readonly leaderEpoch: number;
  readonly #deps: SharePartitionDeps;
  readonly #waiters = new Set<ShareWaiter>();
  #state: SharePartitionState | null = null;
  #stateEpoch = 0;
  /** The start offset that the share coordinator has. */
  #keptStart = -1;
  #ready: Promise<ShareRefusal> | null = null;
  #isFenced = false;
  #isFetching = false;
  #queue: PendingWrite[] = [];
  #isWriting = false;
  #timer: TimerHandle | null = null;
  #timerMs = Number.POSITIVE_INFINITY;

  constructor(key: SharePartitionKey, partition: Partition, deps: SharePartitionDeps) {
    this.key = key;
    this.partition = partition;
    this.leaderEpoch = partition.leaderEpoch;
    this.#deps = deps;
  }

  /** Null until its state is read. */
  get state(): SharePartitionState | null {
    return this.#isFenced ? null : this.#state;
  }

  get settings(): SharePartitionSettings {
    return this.#deps.settings();
  }

  /** Reads the state from the share coordinator, once; a failure is tried again by the next call. Never rejects. */
  initialize(): Promise<ShareRefusal> {
    this.#ready ??= this.#load()
      .catch(refusalOf)
      .then((outcome) => {
        if (outcome.errorCode !== 0) this.#ready = null;
        return outcome;
      });
    return this.#ready;
  }

  async #load(): Promise<ShareRefusal> {
    const read = await this.#deps.persister.read(this.key, this.leaderEpoch);
    if (read.errorCode !== 0) return this.#persisterRefusal(read);
    let { startOffset } = read;
    const isNew = startOffset === -1;
    if (isNew) {
      startOffset = await initialShareOffset(
        this.partition,
        this.settings.autoOffsetReset,
        this.#deps.clock.nowMs(),
      );
    }
    if (isNew && this.settings.autoOffsetReset.toLowerCase() !== 'earliest') {
      // Kept at once: a restart before the first acknowledgement must not look for `latest` again.
      const { stateEpoch } = read;
      const position = { stateEpoch, leaderEpoch: this.leaderEpoch, startOffset };
      const kept = await this.#deps.persister.write({
        ...this.key,
        ...position,
        deliveryCompleteCount: 0,
        stateBatches: [],
      });
      if (kept.errorCode !== 0) return this.#persisterRefusal(kept);
    }
    this.#stateEpoch = read.stateEpoch;
    this.#keptStart = read.startOffset;
    this.#state = new SharePartitionState(startOffset, read.stateBatches);
    this.moveLogStart();
    return OK;
  }

  /** Takes the right to read: one fetch at a time, or two would be handed the same records. */
  tryLockFetch(): boolean {
    if (this.#isFetching || this.state === null) return false;
    this.#isFetching = true;
    return true;
  }

  unlockFetch(): void {
    this.#isFetching = false;
    for (const waiter of this.#waiters) waiter.onFetchUnlocked(this);
  }

  acquire(request: AcquireRequest): AcquiredRecords[] {
    const { state } = this;
    if (state === null) return [];
    const acquired = state.acquire(request, this.settings, this.#deps.clock.monotonicMs());
    if (acquired.length > 0) this.#arm();
    return acquired;
  }

  /** Resolves when the acknowledgement is durable, or is refused. */
  acknowledge(memberId: string, batches: readonly AcknowledgementBatch[]): Promise<ShareRefusal> {
    const { state, settings } = this;
    if (state === null) return Promise.resolve(refusal(ErrorCodes.NOT_LEADER_OR_FOLLOWER));
    const nowMs = this.#deps.clock.monotonicMs();
    const change = state.acknowledge(memberId, batches, { settings, nowMs });
    if ('errorCode' in change) return Promise.resolve(change);
    this.#arm();
    if (change.stateBatches.length > 0) return this.#write(change, change.stateBatches);
    // What lies before the start counts as done. Where it is not written yet, a restart would hand it out again.
    const isKept = batches.every(
      ({ firstOffset, lastOffset }) => firstOffset >= state.startOffset || lastOffset < this.#keptStart,
    );
    return isKept ? Promise.resolve(OK) : this.#write(null, []);
  }

  /** Gives back what a member holds; resolves when that is durable. */
  releaseMember(memberId: string): Promise<ShareRefusal> {
    const change = this.state?.releaseMember(memberId, this.settings.deliveryCountLimit);
    if (change === undefined || change.stateBatches.length === 0) return Promise.resolve(OK);
    return this.#write(change, change.stateBatches);
  }

  /** Follows the log's start. */
  moveLogStart(): void {
    const log = this.partition.log;
    if (log !== null && this.state?.moveLogStart(log.logStartOffset) === true) this.#wake();
  }

  addWaiter(waiter: ShareWaiter): void {
    this.#waiters.add(waiter);
  }

  removeWaiter(waiter: ShareWaiter): void {
    this.#waiters.delete(waiter);
  }

  /** Another leader or state has taken over, or the partition is gone: who waits is told, nothing is written any more. */
  close(): void {
    if (this.#isFenced) return;
    this.#isFenced = true;
    this.#timer?.cancel();
    this.#wake();
  }

  #write(change: Change | null, stateBatches: readonly StateBatch[]): Promise<ShareRefusal> {
    return new Promise((done) => {
      this.#queue.push({ change, stateBatches, done });
      void this.#pump();
    });
  }

  async #pump(): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    while (this.#queue.length > 0) {
      const writes = this.#queue;
      this.#queue = [];
      const result = await this.#persist(writes.flatMap(({ stateBatches }) => stateBatches));
      this.#settle(writes, result);
    }
    this.#isWriting = false;
  }

  async #persist(stateBatches: readonly StateBatch[]): Promise<ShareRefusal> {
    const { state } = this;
    if (state === null) return refusal(ErrorCodes.NOT_LEADER_OR_FOLLOWER);
    const { startOffset } = state;
    const result = await this.#deps.persister.write({
      ...this.key,
      stateEpoch: this.#stateEpoch,
      leaderEpoch: this.leaderEpoch,
      startOffset,
      deliveryCompleteCount: state.deliveryCompleteCount,
      stateBatches,
    });
    if (result.errorCode !== 0) return this.#persisterRefusal(result);
    this.#keptStart = startOffset;
    return OK;
  }

  #settle(writes: readonly PendingWrite[], result: ShareRefusal): void {
    const { deliveryCountLimit } = this.settings;
    const nowMs = this.#deps.clock.monotonicMs();
    for (const { change } of writes) {
      if (change === null || this.#state === null) continue;
      const ended = this.#state.settle(change, result.errorCode === 0, { deliveryCountLimit, nowMs });
      this.#keepExpired(ended);
    }
    for (const { done } of writes) done(result);
    this.#arm();
    this.#wake();
  }

  #keepExpired(ended: Change): void {
    // Nobody waits for it: when the write fails, the worst is a delivery that is not counted after a restart.
    if (ended.stateBatches.length > 0) void this.#write(null, ended.stateBatches);
  }

  #arm(): void {
    const nextMs =
      this.#state === null || this.#isFenced ? Number.POSITIVE_INFINITY : this.#state.nextExpiryMs();
    if (nextMs >= this.#timerMs || nextMs === Number.POSITIVE_INFINITY) return;
    this.#timer?.cancel();
    this.#timerMs = nextMs;
    const delayMs = Math.max(1, nextMs - this.#deps.clock.monotonicMs());
    this.#timer = this.#deps.clock.setTimer(delayMs, () => this.#onTimer());
  }

  #onTimer(): void {
    this.#timerMs = Number.POSITIVE_INFINITY;
    const { state } = this;
    if (state === null) return;
    const { deliveryCountLimit } = this.settings;
    const ended = state.expire({ deliveryCountLimit, nowMs: this.#deps.clock.monotonicMs() });
    this.#keepExpired(ended);
    this.#arm();
    if (ended.stateBatches.length > 0) this.#wake();
  }

  #wake(): void {
    for (const waiter of this.#waiters) waiter.onShareChanged();
  }

  /** The share coordinator's refusals as clients of the partition know them. */
  #persisterRefusal({ errorCode, errorMessage: text }: ShareRefusal): ShareRefusal {
    switch (errorCode) {
      case ErrorCodes.NOT_COORDINATOR:
      case ErrorCodes.COORDINATOR_NOT_AVAILABLE:
      case ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS:
        return refusal(ErrorCodes.COORDINATOR_NOT_AVAILABLE, text);
      case ErrorCodes.FENCED_LEADER_EPOCH:
      case ErrorCodes.FENCED_STATE_EPOCH:
        this.close();
        this.#deps.onFenced();
        return refusal(ErrorCodes.NOT_LEADER_OR_FOLLOWER, text);
      case ErrorCodes.GROUP_ID_NOT_FOUND:
      case ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION:
        return { errorCode, errorMessage: text };
      default:
        return refusal(ErrorCodes.UNKNOWN_SERVER_ERROR, text);
    }
  }
}

/** What a log says that could not be looked into. */
function refusalOf(failure: unknown): ShareRefusal {
  return refusal(failure instanceof LogError ? failure.errorCode : ErrorCodes.UNKNOWN_SERVER_ERROR);
}

function refusal(errorCode: number, text?: string | null): ShareRefusal {
  return { errorCode, errorMessage: text ?? errorMessage(errorCode) ?? null };
}
