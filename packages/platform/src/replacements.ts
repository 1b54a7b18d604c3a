interface Replacement {
  done: Promise<void>;
}

/**
 * Which of several replacements of a file counts when they are under way at the same time: that of the newest call, however
 * long the others take. An older one leaves the file as it is, and ends when the newer one has ended.
 */
export class Replacements {
  /** The newest of each path that has not ended. */
  readonly #newest = new Map<string, Replacement>();

  /** Runs an asynchronous replacement. `work` asks for its turn right before the step that changes the file, and skips it when there is none. */
  run(path: string, work: (isNewest: () => boolean) => Promise<void>): Promise<void> {
    const own: Replacement = { done: Promise.resolve() };
    const isNewest = (): boolean => this.#newest.get(path) === own;
    this.#newest.set(path, own);
    own.done = work(isNewest)
      .then(() => (isNewest() ? undefined : this.#newest.get(path)?.done))
      .finally(() => {
        if (isNewest()) this.#newest.delete(path);
      });
    return own.done;
  }

  /** A synchronous replacement begins: all that are under way are older. */
  overtake(path: string): void {
    this.#newest.delete(path);
  }
}
