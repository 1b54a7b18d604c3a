import type { FailureLedger, RecordMetadata } from './batch-outcome.ts';

/**
 * The promise of a record that is not in a batch yet. As with `SentRecord` it becomes a real one only when somebody looks, and a
 * failure that nobody looks at is left to `flush` and `close`.
 */
export class PendingRecord implements Promise<RecordMetadata> {
  readonly #ledger: FailureLedger;
  #sent: Promise<RecordMetadata> | undefined = undefined;
  #failure: { readonly error: Error; readonly ledgerPage: number } | undefined = undefined;
  #promise: Promise<RecordMetadata> | undefined = undefined;
  #resolve: ((sent: Promise<RecordMetadata>) => void) | undefined = undefined;
  #reject: ((error: Error) => void) | undefined = undefined;

  constructor(ledger: FailureLedger) {
    this.#ledger = ledger;
  }

  get [Symbol.toStringTag](): string {
    return 'Promise';
  }

  /** It went into a batch, whose promise takes over. */
  follow(sent: Promise<RecordMetadata>): void {
    this.#sent = sent;
    this.#resolve?.(sent);
  }

  /** It never got into a batch. */
  fail(error: Error): void {
    const isAwaited = this.#reject !== undefined;
    this.#failure = { error, ledgerPage: this.#ledger.add(isAwaited ? 0 : 1, error) };
    this.#reject?.(error);
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
    if (this.#promise !== undefined) return this.#promise;
    if (this.#sent !== undefined) return (this.#promise = this.#sent.then((metadata) => metadata));
    if (this.#failure !== undefined) {
      this.#ledger.seen(this.#failure.ledgerPage);
      return (this.#promise = Promise.reject(this.#failure.error));
    }
    this.#promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    return this.#promise;
  }
}
