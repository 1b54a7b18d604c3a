import { ErrorCodes } from '@ottla/protocol';
import type { AcknowledgementBatch } from './acknowledgement-batches.ts';

/** A partition as a share session names it. */
export interface SharePlace {
  readonly topicId: string;
  readonly partition: number;
}

/** What is said of one partition. */
export interface SharePartitionRequest extends SharePlace {
  readonly acknowledgements: readonly AcknowledgementBatch[];
}

/** The parts of a ShareFetch that the session decides. */
export interface ShareSessionRequest {
  readonly shareSessionEpoch: number;
  readonly topics: {
    topicId: string;
    partitions: { partitionIndex: number; acknowledgementBatches: readonly AcknowledgementBatch[] }[];
  }[];
  readonly forgottenTopicsData: { topicId: string; partitions: number[] }[];
}

const INITIAL_EPOCH = 0;
const FINAL_EPOCH = -1;

/**
 * The client's side of a share session (KIP-932): the broker remembers the partitions of a member, so only those that are new, gone or
 * acknowledged are named. One request at a time; fetches and acknowledgements count up the same epoch. Pure.
 */
export class ShareSession {
  #epoch = INITIAL_EPOCH;
  readonly #known = new Map<string, SharePlace>();

  /** The broker has a session of ours: without one, nothing can be acknowledged. */
  get isOpen(): boolean {
    return this.#epoch !== INITIAL_EPOCH;
  }

  has(place: SharePlace): boolean {
    return this.isOpen && this.#known.has(idOf(place));
  }

  /** A fetch from these partitions, with acknowledgements of records of any that the session has. */
  nextFetch(
    wanted: readonly SharePlace[],
    acknowledged: readonly SharePartitionRequest[],
  ): ShareSessionRequest {
    const before = this.isOpen ? new Map(this.#known) : new Map<string, SharePlace>();
    this.#known.clear();
    for (const place of wanted) this.#known.set(idOf(place), place);
    const forgotten = [...before].filter(([id]) => !this.#known.has(id)).map(([, place]) => place);
    const added = wanted.filter((place) => !before.has(idOf(place)));
    const named = new Map<string, SharePartitionRequest>();
    for (const place of added) named.set(idOf(place), { ...place, acknowledgements: [] });
    // A new session cannot know of records that were acquired before it.
    if (this.isOpen) for (const each of acknowledged) named.set(idOf(each), each);
    return {
      shareSessionEpoch: this.#epoch,
      topics: byTopic([...named.values()], (each) => ({
        partitionIndex: each.partition,
        acknowledgementBatches: each.acknowledgements,
      })),
      forgottenTopicsData: byTopic(forgotten, ({ partition }) => partition),
    };
  }

  /** Acknowledgements alone; `isFinal` closes the session, and the broker releases what it still holds for us. */
  nextAcknowledge(acknowledged: readonly SharePartitionRequest[], isFinal = false): ShareSessionRequest {
    return {
      shareSessionEpoch: isFinal ? FINAL_EPOCH : this.#epoch,
      topics: byTopic(acknowledged, (each) => ({
        partitionIndex: each.partition,
        acknowledgementBatches: each.acknowledgements,
      })),
      forgottenTopicsData: [],
    };
  }

  /** Takes the answer's error; false when the session is lost, and with it the acknowledgements of the request. */
  handle(errorCode: number): boolean {
    if (
      errorCode === ErrorCodes.SHARE_SESSION_NOT_FOUND ||
      errorCode === ErrorCodes.INVALID_SHARE_SESSION_EPOCH ||
      errorCode === ErrorCodes.SHARE_SESSION_LIMIT_REACHED
    ) {
      this.reset();
      return false;
    }
    this.#epoch = this.#epoch === 0x7fff_ffff ? 1 : this.#epoch + 1;
    return errorCode === ErrorCodes.NONE;
  }

  /** Begins anew with the next fetch: no answer came. */
  reset(): void {
    this.#epoch = INITIAL_EPOCH;
    this.#known.clear();
  }
}

function idOf({ topicId, partition }: SharePlace): string {
  return `${topicId}-${partition}`;
}

function byTopic<P extends SharePlace, T>(
  places: readonly P[],
  read: (place: P) => T,
): { topicId: string; partitions: T[] }[] {
  const topics = new Map<string, T[]>();
  for (const place of places) {
    const own = topics.get(place.topicId) ?? [];
    topics.set(place.topicId, own);
    own.push(read(place));
  }
  return [...topics].map(([topicId, partitions]) => ({ topicId, partitions }));
}
