import { ErrorCodes, patchBatch, readBatchSummary, type BatchSummary } from '@ottla/protocol';
import type {
  AppendRequest,
  AppendResult,
  CoordinatorLogAccess,
  TopicPartition,
} from '../../../src/replica/replica-manager.ts';

interface Pending {
  readonly request: AppendRequest;
  readonly resolve: (result: AppendResult) => void;
}

/** How an append ends: 0 or Kafka's error. `kept` says whether the records are in the log in spite of an error. */
export interface AppendFate {
  readonly errorCode: number;
  readonly kept: boolean;
}

const GOOD: AppendFate = { errorCode: ErrorCodes.NONE, kept: true };

/** A log in memory for coordinators: appends wait until `settle` says how they end, reads give what was kept. */
export class MemoryLog implements CoordinatorLogAccess {
  readonly batches = new Map<number, Buffer[]>();
  readonly #ends = new Map<number, number>();
  readonly #pending: Pending[] = [];
  readonly #onAppend: () => void;

  /** `onAppend` is told of each append; the default ends it well a little later. */
  constructor(onAppend?: () => void) {
    this.#onAppend = onAppend ?? ((): void => queueMicrotask(() => this.settle()));
  }

  get pendingCount(): number {
    return this.#pending.length;
  }

  append(request: AppendRequest): Promise<AppendResult> {
    return new Promise((resolve) => {
      this.#pending.push({ request, resolve });
      this.#onAppend();
    });
  }

  /** Ends the oldest append that is waiting. */
  settle(fate: AppendFate = GOOD): void {
    const pending = this.#pending.shift();
    if (pending === undefined) return;
    const { partition, records } = pending.request;
    const baseOffset = fate.kept ? this.#keep(partition, records) : -1;
    pending.resolve({
      errorCode: fate.errorCode,
      errorMessage: null,
      baseOffset: fate.errorCode === ErrorCodes.NONE ? baseOffset : -1,
      lastOffset: -1,
      logAppendTimeMs: -1,
      logStartOffset: 0,
      recordErrors: [],
    });
  }

  scan(
    { partition }: TopicPartition,
    onBatches: (records: Buffer, summaries: readonly BatchSummary[]) => void | Promise<void>,
  ): Promise<void> {
    for (const batch of this.batches.get(partition) ?? [])
      void onBatches(batch, [readBatchSummary(batch, 0)]);
    return Promise.resolve();
  }

  #keep(partition: number, records: Buffer): number {
    const batch = Buffer.from(records);
    const baseOffset = this.#ends.get(partition) ?? 0;
    patchBatch(batch, 0, { baseOffset, partitionLeaderEpoch: 0 });
    this.#ends.set(partition, readBatchSummary(batch, 0).lastOffset + 1);
    const batches = this.batches.get(partition);
    if (batches === undefined) this.batches.set(partition, [batch]);
    else batches.push(batch);
    return baseOffset;
  }
}
