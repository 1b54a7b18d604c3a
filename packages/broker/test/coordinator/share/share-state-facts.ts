import {
  DeliveryState,
  type ReadStateResult,
  type StateBatch,
} from '../../../src/coordinator/share/share-state-types.ts';

/** What is certain of one share partition's state: it was acknowledged, and nothing was asked for since that undoes it. */
export interface Facts {
  readonly stateEpoch: number;
  readonly leaderEpoch: number;
  readonly startOffset: number;
  /** Offsets that are accepted or archived for good. */
  readonly finished: ReadonlySet<number>;
}

const NOTHING: Facts = { stateEpoch: -1, leaderEpoch: -1, startOffset: -1, finished: new Set() };

/**
 * Holds a share coordinator to its answers for one share partition. Requests are answered in their order, so what one of
 * them established is certain for those that are sent after its answer, until the state is made anew or deleted.
 */
export class StateFacts {
  #facts = NOTHING;
  /** Moves on with each request after which nothing is certain any more. */
  #generation = 0;

  get current(): Facts {
    return this.#facts;
  }

  get generation(): number {
    return this.#generation;
  }

  /** A request is sent that makes the state anew or takes it away; it counts once it is answered. */
  undone(): number {
    this.#facts = NOTHING;
    this.#generation++;
    return this.#generation;
  }

  /** Notes what the answer to a request of a generation has established. */
  established(
    generation: number,
    news: Partial<Omit<Facts, 'finished'>>,
    batches: readonly StateBatch[] = [],
  ): void {
    if (generation !== this.#generation) return;
    const { stateEpoch, leaderEpoch, startOffset, finished } = this.#facts;
    this.#facts = {
      stateEpoch: Math.max(stateEpoch, news.stateEpoch ?? -1),
      leaderEpoch: Math.max(leaderEpoch, news.leaderEpoch ?? -1),
      startOffset: Math.max(startOffset, news.startOffset ?? -1),
      finished: new Set([...finished, ...finishedOffsets(batches)]),
    };
  }

  /** What is wrong with an answer, given what was certain when its request was sent. */
  static problems(before: Facts, { stateEpoch, startOffset, stateBatches }: ReadStateResult): string[] {
    const problems: string[] = [];
    if (stateEpoch < before.stateEpoch) problems.push(`state epoch ${stateEpoch} after ${before.stateEpoch}`);
    if (startOffset < before.startOffset) problems.push(`start ${startOffset} after ${before.startOffset}`);
    const finished = new Set(finishedOffsets(stateBatches));
    for (const offset of before.finished)
      if (offset >= startOffset && !finished.has(offset)) problems.push(`${offset} is not finished any more`);
    return problems;
  }
}

function finishedOffsets(batches: readonly StateBatch[]): number[] {
  return batches
    .filter(({ deliveryState }) => deliveryState !== DeliveryState.available)
    .flatMap(({ firstOffset, lastOffset }) =>
      Array.from({ length: lastOffset - firstOffset + 1 }, (_, index) => firstOffset + index),
    );
}
