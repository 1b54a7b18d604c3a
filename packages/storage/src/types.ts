/** A partition of a topic; `${topic}-${partition}` is the name of its folder. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/**
 * Who appends, which decides what is checked (Kafka's AppendOrigin): a `client` may not write control batches and has
 * its sequence numbers checked; a `coordinator` writes markers and its own state; `replication` keeps the offsets and
 * epochs that the batches carry; `raft-leader` writes the metadata log, with control batches allowed.
 */
export type AppendOrigin = 'client' | 'coordinator' | 'replication' | 'raft-leader';

export interface LogAppendOptions {
  /**
   * What a batch that opens a transaction has to show (KIP-890); null when it shows nothing and is refused, absent when
   * nothing is asked for.
   */
  readonly verificationGuard?: VerificationGuard | null;
  /** Stamped into every batch (not with `replication`). */
  readonly leaderEpoch: number;
  readonly origin: AppendOrigin;
  /**
   * The batch may be written after the call, in order and through the thread pool (`Log.writtenOffset`, `nextWrite`): worth
   * it for large batches that nobody may see before.
   */
  readonly isDeferred?: boolean;
}

/** What an append came to. */
export interface LogAppendInfo {
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** -1 unless the topic uses LogAppendTime (or the batch was a duplicate, then the time of the original as Kafka answers it). */
  readonly logAppendTimeMs: number;
  readonly maxTimestamp: number;
  readonly logStartOffset: number;
  /** Bytes written to the log; 0 for a duplicate. */
  readonly sizeInBytes: number;
  /** The batch had been appended before (idempotent producer): the offsets are those of the original. */
  readonly duplicate: boolean;
}

export interface LogReadOptions {
  /** Upper bound of the bytes returned; only whole batches are. */
  readonly maxBytes: number;
  /** Only batches that end below this offset (high watermark, last stable offset, log end offset). */
  readonly upToOffset: number;
  /** Return the first batch even when it alone exceeds `maxBytes` (KIP-74). */
  readonly minOneMessage: boolean;
}

/** See `LogReadResult.lease`. Releasing twice does nothing. */
export interface ReadLease {
  release(): void;
}

/** Whole batches, the first of which contains the offset asked for (so it may begin below it). */
export interface LogReadResult {
  /** Contiguous pieces in offset order, each of one or more whole batches. Shared memory: never write into them. */
  readonly batches: readonly Buffer[];
  /**
   * Keeps the memory of `batches` from being used again. A reader that is done with them (and with every slice of them)
   * releases it; one that never does is safe too, but costs fresh memory for every read.
   */
  readonly lease?: ReadLease;
  readonly sizeInBytes: number;
  /** Offset after the last batch returned; the offset asked for when there was none. */
  readonly nextOffset: number;
  /** Readers hold so much memory already that this one got less than it asked for: waiting for more is no use. */
  readonly isLimited?: boolean;
}

/**
 * Whole batches that are still in the log's file: a reader that passes them on has them in memory piece by piece, when
 * it has room for them, and never all at once.
 */
export interface LogSlice extends ReadLease {
  /** Size in bytes. */
  readonly length: number;
  /** Offset after the last batch. */
  readonly nextOffset: number;
  /**
   * The bytes from `at` on, as many as are handy. At once when the page cache has them, else through the thread pool.
   * Not after `release`. @throws LogError, also when the promise is rejected: KAFKA_STORAGE_ERROR when the disk fails
   */
  pieceAt(at: number): LogPiece | Promise<LogPiece>;
}

/** A part of a slice; released once, when its bytes are not needed any more. */
export interface LogPiece extends ReadLease {
  readonly bytes: Buffer;
}

/** A timestamp and the offset of the record that has it; both -1 when there is none. */
export interface TimestampAndOffset {
  readonly timestamp: number;
  readonly offset: number;
  /** Leader epoch of the batch, -1 when unknown. */
  readonly leaderEpoch: number;
}

/** An aborted transaction as Fetch returns it with read_committed. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

/** What DescribeProducers shows of one producer. */
export interface ActiveProducer {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly lastSequence: number;
  readonly lastTimestamp: number;
  readonly coordinatorEpoch: number;
  /** -1 when no transaction is open. */
  readonly currentTxnStartOffset: number;
}

/** The end offset of the largest epoch at or below the one asked for; both -1 when there is none (OffsetForLeaderEpoch). */
export interface EpochEndOffset {
  readonly leaderEpoch: number;
  readonly endOffset: number;
}

/** Proof that a producer's partition was found to be part of its transaction, after the last marker (KIP-890). */
export interface VerificationGuard {
  readonly producerId: number;
}
