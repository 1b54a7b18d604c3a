import type { BatchOutcome, RecordMetadata } from './batch-outcome.ts';

/**
 * The promise that `send` returns. Its records are many, so it becomes a real promise only when somebody looks (`await`,
 * `then`, `catch`, `finally`): a hot loop that waits for nothing pays for one small object per record. A failure that nobody
 * looks at is no unhandled rejection; `flush` and `close` tell of it.
 */
export class SentRecord implements Promise<RecordMetadata> {
  readonly outcome: BatchOutcome;
  readonly index: number;
  /** Timestamp of the record relative to its batch's. */
  readonly deltaMs: number;
  #promise: Promise<RecordMetadata> | undefined = undefined;

  constructor(outcome: BatchOutcome, index: number, deltaMs: number) {
    this.outcome = outcome;
    this.index = index;
    this.deltaMs = deltaMs;
  }

  get [Symbol.toStringTag](): string {
    return 'Promise';
  }

  // oxlint-disable-next-line unicorn/no-thenable -- it is a promise
  then<A = RecordMetadata, B = never>(
    onFulfilled?: ((metadata: RecordMetadata) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#settled().then(onFulfilled, onRejected);
  }

  catch<B = never>(
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<RecordMetadata | B> {
    return this.#settled().catch(onRejected);
  }

  finally(onFinally?: (() => void) | null): Promise<RecordMetadata> {
    return this.#settled().finally(onFinally);
  }

  #settled(): Promise<RecordMetadata> {
    this.#promise ??= new Promise((resolve, reject) => {
      const { index, deltaMs } = this;
      this.outcome.observe({ index, deltaMs, resolve, reject });
    });
    return this.#promise;
  }
}
