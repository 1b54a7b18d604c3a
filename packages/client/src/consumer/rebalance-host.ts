import type { TopicPartition } from '../admin/admin-requests.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { ResolvedConsumerOptions } from './consumer-options.ts';
import type { MembershipHost } from './group/membership.ts';
import type { CommitOffset } from '../admin/commit-offset.ts';
import { PartitionState } from './partition-state.ts';

export interface RebalanceHostParts {
  readonly cluster: Cluster;
  readonly options: ResolvedConsumerOptions;
  readonly states: Map<string, PartitionState>;
  readonly commit: (offsets: readonly CommitOffset[], timeoutMs: number) => Promise<void>;
  readonly onAdded: (states: readonly PartitionState[]) => void;
  readonly onFailed: (error: Error) => void;
}

/** A commit before a rebalance must not hold up the group for long. */
const COMMIT_TIMEOUT_MS = 10_000;

/** Moves partitions in and out of the consumer, and lets the application finish first. */
export class RebalanceHost implements MembershipHost {
  readonly #parts: RebalanceHostParts;
  /** Those who wait until nothing of certain partitions is in hand. */
  readonly #waiters = new Set<() => void>();
  #untrack: () => void = () => {};

  constructor(parts: RebalanceHostParts) {
    this.#parts = parts;
  }

  /** The loop has finished a record, or a partition has gone. */
  released(): void {
    for (const check of this.#waiters) check();
  }

  /** Whether somebody waits for the loop to finish. */
  get isWaiting(): boolean {
    return this.#waiters.size > 0;
  }

  async revoke(partitions: readonly TopicPartition[], isLost: boolean): Promise<void> {
    const { states, options } = this.#parts;
    const leaving = partitions
      .map(({ topic, partition }) => states.get(`${topic}-${partition}`))
      .filter((state) => state !== undefined);
    for (const state of leaving) state.isLeaving = true;
    if (isLost) this.#drop(leaving);
    else await this.#finish(leaving);
    // What got lost while it was being given up has been told of.
    const left = isLost ? leaving : leaving.filter(({ isGone }) => !isGone);
    if (left.length === 0) return;
    const { listener } = options;
    const callback = isLost ? (listener.onLost ?? listener.onRevoked) : listener.onRevoked;
    const places = left.map(({ topic, partition }) => ({ topic, partition }));
    await this.#call(() => callback?.call(listener, places));
    this.#drop(left);
  }

  async assign(added: readonly TopicPartition[]): Promise<void> {
    const { states, options } = this.#parts;
    const fresh = added.map(({ topic, partition }) => new PartitionState(topic, partition));
    // Nothing is read before the callback has ended, which may seek.
    for (const state of fresh) {
      state.isLeaving = true;
      states.set(state.id, state);
    }
    if (added.length > 0) await this.#call(() => options.listener.onAssigned?.(added));
    for (const state of fresh) state.isLeaving = false;
    this.#track();
    this.#parts.onAdded(fresh.filter(({ isGone }) => !isGone));
  }

  /** Topics are no longer of interest. */
  stop(): void {
    this.#untrack();
  }

  fail(error: Error): void {
    this.#parts.onFailed(error);
  }

  /** Waits until nothing of them is in hand, then commits what was done. */
  async #finish(leaving: readonly PartitionState[]): Promise<void> {
    await new Promise<void>((resolve) => {
      const check = (): void => {
        if (leaving.some((state) => state.isInHand && !state.isGone)) return;
        this.#waiters.delete(check);
        resolve();
      };
      this.#waiters.add(check);
      check();
    });
    if (!this.#parts.options.isAutoCommit) return;
    const offsets = offsetsOf(leaving.filter(({ isGone }) => !isGone));
    // It has been logged; the records come again, to whoever gets the partition.
    await this.#parts.commit(offsets, COMMIT_TIMEOUT_MS).catch(() => {});
  }

  #drop(leaving: readonly PartitionState[]): void {
    for (const state of leaving) {
      state.isGone = true;
      state.dropBuffered();
      if (this.#parts.states.get(state.id) === state) this.#parts.states.delete(state.id);
    }
    this.#track();
    this.released();
  }

  /** Leaders of what is assigned have to be known, also of topics that a pattern found. */
  #track(): void {
    const before = this.#untrack;
    this.#untrack = this.#parts.cluster.trackTopics(
      [...this.#parts.states.values()].map(({ topic }) => topic),
    );
    before();
  }

  async #call(callback: () => void | Promise<void>): Promise<void> {
    try {
      await callback();
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

/** What a commit says of partitions of which something is done that the group does not have yet. */
export function offsetsOf(states: readonly PartitionState[]): CommitOffset[] {
  return states
    .filter((state) => state.doneOffset >= 0 && state.doneOffset !== state.committedOffset)
    .map((state) => ({
      topic: state.topic,
      partition: state.partition,
      offset: state.doneOffset,
      // The epoch belongs to the record before the position; with records in hand it is not known for certain.
      leaderEpoch: state.doneOffset === state.position ? state.positionEpoch : -1,
    }));
}
