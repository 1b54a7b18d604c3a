import type { BatchSummary } from '@ottla/protocol';

/** A topic partition as the data path names it. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface AppendRequest {
  readonly topic: string;
  readonly partition: number;
  /** One or more whole record batches (magic 2), as they came from the wire; base offset and leader epoch are patched in place. */
  readonly records: Buffer;
}

export interface AppendOptions {
  /** 0 and 1 are answered from the page cache; -1 waits until the records are durable as the topic is configured and replicated to the ISR. */
  readonly acks: -1 | 0 | 1;
  readonly timeoutMs: number;
  /** `client` checks names, sizes and control batches as Kafka does for clients; `coordinator` may write internal topics. */
  readonly origin: 'client' | 'coordinator';
}

export interface AppendResult {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** -1 unless the topic uses LogAppendTime. */
  readonly logAppendTimeMs: number;
  readonly logStartOffset: number;
  /** Per-record errors of a refused batch (KIP-467). */
  readonly recordErrors: readonly { readonly batchIndex: number; readonly message: string | null }[];
}

/** The part of the replica manager that the coordinators use. The produce and fetch handlers use more of it. */
export interface CoordinatorLogAccess {
  /** Appends a batch that a coordinator built; resolves when it is committed (durable and below the high watermark). */
  append(request: AppendRequest, options: AppendOptions): Promise<AppendResult>;
  /**
   * Reads a partition from its log start to its end in bounded pieces, for replay after a restart.
   * `onBatches` gets whole batches with their summaries in offset order.
   */
  scan(
    partition: TopicPartition,
    onBatches: (records: Buffer, summaries: readonly BatchSummary[]) => void | Promise<void>,
  ): Promise<void>;
}
