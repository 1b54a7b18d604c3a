import type { VerificationGuard } from '@ottla/storage';

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
  /**
   * What a transactional batch of a client shows for itself (KIP-890): the guard of its verification, null when it needs
   * none because its transaction is open in the log. Absent where nothing is verified.
   */
  readonly verificationGuard?: VerificationGuard | null;
}

export interface AppendOptions {
  /** 0 and 1 are answered from the page cache; -1 waits until the records are durable as the topic is configured and replicated to the ISR. */
  readonly acks: -1 | 0 | 1;
  /** How long -1 waits, then answers REQUEST_TIMED_OUT; infinite: as long as it takes. See `appendWaitMs`. */
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

const NO_RECORD_ERRORS: AppendResult['recordErrors'] = [];

/** The result of a refused append, with Kafka's "unknown" in every offset. */
export function failedAppend(
  errorCode: number,
  details: {
    message?: string | null;
    logStartOffset?: number;
    recordErrors?: AppendResult['recordErrors'];
  } = {},
): AppendResult {
  return {
    errorCode,
    errorMessage: details.message ?? null,
    baseOffset: -1,
    lastOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: details.logStartOffset ?? -1,
    recordErrors: details.recordErrors ?? NO_RECORD_ERRORS,
  };
}

/** The result of an append that stands; `recordErrors` is empty. */
export function successfulAppend(info: {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly logAppendTimeMs: number;
  readonly logStartOffset: number;
}): AppendResult {
  return {
    errorCode: 0,
    errorMessage: null,
    baseOffset: info.firstOffset,
    lastOffset: info.lastOffset,
    logAppendTimeMs: info.logAppendTimeMs,
    logStartOffset: info.logStartOffset,
    recordErrors: NO_RECORD_ERRORS,
  };
}

/** A disk that syncs has done so by then, be it ever so busy. */
export const SYNC_WAIT_MS = 5_000;

/**
 * How long an append is waited for. A client's time-out bounds the wait for other replicas, and Kafka's leader never waits
 * for itself: even with a time-out of 0 one broker answers that the records are there. Ours has to sync them first, and a
 * refusal meanwhile would make the client send them again.
 */
export function appendWaitMs(timeoutMs: number): number {
  return Math.max(timeoutMs, SYNC_WAIT_MS);
}
