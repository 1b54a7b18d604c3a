import type { TimerHandle } from '@ottla/platform';
import type { ConsumerCore } from '../consumer-core.ts';
import type { PartitionState } from '../partition-state.ts';
import type { Message } from './message.ts';

interface Parked {
  readonly message: Message;
  readonly state: PartitionState;
  readonly dueMs: number;
  /** A seek meanwhile makes the record one of no interest. */
  readonly version: number;
  timer: TimerHandle;
}

/**
 * Records that were taken before their time, at most one for each partition, which waits meanwhile. What is buffered behind it
 * stays, and the position stays before it: nothing waits for it in a rebalance, and a commit does not cover it.
 *
 * ```
 * partition 0   ...done | parked until 12:00:05 | buffered ...      paused
 * partition 1   ...done | next | buffered ...                       goes on
 * ```
 */
export class ParkedRecords {
  readonly #core: ConsumerCore;
  readonly #onDue: (message: Message, state: PartitionState) => void;
  readonly #parked = new Set<Parked>();

  constructor(core: ConsumerCore, onDue: (message: Message, state: PartitionState) => void) {
    this.#core = core;
    this.#onDue = onDue;
  }

  /** Parks a record that was just taken until its time; false when that is past. */
  park(message: Message, state: PartitionState, dueMs: number): boolean {
    if (dueMs <= this.#core.cluster.options.clock.nowMs()) return false;
    state.position = message.offset;
    state.positionEpoch = -1;
    state.isParked = true;
    const parked: Parked = { message, state, dueMs, version: state.version, timer: { cancel: () => {} } };
    this.#parked.add(parked);
    this.#arm(parked);
    return true;
  }

  /** Leaves every partition as if its record had not been taken. */
  forgetAll(): void {
    for (const parked of this.#parked) {
      const { message, state, version } = parked;
      parked.timer.cancel();
      if (state.isGone) continue;
      state.isParked = false;
      if (state.version === version) state.moveTo(message.offset);
      this.#core.changed(state);
    }
    this.#parked.clear();
  }

  #arm(parked: Parked): void {
    const { clock } = this.#core.cluster.options;
    parked.timer = clock.setTimer(Math.max(1, parked.dueMs - clock.nowMs()), () => this.#look(parked));
  }

  #look(parked: Parked): void {
    const { message, state, dueMs, version } = parked;
    if (!state.isGone && dueMs > this.#core.cluster.options.clock.nowMs()) return this.#arm(parked);
    this.#parked.delete(parked);
    // A partition that is being given up goes on with somebody else.
    if (state.isGone || state.isLeaving) return;
    state.isParked = false;
    if (state.version === version) {
      state.position = message.offset + 1;
      state.positionEpoch = message.leaderEpoch;
      this.#onDue(message, state);
    }
    this.#core.changed(state);
  }
}
