import type { RecordMetadata } from './batch-outcome.ts';
import type { RecordInput } from './record-input.ts';

/** A record on its way through interceptors, before it has bytes and a partition. */
export interface InterceptedRecord extends RecordInput {
  readonly topic: string;
}

/** What became of a record. Numbers are -1 as far as they are not known: of a record that failed before it had a partition all of them. */
export interface Acknowledgement extends RecordMetadata {
  /** Null when the record is stored, or was sent with `acks: 0`. */
  readonly error: Error | null;
}

/**
 * Sees every record of a producer (KIP-42). What it throws is logged and ignored: the record goes on as the interceptor before left it.
 * Both are called often and on the way of the records: keep them quick.
 */
export interface ProducerInterceptor {
  /** Called by `send`; what it returns is sent instead, to another topic if it says so. */
  onSend?(record: InterceptedRecord): InterceptedRecord | void;
  /** Called when the record is acknowledged or has failed, also where `send` itself refuses it, before whoever awaits `send`. */
  onAcknowledgement?(acknowledgement: Acknowledgement): void;
}
