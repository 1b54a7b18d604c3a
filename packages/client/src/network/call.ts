import { onAbort } from './abort.ts';
import type { Api, RequestBody } from './api.ts';
import type { RequestSpan } from './request-hooks.ts';

/** How one request is sent, and how long its answer is waited for. */
export interface CallOptions {
  /** The promise rejects with a TimeoutError after this. */
  readonly timeoutMs: number;
  /** Rejects the promise with the signal's reason. What was sent already may still take effect. */
  readonly signal?: AbortSignal | undefined;
  /** Versions that may be used, within what both sides have. */
  readonly minVersion?: number | undefined;
  readonly maxVersion?: number | undefined;
  /** False for requests that are not answered (Produce with acks=0): resolves with undefined when it is written. Default: true. */
  readonly expectsResponse?: boolean | undefined;
}

/** One request from `send` until its answer has come, or nobody waits for it any more. */
export class Call {
  readonly api: Api<unknown, unknown>;
  readonly body: RequestBody<unknown>;
  readonly options: CallOptions;
  readonly startedMs: number;
  /** When the promise rejects. */
  readonly deadlineMs: number;
  version = -1;
  correlationId = -1;
  requestBytes = 0;
  /** When the bytes were handed to the socket; -1 before. */
  sentMs = -1;
  isSettled = false;
  span: RequestSpan | null = null;
  readonly #resolve: (value: unknown) => void;
  readonly #reject: (error: unknown) => void;
  readonly #stopListening: (() => void) | null = null;

  // oxlint-disable-next-line max-params -- one object per request, on the hot path
  constructor(
    request: {
      readonly api: Api<unknown, unknown>;
      readonly body: RequestBody<unknown>;
      readonly options: CallOptions;
    },
    nowMs: number,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.api = request.api;
    this.body = request.body;
    this.options = request.options;
    this.startedMs = nowMs;
    this.deadlineMs = nowMs + request.options.timeoutMs;
    this.#resolve = resolve;
    this.#reject = reject;
    const { signal } = request.options;
    if (signal !== undefined) this.#stopListening = onAbort(signal, () => this.reject(signal.reason));
  }

  resolve(value: unknown): void {
    if (this.#settle()) this.#resolve(value);
  }

  reject(error: unknown): void {
    if (this.#settle()) this.#reject(error);
  }

  #settle(): boolean {
    if (this.isSettled) return false;
    this.isSettled = true;
    this.#stopListening?.();
    return true;
  }
}

/** Calls in the order of their making: a list with a moving head, so that taking one costs the same at any length. */
export class CallQueue {
  #calls: Call[] = [];
  #head = 0;

  get length(): number {
    return this.#calls.length - this.#head;
  }

  push(call: Call): void {
    this.#calls.push(call);
  }

  first(): Call | undefined {
    return this.#calls[this.#head];
  }

  shift(): Call | undefined {
    const call = this.#calls[this.#head];
    if (call === undefined) return undefined;
    this.#head += 1;
    if (this.#head === this.#calls.length || this.#head >= 64) {
      this.#calls = this.#calls.slice(this.#head);
      this.#head = 0;
    }
    return call;
  }

  /** Takes out the calls that nobody waits for any more. */
  dropSettled(): void {
    this.#calls = this.#calls.slice(this.#head).filter((call) => !call.isSettled);
    this.#head = 0;
  }

  /** All calls, oldest first. */
  values(): readonly Call[] {
    return this.#head === 0 ? this.#calls : this.#calls.slice(this.#head);
  }

  /** Takes out all. */
  clear(): Call[] {
    const calls = this.#calls.slice(this.#head);
    this.#calls = [];
    this.#head = 0;
    return calls;
  }
}
