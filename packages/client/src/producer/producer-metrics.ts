/** What a producer measures: called for each event, so keep it cheap. Every member is optional. */
export interface ProducerMetrics {
  /** A batch was answered for good. `outcome` is `ok` or an error's name. */
  onBatch?(event: BatchEvent): void;
  /** A batch is tried again. */
  onRetry?(event: {
    readonly topic: string;
    readonly partition: number;
    readonly attempts: number;
    readonly error: string;
  }): void;
  /** A batch was too large for the broker and goes on in parts. */
  onSplit?(event: { readonly topic: string; readonly partition: number; readonly partCount: number }): void;
  /** The buffer is full (`true`), or has room again. */
  onFull?(isFull: boolean): void;
}

/** A batch that is stored, or has failed for good. */
export interface BatchEvent {
  readonly topic: string;
  readonly partition: number;
  readonly recordCount: number;
  /** As sent, with its header. */
  readonly batchBytes: number;
  /** The same before compression. */
  readonly plainBytes: number;
  /** From the first record until the answer. */
  readonly durationMs: number;
  /** Attempts that were made; 0 when it expired before the first. */
  readonly attempts: number;
  readonly outcome: string;
}
