import { SeededRandom } from '@ottla/platform';
import { DeliveryState, type StateBatch } from '../../src/coordinator/share/share-state-types.ts';
import { combineStateBatches } from '../../src/coordinator/share/state-batches.ts';
import { SharePartitionState, type Change } from '../../src/share/share-partition-state.ts';
import { AcknowledgeType, type SharePartitionSettings } from '../../src/share/share-partition-types.ts';

const SETTINGS: SharePartitionSettings = {
  recordLockDurationMs: 100,
  deliveryCountLimit: 5,
  maxRecordLocks: 60,
  autoOffsetReset: 'earliest',
  isReadCommitted: false,
  isRenewEnabled: true,
};
const MAX_BATCH = 12;
const MEMBERS = ['a', 'b', 'c'];

interface Held {
  readonly offset: number;
  readonly memberId: string;
  readonly untilMs: number;
}

interface Write {
  readonly change: Change | null;
  readonly stateBatches: readonly StateBatch[];
  readonly accepted: readonly number[];
}

/**
 * A share partition between random members and a store that may refuse or lose the last writes, seed by seed. Beside it
 * stands a model that knows record by record who holds what; it complains about what must never happen.
 */
export class SharePartitionSimulation {
  readonly #random: SeededRandom;
  #state = new SharePartitionState(0, []);
  #nowMs = 0;
  #logEnd = 0;
  #batches: { baseOffset: number; lastOffset: number }[] = [];
  #queue: Write[] = [];
  /** What the share coordinator has. */
  #stored: { startOffset: number; stateBatches: StateBatch[] } = { startOffset: 0, stateBatches: [] };
  readonly #held = new Map<number, Held>();
  /** Records whose acceptance is durable. */
  readonly #accepted = new Set<number>();
  readonly #delivered = new Map<number, number>();
  #logStart = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  /** Runs so many random steps; throws at the first thing that must not be. */
  run(steps: number): void {
    for (let step = 0; step < steps; step++) {
      this.#step();
      this.#check();
    }
    this.#drain();
  }

  get acceptedCount(): number {
    return this.#accepted.size;
  }

  #step(): void {
    const dice = this.#random.nextInt(100);
    if (dice < 15) this.#produce();
    else if (dice < 45) this.#fetch(this.#member());
    else if (dice < 70) this.#acknowledge(this.#member());
    else if (dice < 85) this.#finishWrite(this.#random.nextInt(10) > 0);
    else if (dice < 91) this.#pass(this.#random.nextInt(60));
    else if (dice < 94) this.#leave(this.#member());
    else if (dice < 96) this.#trimLog();
    else if (dice < 98) this.#restart();
    else this.#hostile(this.#member());
  }

  #produce(): void {
    const count = 1 + this.#random.nextInt(MAX_BATCH);
    this.#batches.push({ baseOffset: this.#logEnd, lastOffset: this.#logEnd + count - 1 });
    this.#logEnd += count;
  }

  #fetch(memberId: string): void {
    if (!this.#state.canAcquire(SETTINGS)) return;
    const fetchOffset = this.#state.nextFetchOffset;
    const batches = this.#batches
      .filter(({ lastOffset }) => lastOffset >= fetchOffset)
      .slice(0, 1 + this.#random.nextInt(4));
    if (batches.length === 0) return;
    const maxRecords = 1 + this.#random.nextInt(30);
    const mode = this.#random.nextInt(2);
    const acquired = this.#state.acquire(
      { memberId, batches, fetchOffset, maxRecords, batchSize: 10, mode },
      SETTINGS,
      this.#nowMs,
    );
    let count = 0;
    for (const { firstOffset, lastOffset, deliveryCount } of acquired) {
      for (let offset = firstOffset; offset <= lastOffset; offset++) {
        count += 1;
        if (this.#accepted.has(offset))
          throw new Error(`Record ${offset} was accepted and is delivered again`);
        const holder = this.#held.get(offset);
        if (holder !== undefined)
          throw new Error(`Record ${offset} is delivered to ${memberId} while ${holder.memberId} holds it`);
        if (deliveryCount > SETTINGS.deliveryCountLimit)
          throw new Error(`Record ${offset} is delivered ${deliveryCount} times`);
        this.#held.set(offset, { offset, memberId, untilMs: this.#nowMs + SETTINGS.recordLockDurationMs });
        this.#delivered.set(offset, (this.#delivered.get(offset) ?? 0) + 1);
      }
    }
    if (mode === 1 && count > maxRecords) throw new Error(`${count} records for a limit of ${maxRecords}`);
  }

  #acknowledge(memberId: string): void {
    const mine = [...this.#held.values()].filter((held) => held.memberId === memberId);
    if (mine.length === 0) return;
    const first = mine[this.#random.nextInt(mine.length)]!.offset;
    let last = first;
    while (this.#held.get(last + 1)?.memberId === memberId && this.#random.nextInt(4) > 0) last += 1;
    const type = [
      AcknowledgeType.accept,
      AcknowledgeType.release,
      AcknowledgeType.reject,
      AcknowledgeType.renew,
    ][this.#random.nextInt(4)]!;
    const single = this.#random.nextInt(2) === 0;
    const acknowledgeTypes = single ? [type] : Array.from({ length: last - first + 1 }, () => type);
    const change = this.#state.acknowledge(
      memberId,
      [{ firstOffset: first, lastOffset: last, acknowledgeTypes }],
      {
        settings: SETTINGS,
        nowMs: this.#nowMs,
      },
    );
    if ('errorCode' in change)
      throw new Error(`Acknowledging ${first}-${last} is refused: ${change.errorMessage}`);
    const accepted: number[] = [];
    for (let offset = first; offset <= last; offset++) {
      if (type === AcknowledgeType.renew) {
        this.#held.set(offset, { offset, memberId, untilMs: this.#nowMs + SETTINGS.recordLockDurationMs });
      } else {
        this.#held.delete(offset);
        if (type === AcknowledgeType.accept) accepted.push(offset);
      }
    }
    if (change.stateBatches.length > 0)
      this.#queue.push({ change, stateBatches: change.stateBatches, accepted });
  }

  #finishWrite(isDurable: boolean): void {
    const write = this.#queue.shift();
    if (write === undefined) return;
    if (isDurable) this.#store(write);
    if (write.change === null) return;
    const context = { deliveryCountLimit: SETTINGS.deliveryCountLimit, nowMs: this.#nowMs };
    const ended = this.#state.settle(write.change, isDurable, context);
    if (!isDurable) this.#takeBack();
    this.#noteEnded(ended);
  }

  #store({ stateBatches, accepted }: Write): void {
    const startOffset = Math.max(this.#stored.startOffset, this.#state.startOffset);
    this.#stored = {
      startOffset,
      stateBatches: combineStateBatches(this.#stored.stateBatches, stateBatches, startOffset),
    };
    for (const offset of accepted) this.#accepted.add(offset);
  }

  /** After a failed write the locks are as they were. */
  #takeBack(): void {
    for (const run of this.#state.runs()) {
      if (run.state !== DeliveryState.acquired || run.transition !== null) continue;
      for (let offset = run.firstOffset; offset <= run.lastOffset; offset++)
        this.#held.set(offset, { offset, memberId: run.memberId, untilMs: run.lockUntilMs });
    }
  }

  #pass(ms: number): void {
    this.#nowMs += ms;
    const { deliveryCountLimit } = SETTINGS;
    this.#noteEnded(this.#state.expire({ deliveryCountLimit, nowMs: this.#nowMs }));
  }

  #noteEnded(ended: Change): void {
    for (const [offset, held] of this.#held) if (held.untilMs <= this.#nowMs) this.#held.delete(offset);
    if (ended.stateBatches.length > 0)
      this.#queue.push({ change: null, stateBatches: ended.stateBatches, accepted: [] });
  }

  #leave(memberId: string): void {
    const change = this.#state.releaseMember(memberId, SETTINGS.deliveryCountLimit);
    for (const [offset, held] of this.#held) if (held.memberId === memberId) this.#held.delete(offset);
    if (change.stateBatches.length > 0)
      this.#queue.push({ change, stateBatches: change.stateBatches, accepted: [] });
  }

  #trimLog(): void {
    if (this.#logEnd === this.#logStart || this.#random.nextInt(3) > 0) return;
    this.#logStart = Math.min(this.#logEnd, this.#logStart + this.#random.nextInt(20));
    this.#state.moveLogStart(this.#logStart);
    this.#batches = this.#batches.filter(({ lastOffset }) => lastOffset >= this.#logStart);
    for (const offset of this.#held.keys()) if (offset < this.#logStart) this.#held.delete(offset);
  }

  /** Memory is lost; what was not written counts as never decided. */
  #restart(): void {
    this.#queue = [];
    this.#held.clear();
    this.#state = new SharePartitionState(this.#stored.startOffset, this.#stored.stateBatches);
    this.#state.moveLogStart(this.#logStart);
  }

  /** Nobody may end what another holds, or what nobody holds. */
  #hostile(memberId: string): void {
    const offset =
      this.#state.startOffset +
      this.#random.nextInt(Math.max(1, this.#state.endOffset - this.#state.startOffset + 5));
    if (this.#held.get(offset)?.memberId === memberId) return;
    const batch = { firstOffset: offset, lastOffset: offset, acknowledgeTypes: [AcknowledgeType.accept] };
    const change = this.#state.acknowledge(memberId, [batch], { settings: SETTINGS, nowMs: this.#nowMs });
    if (!('errorCode' in change))
      throw new Error(`${memberId} may acknowledge ${offset}, which it does not hold`);
  }

  #check(): void {
    const state = this.#state;
    if (state.startOffset < this.#logStart) throw new Error('The start lies before the log');
    if (state.inFlightCount > SETTINGS.maxRecordLocks + MAX_BATCH)
      throw new Error(`${state.inFlightCount} records in flight`);
    let next = state.startOffset;
    let available = Number.POSITIVE_INFINITY;
    for (const run of state.runs()) {
      if (run.firstOffset !== next) throw new Error(`A hole before ${run.firstOffset}`);
      next = run.lastOffset + 1;
      const isFree = run.state === DeliveryState.available && run.transition === null;
      if (isFree) available = Math.min(available, run.firstOffset);
      const isHeld = run.state === DeliveryState.acquired && run.transition === null;
      for (let offset = run.firstOffset; offset <= run.lastOffset; offset++)
        if (isHeld !== this.#held.has(offset))
          throw new Error(`The model disagrees about who holds ${offset}`);
    }
    if (next !== state.endOffset) throw new Error('The end is not where the runs end');
    const expected = available === Number.POSITIVE_INFINITY ? state.endOffset : available;
    if (state.nextFetchOffset !== expected)
      throw new Error(`Fetches at ${state.nextFetchOffset} instead of ${expected}`);
    for (let offset = this.#logStart; offset < state.startOffset; offset++)
      if (!this.#delivered.has(offset)) throw new Error(`Record ${offset} was skipped`);
  }

  /** In the end everything is finished: nothing is left behind for ever. */
  #drain(): void {
    for (let round = 0; round < 10_000 && this.#state.startOffset < this.#logEnd; round++) {
      this.#finishWrite(true);
      this.#fetch('a');
      for (const { offset, memberId } of this.#held.values()) {
        const batch = { firstOffset: offset, lastOffset: offset, acknowledgeTypes: [AcknowledgeType.accept] };
        const change = this.#state.acknowledge(memberId, [batch], { settings: SETTINGS, nowMs: this.#nowMs });
        if ('errorCode' in change) throw new Error(`Not drained: ${change.errorMessage}`);
        this.#held.delete(offset);
        this.#queue.push({ change, stateBatches: change.stateBatches, accepted: [offset] });
      }
      while (this.#queue.length > 0) this.#finishWrite(true);
      this.#check();
    }
    if (this.#state.startOffset !== this.#logEnd)
      throw new Error(`Stuck at ${this.#state.startOffset} of ${this.#logEnd}`);
  }

  #member(): string {
    return MEMBERS[this.#random.nextInt(MEMBERS.length)]!;
  }
}
