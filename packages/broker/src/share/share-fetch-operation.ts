import type { Clock, TimerHandle } from '@ottla/platform';
import { ErrorCodes } from '@ottla/protocol';
import type { PartitionWaiter } from '../replica/partition.ts';
import { FetchIsolation, type PartitionReadResult } from '../replica/partition-read.ts';
import type { SharePartition, ShareWaiter } from './share-partition.ts';
import type { AcquiredRecords, ShareRefusal } from './share-partition-types.ts';
import { abortedRanges, acquiredBytes, batchesOf, subtractRanges } from './share-read.ts';

/** The limits of one ShareFetch over all its partitions. */
export interface ShareFetchParams {
  readonly memberId: string;
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly maxRecords: number;
  readonly batchSize: number;
  readonly acquireMode: number;
  /** False when the session has ended or begun anew since: nobody would give back what this fetch locked. */
  readonly isSessionOpen: () => boolean;
}

/** What one partition gave; an empty list of records is a normal answer. */
export interface ShareFetchResult extends ShareRefusal {
  readonly records: readonly Buffer[];
  readonly acquired: readonly AcquiredRecords[];
}

interface Reading {
  readonly share: SharePartition;
  readonly fetchOffset: number;
  readonly read: PartitionReadResult;
}

const NOTHING: ShareFetchResult = {
  errorCode: ErrorCodes.NONE,
  errorMessage: null,
  records: [],
  acquired: [],
};

/**
 * One ShareFetch over its partitions (Kafka's DelayedShareFetch): reads where something can be acquired, and when that is
 * too little waits for more records, for released ones, or for the time to be over. Records are locked only when the
 * answer goes out, so that nobody waits with locks in hand.
 *
 * One fetch at a time may read a share partition; the others are told when it is free again. So that idle fetches do not
 * tell each other so for ever, that is no news to those that have looked since something last changed, and a pass reads
 * nothing when every partition that it has not looked at is taken.
 */
export class ShareFetchOperation implements PartitionWaiter, ShareWaiter {
  readonly #params: ShareFetchParams;
  readonly #shares: readonly SharePartition[];
  readonly #clock: Clock;
  readonly #results = new Map<SharePartition, ShareFetchResult>();
  readonly #leases: { release(): void }[] = [];
  /** Looked at since something last changed. */
  readonly #seen = new Set<SharePartition>();
  #isOver = false;
  #isWoken = false;
  #wakeUp: (() => void) | null = null;
  #timer: TimerHandle | null = null;

  constructor(shares: readonly SharePartition[], params: ShareFetchParams, clock: Clock) {
    this.#shares = shares;
    this.#params = params;
    this.#clock = clock;
  }

  /** Resolves to what each partition gave; never rejects. */
  async run(): Promise<ReadonlyMap<SharePartition, ShareFetchResult>> {
    this.#isOver = this.#params.maxWaitMs <= 0 || this.#shares.length === 0;
    await this.#initialize();
    this.#watch();
    try {
      while (!(await this.#pass()) && !this.#isOver) await this.#wait();
    } finally {
      this.#unwatch();
    }
    return this.#results;
  }

  /** The time is over, or the client is gone. */
  cancel(): void {
    this.#isOver = true;
    this.onPartitionChanged();
  }

  /** Gives back the memory of the records; call when the answer has left. */
  release(): void {
    for (const lease of this.#leases.splice(0)) lease.release();
  }

  onPartitionChanged(): void {
    this.#seen.clear();
    this.#wake();
  }

  onShareChanged(): void {
    this.onPartitionChanged();
  }

  onFetchUnlocked(share: SharePartition): void {
    if (!this.#seen.has(share)) this.#wake();
  }

  #wake(): void {
    this.#isWoken = true;
    this.#wakeUp?.();
  }

  async #initialize(): Promise<void> {
    const fresh = this.#shares.filter(({ state }) => state === null);
    for (const [index, refusal] of (await Promise.all(fresh.map((share) => share.initialize()))).entries()) {
      if (refusal.errorCode !== 0) this.#results.set(fresh[index]!, { ...NOTHING, ...refusal });
    }
  }

  #watch(): void {
    if (this.#isOver) return;
    for (const share of this.#shares) {
      share.addWaiter(this);
      share.partition.addWaiter(this);
    }
    this.#timer = this.#clock.setTimer(this.#params.maxWaitMs, () => {
      this.#timer = null;
      this.cancel();
    });
  }

  #unwatch(): void {
    this.#timer?.cancel();
    for (const share of this.#shares) {
      share.removeWaiter(this);
      share.partition.removeWaiter(this);
    }
  }

  #wait(): Promise<void> {
    if (this.#isWoken) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wakeUp = () => {
        this.#wakeUp = null;
        resolve();
      };
    });
  }

  /** Reads, and acquires when there is enough; true when there is something to answer. */
  async #pass(): Promise<boolean> {
    this.#isWoken = false;
    const readings: Reading[] = [];
    try {
      const readBytes = await this.#read(readings);
      const isEnough = readBytes > 0 && readBytes >= this.#params.minBytes;
      if (!this.#params.isSessionOpen()) this.#isOver = true;
      else if (isEnough || this.#isOver || this.#results.size > 0) this.#acquire(readings);
    } finally {
      for (const { share, read } of readings) {
        if (!this.#results.get(share)?.records.length) read.lease?.release();
        share.unlockFetch();
      }
    }
    return [...this.#results.values()].some(
      ({ errorCode, acquired }) => errorCode !== 0 || acquired.length > 0,
    );
  }

  async #read(readings: Reading[]): Promise<number> {
    const { maxBytes } = this.#params;
    let readBytes = 0;
    const news = this.#shares.filter((share) => !this.#seen.has(share));
    let newsCount = 0;
    for (const share of [...news, ...this.#seen]) {
      if (this.#seen.has(share) && newsCount === 0 && !this.#isOver) break;
      share.moveLogStart();
      const { state, settings } = share;
      if (this.#results.has(share) || state === null || readBytes >= maxBytes) continue;
      const canAcquire = state.canAcquire(settings);
      if (canAcquire && !share.tryLockFetch()) continue;
      newsCount += 1;
      this.#seen.add(share);
      if (!canAcquire) continue;
      const fetchOffset = state.nextFetchOffset;
      const { topic, partition, topicId } = share.partition;
      const read = await share.partition.read(
        { topic, topicId, partition, fetchOffset, maxBytes, currentLeaderEpoch: -1, lastFetchedEpoch: -1 },
        {
          maxBytes: maxBytes - readBytes,
          minOneMessage: readBytes === 0,
          isolation: settings.isReadCommitted ? FetchIsolation.txnCommitted : FetchIsolation.highWatermark,
          requireLeader: true,
        },
      );
      readings.push({ share, fetchOffset, read });
      readBytes += read.sizeInBytes;
    }
    return readBytes;
  }

  #acquire(readings: readonly Reading[]): void {
    let remaining = this.#params.maxRecords;
    for (const { share, fetchOffset, read } of readings) {
      if (read.errorCode !== 0) {
        // A start that moved while reading is found by the next request.
        if (read.errorCode !== ErrorCodes.OFFSET_OUT_OF_RANGE)
          this.#results.set(share, { ...NOTHING, errorCode: read.errorCode });
        continue;
      }
      if (read.sizeInBytes === 0 || remaining <= 0) continue;
      const result = this.#acquireFrom({ share, fetchOffset, read }, remaining);
      if (result === null) continue;
      for (const { firstOffset, lastOffset } of result.acquired) remaining -= lastOffset - firstOffset + 1;
      if (read.lease !== null) this.#leases.push(read.lease);
      this.#results.set(share, result);
    }
  }

  #acquireFrom({ share, fetchOffset, read }: Reading, maxRecords: number): ShareFetchResult | null {
    const { memberId, batchSize, acquireMode } = this.#params;
    const batches = batchesOf(read);
    let acquired = share.acquire({
      memberId,
      batches: batches.map(({ summary }) => summary),
      fetchOffset,
      maxRecords,
      batchSize,
      mode: acquireMode,
    });
    if (acquired.length === 0) return null;
    if (read.abortedTransactions !== null && read.abortedTransactions.length > 0) {
      const aborted = abortedRanges(batches, read.abortedTransactions);
      for (const { firstOffset, lastOffset } of aborted)
        share.state?.archiveAborted(firstOffset, lastOffset, memberId);
      acquired = subtractRanges(acquired, aborted);
      // What lies behind them can be had at once.
      if (acquired.length === 0) this.onPartitionChanged();
    }
    const records = acquiredBytes(batches, acquired);
    return acquired.length === 0 ? null : { ...NOTHING, records, acquired };
  }
}
