import { DeliveryState, type StateBatch } from '../coordinator/share/share-state-types.ts';

/** A change of state that waits until it is durable. */
export interface Transition extends Target {
  /** Every run of the change; a run that is cut in two stays in it with both halves. */
  readonly runs: Run[];
}

/** A delivery state and count to go to. */
export interface Target {
  readonly state: DeliveryState;
  readonly deliveryCount: number;
}

/**
 * Neighbouring offsets of one share partition that share everything: state, delivery count, owner and lock. Mutable, and
 * known to `SharePartitionState` only.
 */
export interface Run {
  firstOffset: number;
  lastOffset: number;
  state: DeliveryState;
  deliveryCount: number;
  /** Who holds the lock; empty unless acquired. */
  memberId: string;
  /** When the lock ends, in monotonic milliseconds. */
  lockUntilMs: number;
  /** Being written: nobody may acquire or acknowledge it meanwhile. */
  transition: Transition | null;
  /** The in-flight batch it is of: what was acquired together for the first time. */
  batchFirstOffset: number;
  batchCount: number;
}

/** How many offsets a run has. */
export function countOf({ firstOffset, lastOffset }: Pick<Run, 'firstOffset' | 'lastOffset'>): number {
  return lastOffset - firstOffset + 1;
}

/** Whether its records are finished: nobody gets them again. */
export function isTerminal({ state }: Run): boolean {
  return state === DeliveryState.acknowledged || state === DeliveryState.archived;
}

/** Whether its records may be acquired now. */
export function isAvailable({ state, transition }: Run): boolean {
  return state === DeliveryState.available && transition === null;
}

/** The state batch that tells a run's state, or the one that it is on its way to. */
export function stateBatchOf(run: Run): StateBatch {
  const { state, deliveryCount } = run.transition ?? run;
  return { firstOffset: run.firstOffset, lastOffset: run.lastOffset, deliveryState: state, deliveryCount };
}

/**
 * The runs of a share partition in offset order, without holes:
 *
 *     start offset                                              end offset
 *     |- acknowledged -|--- acquired ---|- available -|- acquired -|  never acquired
 */
export class InFlightRuns {
  readonly #runs: Run[] = [];

  get length(): number {
    return this.#runs.length;
  }

  at(index: number): Run | undefined {
    return this.#runs[index];
  }

  [Symbol.iterator](): IterableIterator<Run> {
    return this.#runs[Symbol.iterator]();
  }

  push(run: Run): void {
    this.#runs.push(run);
  }

  /** Index of the run that holds an offset or, when none does, of the first one behind it. */
  indexOf(offset: number): number {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#runs[middle]!.lastOffset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Cuts runs so that one begins at `firstOffset` and one ends at `lastOffset`; returns the index of the first. */
  isolate(firstOffset: number, lastOffset: number): number {
    const index = this.#cutBefore(firstOffset);
    this.#cutBefore(lastOffset + 1);
    return index;
  }

  /** Removes what lies below an offset, cutting a run in two. */
  dropBelow(offset: number): void {
    this.#runs.splice(0, this.#cutBefore(offset));
  }

  /** Removes the finished runs at the beginning; returns the offset behind the last of them, or null. */
  dropFinished(): number | null {
    let count = 0;
    while (count < this.#runs.length && isTerminal(this.#runs[count]!)) count += 1;
    if (count === 0) return null;
    const end = this.#runs[count - 1]!.lastOffset + 1;
    this.#runs.splice(0, count);
    return end;
  }

  /** Joins finished neighbours of one kind around `index`, so that their number does not grow with every single acknowledgement. */
  joinAround(index: number): void {
    for (let left = Math.max(0, index - 1); left < this.#runs.length - 1 && left <= index;) {
      const run = this.#runs[left]!;
      const next = this.#runs[left + 1]!;
      if (isTerminal(run) && run.state === next.state && run.deliveryCount === next.deliveryCount) {
        run.lastOffset = next.lastOffset;
        this.#runs.splice(left + 1, 1);
      } else {
        left += 1;
      }
    }
  }

  #cutBefore(offset: number): number {
    const index = this.indexOf(offset);
    const run = this.#runs[index];
    if (run === undefined || run.firstOffset >= offset) return index;
    const rest = { ...run, firstOffset: offset };
    this.#runs.splice(index + 1, 0, rest);
    run.lastOffset = offset - 1;
    run.transition?.runs.push(rest);
    return index + 1;
  }
}
