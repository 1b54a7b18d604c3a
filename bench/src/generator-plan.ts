/** What the generator process is told, as JSON in its only argument. */
export interface GeneratorPlan {
  readonly mode: 'produce' | 'fetch' | 'one-in-flight' | 'end-to-end';
  readonly port: number;
  readonly topic: string;
  readonly partitionCount: number;
  /** Size of a record's value. */
  readonly recordBytes: number;
  /** Size that a batch is filled to. */
  readonly batchBytes: number;
  /** Batches in one produce request, or partitions in one fetch: at most the number of partitions. */
  readonly batchesPerRequest: number;
  readonly connectionCount: number;
  /** Requests that a connection keeps unanswered. */
  readonly inFlight: number;
  /** When to stop: after this time, or after this many bytes of batches. */
  readonly seconds: number;
  readonly maxBytes?: number;
  /** Offset behind the last record of each partition, for `fetch`. */
  readonly endOffset?: number;
}

/** What it found out, as JSON in its only line of output. */
export interface GeneratorReport {
  readonly seconds: number;
  readonly requestCount: number;
  /** Bytes of record batches sent or received. */
  readonly bytes: number;
  /** CPU time of the generator itself: below that of the broker, or the generator is what was measured. */
  readonly cpuSeconds: number;
  /** Microseconds; only of the modes that measure each request. */
  readonly p50Us?: number;
  readonly p99Us?: number;
  /** Records and bytes of one batch, to compute offsets with. */
  readonly recordsPerBatch: number;
}
