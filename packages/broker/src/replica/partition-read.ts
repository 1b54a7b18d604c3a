import type { LogSlice, ReadLease } from '@ottla/storage';

/** Which records a reader may see. */
export const FetchIsolation = {
  /** Followers: everything there is. */
  logEnd: 0,
  /** `read_uncommitted`: what is below the high watermark. */
  highWatermark: 1,
  /** `read_committed`: what is below the last stable offset. */
  txnCommitted: 2,
} as const;
export type FetchIsolation = (typeof FetchIsolation)[keyof typeof FetchIsolation];

/** What to read of one partition. */
export interface FetchTarget {
  readonly topic: string;
  /** The zero uuid when the request named topics. */
  readonly topicId: string;
  readonly partition: number;
  readonly fetchOffset: number;
  readonly maxBytes: number;
  /** -1: the reader does not know it. */
  readonly currentLeaderEpoch: number;
  /** Epoch of the last record the reader has, to find out whether its log diverged (KIP-595); -1: not checked. */
  readonly lastFetchedEpoch: number;
}

/** Records as readers get them that pass them on as they are: in memory, or still in the log's file. */
export type SendableRecords = Buffer | LogSlice;

/** What a read of one partition gave; the offsets are -1 in an error. */
export interface PartitionReadResult<Records = Buffer> {
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  readonly divergingEpoch: { readonly epoch: number; readonly endOffset: number } | null;
  /** Null unless the reader asked for committed records only. */
  readonly abortedTransactions:
    | readonly { readonly producerId: number; readonly firstOffset: number }[]
    | null;
  /** Whole batches, shared with the log: never written into. */
  readonly records: readonly Records[];
  readonly sizeInBytes: number;
  /** Holds the memory of `records`; released when they have left. Null when there is nothing to hold. */
  readonly lease: ReadLease | null;
  /** Memory is scarce: the reader got less than it asked for, and waiting for more is no use. */
  readonly isLimited: boolean;
}

/** The same for who sends the records as they are. */
export type ReadToSend = PartitionReadResult<SendableRecords>;

export const NO_RECORDS: readonly never[] = [];

/** A read that gives no records: the error, and -1 for every offset. */
export function failedRead(errorCode: number): PartitionReadResult<never> {
  return {
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    divergingEpoch: null,
    abortedTransactions: null,
    records: NO_RECORDS,
    sizeInBytes: 0,
    lease: null,
    isLimited: false,
  };
}
