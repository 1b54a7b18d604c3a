import type { Message } from '../consumer/delivery/message.ts';
import type { RequestTracer } from '../network/request-hooks.ts';
import type { RecordMetadata } from '../producer/batch-outcome.ts';
import type { HeaderPair } from '../producer/record-bytes.ts';

/** A record that is about to be sent, before it has bytes. */
export interface RecordToSend {
  readonly topic: string;
  readonly key: unknown;
  readonly value: unknown;
  /** As far as the application has chosen one. */
  readonly partition: number | undefined;
  readonly clientId: string;
  readonly transactionalId: string | null;
}

/** A record on its way. */
export interface SendSpan {
  /** Added to the record in the place of headers of the same names: `traceparent` and what else a propagator injects. */
  readonly headers: readonly HeaderPair[];
  /** The record is stored, or is not. Called once. */
  end(outcome: RecordMetadata | Error): void;
}

/** Who receives, handles and commits. */
export interface ReceiverInfo {
  readonly clientId: string;
  /** Null without a group. */
  readonly group: string | null;
}

/** A record that a handler of `each` is about to get. */
export interface RecordToProcess extends ReceiverInfo {
  readonly message: Message;
}

/** A handler at work. */
export interface ProcessSpan {
  /** Calls the handler, with the span as the current one. */
  run<T>(handler: () => T): T;
  /** The handler has ended, with this error if any. Called once. */
  end(error: unknown): void;
}

/** Records that a loop got: one, or with `batches` several of one partition. */
export interface ReceivedRecords extends ReceiverInfo {
  readonly messages: readonly Message[];
  /** When the loop asked for them, in milliseconds since the epoch. */
  readonly askedAtMs: number;
}

/** Offsets on their way to the group. */
export interface CommitToSend extends ReceiverInfo {
  readonly offsets: readonly {
    readonly topic: string;
    readonly partition: number;
    /** The next record to read. */
    readonly offset: number;
  }[];
}

/** Makes spans of records. Members that are absent cost nothing; return nothing to leave something out. None of them may throw. */
export interface RecordTracer {
  /** Called by `send`, in the caller's own async context. */
  startSend?(record: RecordToSend): SendSpan | undefined;
  /** Called before each call of a handler of `each`. */
  startProcess?(record: RecordToProcess): ProcessSpan | undefined;
  /** Called when a loop (`for await`, `batches`, of a share consumer too) gets records. */
  onReceive?(received: ReceivedRecords): void;
  /** Called for each commit of offsets. `end` is told `ok`, or the name of its error. */
  startCommit?(commit: CommitToSend): { end(outcome: string): void } | undefined;
}

/** Makes spans of records and of requests; `openTelemetry(api)` is one. */
export interface ClientTracer extends RecordTracer, RequestTracer {}
