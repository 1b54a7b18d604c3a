import type { Clock, TimerHandle } from '@ottla/platform';
import type { ResolvedConsumerOptions } from './consumer-options.ts';
import type { OffsetCommitter } from './offset-committer.ts';
import type { PartitionState } from './partition-state.ts';
import { offsetsOf } from './rebalance-host.ts';

export interface AutoCommitParts {
  readonly clock: Clock;
  readonly options: ResolvedConsumerOptions;
  readonly states: ReadonlyMap<string, PartitionState>;
  readonly committer: OffsetCommitter;
}

/** Commits what the loops have finished every `auto.commit.interval.ms`, and once more at the end. Does nothing with `commit: 'manual'`. */
export class AutoCommit {
  readonly #parts: AutoCommitParts;
  #timer: TimerHandle | null = null;
  #isStopped = false;

  constructor(parts: AutoCommitParts) {
    this.#parts = parts;
  }

  start(): void {
    const { options, clock } = this.#parts;
    if (!options.isAutoCommit || this.#isStopped) return;
    this.#timer = clock.setTimer(options.autoCommitIntervalMs, () => {
      // A failure has been logged, and the next one says more.
      void this.#commit(options.autoCommitIntervalMs)
        .catch(() => {})
        .then(() => this.start());
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** What was finished since the last time. Rejects with what the coordinator says. */
  async commitLast(timeoutMs: number): Promise<void> {
    if (this.#parts.options.isAutoCommit) await this.#commit(timeoutMs);
  }

  async #commit(timeoutMs: number): Promise<void> {
    const { states, committer } = this.#parts;
    const offsets = offsetsOf([...states.values()].filter(({ isLeaving }) => !isLeaving));
    if (offsets.length === 0) return;
    await committer.commit(offsets, { timeoutMs });
    for (const { topic, partition, offset } of offsets) {
      const state = states.get(`${topic}-${partition}`);
      if (state !== undefined) state.committedOffset = offset;
    }
  }
}
