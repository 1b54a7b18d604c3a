import { DeliveryState, type StateBatch } from '../coordinator/share/share-state-types.ts';
import { checkAcknowledgements, targetOf } from './acknowledgement-rules.ts';
import { BatchDelivery, isSuspect } from './delivery-throttle.ts';
import {
  countOf,
  InFlightRuns,
  isAvailable,
  isTerminal,
  stateBatchOf,
  type Run,
  type Target,
} from './in-flight-runs.ts';
import {
  AcknowledgeType,
  ShareAcquireMode,
  type AcknowledgementBatch,
  type AcquiredRecords,
  type AcquireRequest,
  type SharePartitionSettings,
  type ShareRefusal,
} from './share-partition-types.ts';

/** Changes that are to be written; `settle` ends them. */
export interface Change {
  readonly runs: readonly Run[];
  readonly stateBatches: readonly StateBatch[];
}

const NOTHING: Change = { runs: [], stateBatches: [] };

/**
 * What one share group has done with one partition (KIP-932): a pure state machine. No clock, no I/O: times come in,
 * changes to be written go out, and count when `settle` says that they are durable.
 *
 *     available --acquire--> acquired --accept--> acknowledged
 *         ^                     |----reject, gap, or one release too many--> archived
 *         |------ release, lock ends, member goes ------|
 */
export class SharePartitionState {
  readonly #runs = new InFlightRuns();
  #startOffset: number;
  #endOffset: number;
  #availableCount = 0;
  #terminalCount = 0;

  /** From what the share coordinator has; offsets that it says nothing of were under way and are available again. */
  constructor(startOffset: number, stateBatches: readonly StateBatch[]) {
    this.#startOffset = startOffset;
    this.#endOffset = startOffset;
    for (const batch of stateBatches) {
      if (batch.lastOffset < this.#endOffset) continue;
      if (batch.firstOffset > this.#endOffset)
        this.#append(batch.firstOffset - 1, DeliveryState.available, 0);
      this.#append(batch.lastOffset, batch.deliveryState as DeliveryState, batch.deliveryCount);
    }
    this.#moveStart();
  }

  /** The first offset that is not finished. */
  get startOffset(): number {
    return this.#startOffset;
  }

  /** The first offset that nobody has acquired yet. */
  get endOffset(): number {
    return this.#endOffset;
  }

  /** Records between start and end that are not finished. */
  get inFlightCount(): number {
    return this.#endOffset - this.#startOffset - this.#terminalCount;
  }

  /** Finished records behind the start offset, those included that are being written. */
  get deliveryCompleteCount(): number {
    let pending = 0;
    for (const run of this.#runs) {
      const state = run.transition?.state;
      if (state === DeliveryState.acknowledged || state === DeliveryState.archived) pending += countOf(run);
    }
    return this.#terminalCount + pending;
  }

  /** Where to read next: released records first. */
  get nextFetchOffset(): number {
    if (this.#availableCount === 0) return this.#endOffset;
    for (const run of this.#runs) if (isAvailable(run)) return run.firstOffset;
    return this.#endOffset;
  }

  /** Whether a fetch can lead to anything. */
  canAcquire({ maxRecordLocks }: SharePartitionSettings): boolean {
    return this.#availableCount > 0 || this.inFlightCount < maxRecordLocks;
  }

  /** The runs, for tests and for looking into a partition. */
  runs(): Iterable<Readonly<Run>> {
    return this.#runs;
  }

  /** Locks records of the batches that were read, for one member. */
  acquire(request: AcquireRequest, settings: SharePartitionSettings, nowMs: number): AcquiredRecords[] {
    const first = request.batches[0]!;
    const last = request.batches.at(-1)!;
    this.#archiveMissing(request.fetchOffset, first.baseOffset - 1);
    const acquired: AcquiredRecords[] = [];
    const lock = { memberId: request.memberId, lockUntilMs: nowMs + settings.recordLockDurationMs };
    const isRecordLimit = request.mode === ShareAcquireMode.recordLimit;
    let remaining = request.maxRecords;
    let delivery: BatchDelivery | null = null;
    for (let index = this.#runs.indexOf(Math.max(first.baseOffset, this.#startOffset)); ; index++) {
      const run = this.#runs.at(index);
      if (run === undefined || run.firstOffset > last.lastOffset) break;
      if (!isAvailable(run)) continue;
      if (delivery?.batchFirstOffset !== run.batchFirstOffset) {
        // Outside of the record limit the number of records is a wish: what is available of a batch goes out whole.
        if (remaining <= 0) return acquired;
        const isThrottled = this.#isThrottled(index, last.lastOffset, settings.deliveryCountLimit);
        if (delivery?.isThrottled === true || (isThrottled && acquired.length > 0)) return acquired;
        delivery = new BatchDelivery(run, isThrottled, settings.deliveryCountLimit);
      }
      const allowance = delivery.allowanceFor(run);
      const count = isRecordLimit ? Math.min(remaining, allowance) : allowance;
      if (count <= 0) return acquired;
      const from = Math.max(run.firstOffset, first.baseOffset);
      const to = Math.min(run.lastOffset, last.lastOffset, from + count - 1);
      index = this.#runs.isolate(from, to);
      const isSameBatch = delivery.isBegun;
      delivery.take(run, to - from + 1);
      this.#lock(this.#runs.at(index)!, lock, { acquired, isSameBatch });
      remaining -= to - from + 1;
      if (delivery.isComplete) return acquired;
    }
    if (remaining > 0 && delivery?.isThrottled !== true && last.lastOffset >= this.#endOffset)
      this.#acquireNew(request, { ...lock, remaining, maxRecordLocks: settings.maxRecordLocks }, acquired);
    return acquired;
  }

  /** Takes records of aborted transactions out of what was just acquired: they are archived at once. */
  archiveAborted(firstOffset: number, lastOffset: number, memberId: string): void {
    const from = Math.max(firstOffset, this.#startOffset);
    if (from > lastOffset) return;
    let index = this.#runs.isolate(from, lastOffset);
    for (; ; index++) {
      const run = this.#runs.at(index);
      if (run === undefined || run.firstOffset > lastOffset) break;
      if (run.state === DeliveryState.acquired && run.memberId === memberId && run.transition === null)
        this.#end(run, { state: DeliveryState.archived, deliveryCount: run.deliveryCount });
    }
    this.#moveStart();
  }

  /** Ends locks as their owner says. All or nothing: a refusal changes nothing. Renewals count at once. */
  acknowledge(
    memberId: string,
    batches: readonly AcknowledgementBatch[],
    context: { readonly settings: SharePartitionSettings; readonly nowMs: number },
  ): Change | ShareRefusal {
    const refusal = checkAcknowledgements(this.#runs, { memberId, batches, startOffset: this.#startOffset });
    if (refusal !== null) return refusal;
    const changed: Run[] = [];
    for (const batch of batches) {
      for (const { firstOffset, lastOffset, type } of spans(batch)) {
        const from = Math.max(firstOffset, this.#startOffset);
        for (const run of from > lastOffset ? [] : this.#isolated(from, lastOffset)) {
          if (type === AcknowledgeType.renew) {
            run.lockUntilMs = context.nowMs + context.settings.recordLockDurationMs;
          } else {
            const target = targetOf(type, run.deliveryCount, context.settings.deliveryCountLimit);
            run.transition = { ...target, runs: changed };
            changed.push(run);
          }
        }
      }
    }
    return changeOf(changed);
  }

  /** Gives back everything that a member holds: it is gone. */
  releaseMember(memberId: string, deliveryCountLimit: number): Change {
    const changed: Run[] = [];
    for (const run of this.#runs) {
      if (run.memberId !== memberId || run.state !== DeliveryState.acquired || run.transition !== null)
        continue;
      const target = targetOf(AcknowledgeType.release, run.deliveryCount, deliveryCountLimit);
      run.transition = { ...target, runs: changed };
      changed.push(run);
    }
    return changeOf(changed);
  }

  /**
   * Ends a change: it is durable, or it is taken back and the locks go on. Returns what locks ended meanwhile; that needs
   * no `settle`.
   */
  settle(
    change: Change,
    isDurable: boolean,
    context: { readonly deliveryCountLimit: number; readonly nowMs: number },
  ): Change {
    for (const run of change.runs) {
      const { transition } = run;
      run.transition = null;
      if (transition !== null && isDurable) this.#end(run, transition);
    }
    if (!isDurable) return this.expire(context);
    for (const run of change.runs)
      if (isTerminal(run)) this.#runs.joinAround(this.#runs.indexOf(run.firstOffset));
    this.#moveStart();
    return NOTHING;
  }

  /** Releases what was locked for too long; the returned change needs no `settle`. */
  expire({
    deliveryCountLimit,
    nowMs,
  }: {
    readonly deliveryCountLimit: number;
    readonly nowMs: number;
  }): Change {
    const expired: Run[] = [];
    for (const run of this.#runs) {
      const isHeld = run.state === DeliveryState.acquired && run.transition === null;
      if (!isHeld || run.lockUntilMs > nowMs) continue;
      this.#end(run, targetOf(AcknowledgeType.release, run.deliveryCount, deliveryCountLimit));
      expired.push({ ...run });
    }
    if (expired.length === 0) return NOTHING;
    this.#moveStart();
    return changeOf(expired);
  }

  /** When the next lock ends, in monotonic milliseconds; Infinity when there is none. */
  nextExpiryMs(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const { state, transition, lockUntilMs } of this.#runs) {
      if (state === DeliveryState.acquired && transition === null) earliest = Math.min(earliest, lockUntilMs);
    }
    return earliest;
  }

  /** The log lost its beginning: nobody can have what lay before. Returns whether anything changed. */
  moveLogStart(logStartOffset: number): boolean {
    if (logStartOffset <= this.#startOffset) return false;
    this.#runs.dropBelow(logStartOffset);
    this.#startOffset = logStartOffset;
    this.#endOffset = Math.max(this.#endOffset, logStartOffset);
    this.#recount();
    this.#moveStart();
    return true;
  }

  #append(lastOffset: number, state: DeliveryState, deliveryCount: number): void {
    const firstOffset = this.#endOffset;
    const run: Run = {
      firstOffset,
      lastOffset,
      state,
      deliveryCount,
      memberId: '',
      lockUntilMs: 0,
      transition: null,
      batchFirstOffset: firstOffset,
      batchCount: lastOffset - firstOffset + 1,
    };
    this.#runs.push(run);
    this.#endOffset = lastOffset + 1;
    this.#count(run, 1);
  }

  /** Whether records of the batch that begins here were delivered so often that they go out in pieces. */
  #isThrottled(index: number, lastOffset: number, deliveryCountLimit: number): boolean {
    const { batchFirstOffset } = this.#runs.at(index)!;
    for (let at = index; ; at++) {
      const run = this.#runs.at(at);
      if (run?.batchFirstOffset !== batchFirstOffset || run.firstOffset > lastOffset) return false;
      if (isAvailable(run) && isSuspect(run, deliveryCountLimit)) return true;
    }
  }

  /** Entries of the answer go on from run to run, but not into the next batch. */
  #lock(
    run: Run,
    lock: Lock,
    { acquired, isSameBatch }: { readonly acquired: AcquiredRecords[]; readonly isSameBatch: boolean },
  ): void {
    this.#availableCount -= countOf(run);
    run.state = DeliveryState.acquired;
    run.deliveryCount += 1;
    run.memberId = lock.memberId;
    run.lockUntilMs = lock.lockUntilMs;
    const { firstOffset, lastOffset, deliveryCount } = run;
    const before = acquired.at(-1);
    const isNext = before?.deliveryCount === deliveryCount && before.lastOffset + 1 === firstOffset;
    if (before !== undefined && isNext && isSameBatch)
      acquired[acquired.length - 1] = { ...before, lastOffset };
    else acquired.push({ firstOffset, lastOffset, deliveryCount });
  }

  #acquireNew(
    request: AcquireRequest,
    {
      memberId,
      lockUntilMs,
      remaining,
      maxRecordLocks,
    }: Lock & { remaining: number; maxRecordLocks: number },
    acquired: AcquiredRecords[],
  ): void {
    const count = Math.min(remaining, maxRecordLocks - this.inFlightCount);
    if (count <= 0) return;
    const { batches, mode, batchSize } = request;
    const wantedLast = Math.max(this.#endOffset, batches[0]!.baseOffset) + count - 1;
    if (batches[0]!.baseOffset > this.#endOffset)
      this.#append(batches[0]!.baseOffset - 1, DeliveryState.archived, 0);
    const oldCount = acquired.length;
    for (const { baseOffset, lastOffset } of batches) {
      if (lastOffset < this.#endOffset) continue;
      if (Math.max(baseOffset, this.#endOffset) > wantedLast) break;
      const entry = acquired.length > oldCount ? acquired.at(-1) : undefined;
      if (entry !== undefined && countOf(entry) < batchSize) {
        acquired[acquired.length - 1] = { ...entry, lastOffset };
        this.#extend(lastOffset);
        continue;
      }
      acquired.push({ firstOffset: this.#endOffset, lastOffset, deliveryCount: 1 });
      this.#append(lastOffset, DeliveryState.acquired, 1);
      const run = this.#runs.at(this.#runs.length - 1)!;
      run.memberId = memberId;
      run.lockUntilMs = lockUntilMs;
    }
    if (mode === ShareAcquireMode.recordLimit && this.#endOffset - 1 > wantedLast) {
      acquired[acquired.length - 1] = { ...acquired.at(-1)!, lastOffset: wantedLast };
      this.#giveBack(wantedLast + 1);
    }
    this.#moveStart();
  }

  /** The end of a batch is over the limit: it is there for the next, as part of the same batch. */
  #giveBack(firstOffset: number): void {
    const rest = this.#runs.at(this.#runs.isolate(firstOffset, this.#endOffset - 1))!;
    this.#end(rest, { state: DeliveryState.available, deliveryCount: 0 });
  }

  /** The run at the end goes on, and its batch with it. */
  #extend(lastOffset: number): void {
    const run = this.#runs.at(this.#runs.length - 1)!;
    run.batchCount += lastOffset - run.lastOffset;
    run.lastOffset = lastOffset;
    this.#endOffset = lastOffset + 1;
  }

  /** Compaction or retention took records that were to be delivered again: nobody will get them any more. */
  #archiveMissing(firstOffset: number, lastOffset: number): void {
    const from = Math.max(firstOffset, this.#startOffset);
    const to = Math.min(lastOffset, this.#endOffset - 1);
    if (from > to) return;
    for (const run of this.#isolated(from, to))
      if (isAvailable(run))
        this.#end(run, { state: DeliveryState.archived, deliveryCount: run.deliveryCount });
    this.#moveStart();
  }

  #isolated(firstOffset: number, lastOffset: number): Run[] {
    const found: Run[] = [];
    for (let index = this.#runs.isolate(firstOffset, lastOffset); ; index++) {
      const run = this.#runs.at(index);
      if (run === undefined || run.firstOffset > lastOffset) return found;
      found.push(run);
    }
  }

  /** A run goes to another state and is nobody's any more. */
  #end(run: Run, { state, deliveryCount }: Target): void {
    // A run that the log's new start took away in the meantime counts no more.
    const isThere = this.#runs.at(this.#runs.indexOf(run.firstOffset)) === run;
    if (isThere) this.#count(run, -1);
    run.state = state;
    run.deliveryCount = deliveryCount;
    run.memberId = '';
    if (isThere) this.#count(run, 1);
  }

  #count(run: Run, sign: 1 | -1): void {
    if (run.state === DeliveryState.available) this.#availableCount += sign * countOf(run);
    else if (isTerminal(run)) this.#terminalCount += sign * countOf(run);
  }

  #recount(): void {
    this.#availableCount = 0;
    this.#terminalCount = 0;
    for (const run of this.#runs) this.#count(run, 1);
  }

  #moveStart(): void {
    const finishedEnd = this.#runs.dropFinished();
    if (finishedEnd === null) return;
    this.#terminalCount -= finishedEnd - this.#startOffset;
    this.#startOffset = finishedEnd;
  }
}

interface Lock {
  readonly memberId: string;
  readonly lockUntilMs: number;
}

function changeOf(runs: readonly Run[]): Change {
  return { runs, stateBatches: runs.map(stateBatchOf) };
}

/** Neighbouring offsets of the same acknowledgement type. */
function* spans(
  batch: AcknowledgementBatch,
): Generator<{ firstOffset: number; lastOffset: number; type: number }> {
  const { firstOffset, lastOffset, acknowledgeTypes } = batch;
  const first = acknowledgeTypes[0]!;
  if (acknowledgeTypes.length === 1) {
    yield { firstOffset, lastOffset, type: first };
    return;
  }
  let begin = 0;
  for (let i = 1; i <= acknowledgeTypes.length; i++) {
    if (acknowledgeTypes[i] === acknowledgeTypes[begin] && i < acknowledgeTypes.length) continue;
    yield {
      firstOffset: firstOffset + begin,
      lastOffset: firstOffset + i - 1,
      type: acknowledgeTypes[begin]!,
    };
    begin = i;
  }
}
