/**
 * Aborts at the first SIGINT or SIGTERM, so that what runs can end in order; the exit code becomes that of the signal. The second one
 * ends the process. Dispose of it to give the signals back.
 */
export class StopSignal implements Disposable {
  readonly #controller = new AbortController();
  readonly #onInterrupt = (): void => this.#stop(130);
  readonly #onTermination = (): void => this.#stop(143);

  constructor() {
    process.on('SIGINT', this.#onInterrupt);
    process.on('SIGTERM', this.#onTermination);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  #stop(exitCode: number): void {
    if (this.signal.aborted) process.exit(exitCode);
    process.exitCode = exitCode;
    this.#controller.abort();
  }

  [Symbol.dispose](): void {
    process.off('SIGINT', this.#onInterrupt);
    process.off('SIGTERM', this.#onTermination);
  }
}
