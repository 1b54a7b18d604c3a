import { ErrorCodes } from '@ottla/protocol';
import type { AppendResult } from '../../replica/replica-manager.ts';
import { CoordinatorError, groupErrorOfAppendError, leftNothingBehind } from './coordinator-error.ts';
import { encodeRecordBatch, recordSizeInBytes, type EncodedRecord } from './record-batches.ts';
import { OverdueWatch } from './overdue-watch.ts';
import type { ShardOptions } from './shard-options.ts';
import type { CoordinatorTypes, Outcome, RecordPosition, TransactionalProducer } from './state-machine.ts';

/** One outcome on its way to the log. */
export interface Write<T extends CoordinatorTypes> {
  readonly outcome: Outcome<T>;
  readonly encoded: readonly EncodedRecord[];
  readonly sizeInBytes: number;
  /** Some of its records are replayed at the append: when it fails, the state is ahead of the log. */
  readonly isAhead: boolean;
  /** Batches that hold a part of it and are not finished. */
  pendingBatches: number;
  /** The first error of its batches. */
  errorCode: number;
}

/** What the writer tells its shard. */
export interface WriteListener<T extends CoordinatorTypes> {
  replay(record: T['record'], position: RecordPosition): void;
  /** Whether a record is replayed by the shard at the append, and not here again. */
  isReplayedAtAppend(record: T['record']): boolean;
  /** Every record of the write is committed and replayed. */
  committed(write: Write<T>): void;
  /** The write takes longer than it may: whoever waits for it is told so. It goes on, and is reported when it has ended. */
  overdue(write: Write<T>): void;
  /** Kafka's error code of the append. */
  failed(write: Write<T>, errorCode: number): void;
  /** A marker is in the log: what the producer wrote counts, or vanishes. */
  transactionEnded(producerId: number, committed: boolean): void;
  /** State and log may differ from here on. */
  lost(errorCode: number, cause: unknown): void;
}

interface Slice<T extends CoordinatorTypes> {
  readonly write: Write<T>;
  readonly from: number;
  readonly to: number;
}

interface Batch<T extends CoordinatorTypes> {
  readonly slices: Slice<T>[];
  readonly records: EncodedRecord[];
  sizeInBytes: number;
  /** Holds records that were replayed at the append. */
  isAhead: boolean;
  /** The transaction that all its records belong to. */
  readonly producer: TransactionalProducer | null;
  /** Not records, but the end of a transaction. */
  readonly marker: Marker | null;
}

/** A marker on its way to the log. */
interface Marker {
  readonly records: Buffer;
  readonly producerId: number;
  readonly committed: boolean;
  readonly resolve: (errorCode: number) => void;
}

/**
 * Gathers the records of several outcomes into one batch, appends it, and reports batches in log order: replay first, then
 * the outcomes that are complete with it. A batch is open until the loop turn (or the linger time) ends or it is full.
 *
 * While a batch with records that were replayed at the append is in flight, the next ones wait: they may rest on its records,
 * and must not get into the log when those do not. An outcome without records may be hung onto the last such batch, to be
 * reported with it.
 *
 * An append waits for its commit as long as it takes, since what is in the log cannot be taken back; after
 * `writeTimeoutMs` only its callers are given up.
 */
export class ShardWriter<T extends CoordinatorTypes> {
  readonly #options: ShardOptions<T>;
  readonly #listener: WriteListener<T>;
  #open: Batch<T> | null = null;
  /** The last batch, open or in flight, with records that were replayed at the append. */
  #lastAhead: Batch<T> | null = null;
  /** Markers that are not in the log yet. */
  readonly #markers = new Set<Marker>();
  /** Full or due, and waiting for what is ahead in the log before them. */
  #ready: Batch<T>[] = [];
  #inFlight = 0;
  #aheadInFlight = false;
  #closed = false;
  readonly #overdue: OverdueWatch<Batch<T>>;
  #drainWaiters: (() => void)[] = [];
  /** Settles after every batch appended so far has been reported. */
  #tail: Promise<void> = Promise.resolve();

  constructor(options: ShardOptions<T>, listener: WriteListener<T>) {
    this.#options = options;
    this.#listener = listener;
    const { clock, settings } = options;
    this.#overdue = new OverdueWatch(clock, settings.writeTimeoutMs, (batch) => this.#giveUpCallers(batch));
  }

  /** True when every record handed over so far is committed and replayed, or has failed. */
  get idle(): boolean {
    return this.#open === null && this.#ready.length === 0 && this.#inFlight === 0;
  }

  /** Encodes the records of an outcome, before anything of it takes effect: what cannot be encoded throws here. */
  prepare(outcome: Outcome<T>): Write<T> {
    const encoded: EncodedRecord[] = [];
    let sizeInBytes = 0;
    let isAhead = false;
    for (const record of outcome.records) {
      const bytes = this.#options.serde.encode(record);
      encoded.push(bytes);
      sizeInBytes += recordSizeInBytes(bytes);
      isAhead ||= this.#listener.isReplayedAtAppend(record);
    }
    // Found out now, it is the failure of one command; at the append it would be that of the shard.
    if (isAhead && outcome.atomic && sizeInBytes > this.#options.settings.maxBatchBytes) {
      throw new CoordinatorError(groupErrorOfAppendError(ErrorCodes.MESSAGE_TOO_LARGE));
    }
    return { outcome, encoded, sizeInBytes, isAhead, pendingBatches: 0, errorCode: ErrorCodes.NONE };
  }

  /** True while records that were replayed at the append are not committed. */
  get isAhead(): boolean {
    return this.#lastAhead !== null;
  }

  /** Reports an outcome without records after everything that was replayed at the append so far. */
  enqueueBehindAhead(outcome: Outcome<T>): void {
    const write = { ...this.prepare(outcome), pendingBatches: 1 };
    this.#lastAhead?.slices.push({ write, from: 0, to: 0 });
  }

  enqueue(write: Write<T>): void {
    const { maxBatchBytes } = this.#options.settings;
    if (write.outcome.atomic) {
      this.#add(write, 0, write.encoded.length, write.sizeInBytes);
      return;
    }
    let from = 0;
    let size = 0;
    // Pending from the start, lest a part that fails at once completes the write before the rest is added.
    write.pendingBatches++;
    for (let i = 0; i < write.encoded.length; i++) {
      const next = recordSizeInBytes(write.encoded[i] as EncodedRecord);
      if (size + next > maxBatchBytes && i > from) {
        this.#add(write, from, i, size);
        from = i;
        size = 0;
      }
      size += next;
    }
    this.#add(write, from, write.encoded.length, size);
    write.pendingBatches--;
  }

  /** Appends a transaction marker behind everything handed over so far; resolves to the error code of its append. */
  endTransaction(marker: Omit<Marker, 'resolve'>): Promise<number> {
    if (this.#closed) return Promise.resolve(ErrorCodes.NOT_LEADER_OR_FOLLOWER);
    return new Promise((resolve) => {
      const pending = { ...marker, resolve };
      this.#markers.add(pending);
      this.#flush();
      const batch = { ...emptyBatch<T>(null), marker: pending };
      this.#overdue.begin(batch);
      this.#ready.push(batch);
      this.#dispatch();
    });
  }

  close(): void {
    this.#closed = true;
    this.#overdue.close();
    for (const { resolve } of this.#markers) resolve(ErrorCodes.NOT_LEADER_OR_FOLLOWER);
    this.#markers.clear();
    this.#open = null;
    this.#ready = [];
    this.#lastAhead = null;
    this.#notifyDrained();
  }

  drained(): Promise<void> {
    if (this.#closed || this.idle) return Promise.resolve();
    return new Promise((resolve) => this.#drainWaiters.push(resolve));
  }

  // oxlint-disable-next-line max-params -- one slice, spelled out
  #add(write: Write<T>, from: number, to: number, sizeInBytes: number): void {
    const { maxBatchBytes } = this.#options.settings;
    const { producer } = write.outcome;
    const isFull = this.#open !== null && this.#open.sizeInBytes + sizeInBytes > maxBatchBytes;
    if (isFull || this.#open?.producer !== producer) this.#flush();
    const batch = this.#open ?? this.#start(producer);
    batch.slices.push({ write, from, to });
    for (let i = from; i < to; i++) batch.records.push(write.encoded[i] as EncodedRecord);
    batch.sizeInBytes += sizeInBytes;
    if (write.isAhead) {
      batch.isAhead = true;
      this.#lastAhead = batch;
    }
    write.pendingBatches++;
  }

  #start(producer: TransactionalProducer | null): Batch<T> {
    const batch = emptyBatch<T>(producer);
    this.#open = batch;
    this.#overdue.begin(batch);
    const { clock, settings } = this.#options;
    const flush = (): void => {
      if (this.#open === batch) this.#flush();
    };
    if (settings.lingerMs > 0) clock.setTimer(settings.lingerMs, flush);
    else settings.defer(flush);
    return batch;
  }

  #flush(): void {
    const batch = this.#open;
    if (batch === null) return;
    this.#open = null;
    this.#ready.push(batch);
    this.#dispatch();
  }

  #dispatch(): void {
    while (!this.#aheadInFlight) {
      const batch = this.#ready.shift();
      if (batch === undefined) return;
      this.#inFlight++;
      this.#aheadInFlight = batch.isAhead;
      const result = this.#append(batch);
      this.#tail = this.#tail.then(() => result).then((appended) => this.#finish(batch, appended));
    }
  }

  async #append(batch: Batch<T>): Promise<AppendResult | { errorCode: number; baseOffset: number }> {
    const { log, partition, clock, settings } = this.#options;
    if (batch.sizeInBytes > settings.maxBatchBytes)
      return { errorCode: ErrorCodes.MESSAGE_TOO_LARGE, baseOffset: -1 };
    try {
      const { producer, marker } = batch;
      const records = marker?.records ?? encodeRecordBatch(batch.records, clock.nowMs(), producer);
      const guard = producer?.verificationGuard;
      return await log.append(
        {
          topic: partition.topic,
          partition: partition.partition,
          records,
          ...(guard !== undefined && { verificationGuard: guard }),
        },
        { acks: -1, timeoutMs: Number.POSITIVE_INFINITY, origin: 'coordinator' },
      );
    } catch {
      return { errorCode: ErrorCodes.UNKNOWN_SERVER_ERROR, baseOffset: -1 };
    }
  }

  #finish(batch: Batch<T>, { errorCode, baseOffset }: { errorCode: number; baseOffset: number }): void {
    if (this.#closed) return;
    this.#overdue.done(batch);
    this.#inFlight--;
    if (batch.isAhead) this.#aheadInFlight = false;
    if (this.#lastAhead === batch) this.#lastAhead = null;
    try {
      if (batch.marker !== null) this.#finishMarker(batch.marker, errorCode);
      else if (errorCode === ErrorCodes.NONE) this.#replay(batch, baseOffset);
      for (const { write } of batch.slices) {
        if (this.#closed) return;
        write.pendingBatches--;
        if (write.errorCode === ErrorCodes.NONE) write.errorCode = errorCode;
        if (write.pendingBatches > 0) continue;
        if (write.errorCode === ErrorCodes.NONE) this.#listener.committed(write);
        else this.#listener.failed(write, write.errorCode);
      }
    } catch (failure) {
      // A machine that throws while it takes in what is committed has a state that nobody can vouch for.
      this.#listener.lost(ErrorCodes.UNKNOWN_SERVER_ERROR, failure);
    }
    this.#dispatch();
    if (this.idle) this.#notifyDrained();
  }

  #giveUpCallers(batch: Batch<T>): void {
    batch.marker?.resolve(ErrorCodes.REQUEST_TIMED_OUT);
    for (const { write } of batch.slices) this.#listener.overdue(write);
  }

  #finishMarker(marker: Marker, errorCode: number): void {
    this.#markers.delete(marker);
    if (errorCode === ErrorCodes.NONE) this.#listener.transactionEnded(marker.producerId, marker.committed);
    else if (!leftNothingBehind(errorCode)) this.#listener.lost(errorCode, null);
    marker.resolve(errorCode);
  }

  #replay(batch: Batch<T>, baseOffset: number): void {
    let offset = baseOffset;
    const { producerId, producerEpoch } = batch.producer ?? NO_PRODUCER;
    for (const { write, from, to } of batch.slices) {
      for (let i = from; i < to; i++) {
        const record = write.outcome.records[i];
        if (!write.isAhead || !this.#listener.isReplayedAtAppend(record)) {
          this.#listener.replay(record, { offset, producerId, producerEpoch });
        }
        offset++;
      }
    }
  }

  #notifyDrained(): void {
    const waiters = this.#drainWaiters;
    this.#drainWaiters = [];
    for (const resolve of waiters) resolve();
  }
}

const NO_PRODUCER = { producerId: -1, producerEpoch: -1 };

function emptyBatch<T extends CoordinatorTypes>(producer: TransactionalProducer | null): Batch<T> {
  return { slices: [], records: [], sizeInBytes: 0, isAhead: false, producer, marker: null };
}
