import {
  ErrorCodes,
  ZERO_UUID,
  type FetchRequest,
  type FetchResponse,
  type MessageInput,
} from '@ottla/protocol';

/** One partition as a request asks for it. */
export interface FetchPartition {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly currentLeaderEpoch: number;
  readonly fetchOffset: number;
  readonly partitionMaxBytes: number;
}

type FetchTopics = NonNullable<MessageInput<FetchRequest>['topics']>;

/** The parts of a request that the session decides. */
export interface SessionRequest {
  readonly sessionId: number;
  readonly sessionEpoch: number;
  readonly topics: FetchTopics;
  readonly forgottenTopicsData: NonNullable<MessageInput<FetchRequest>['forgottenTopicsData']>;
  /** Some topic has no id, so that version 13 and later cannot be used. */
  readonly needsNames: boolean;
}

/** A session that begins, and the one that closes it. */
const INITIAL_EPOCH = 0;
const FINAL_EPOCH = -1;

/**
 * The client's side of a fetch session (KIP-227): the broker remembers the partitions of the last request, so that only what has
 * changed is sent and answered. Pure: `next` makes a request, `handle` takes its answer.
 */
export class FetchSession {
  #sessionId = 0;
  #epoch = INITIAL_EPOCH;
  /** What the broker has, by topic and partition. */
  #known = new Map<string, FetchPartition>();
  #topicNames = new Map<string, string>();

  /** What to send when these partitions are wanted, in order of preference. */
  next(wanted: readonly FetchPartition[]): SessionRequest {
    const isFull = this.#epoch === INITIAL_EPOCH;
    const before = isFull ? new Map<string, FetchPartition>() : this.#known;
    const known = new Map(wanted.map((each) => [idOf(each), each]));
    const changed = wanted.filter((each) => !isSame(before.get(idOf(each)), each));
    const forgotten = [...before.values()].filter((each) => {
      const now = known.get(idOf(each));
      return now === undefined || now.topicId !== each.topicId;
    });
    this.#known = known;
    for (const { topicId, topic } of wanted) if (topicId !== ZERO_UUID) this.#topicNames.set(topicId, topic);
    return {
      sessionId: this.#sessionId,
      sessionEpoch: this.#epoch,
      topics: byTopic(changed).map(({ topic, topicId, partitions }) => ({ topic, topicId, partitions })),
      forgottenTopicsData: byTopic(forgotten).map(({ topic, topicId, partitions }) => ({
        topic,
        topicId,
        partitions: partitions.map(({ partition }) => partition),
      })),
      needsNames: wanted.some(({ topicId }) => topicId === ZERO_UUID),
    };
  }

  /** Takes the answer; false when the session is lost and the same partitions have to be asked for again. */
  handle({ errorCode, sessionId }: Pick<FetchResponse, 'errorCode' | 'sessionId'>): boolean {
    if (errorCode !== ErrorCodes.NONE) {
      if (errorCode === ErrorCodes.FETCH_SESSION_ID_NOT_FOUND) this.#sessionId = 0;
      // With the old id and the initial epoch the broker closes the old session.
      this.#epoch = INITIAL_EPOCH;
      return false;
    }
    if (sessionId === 0) {
      this.#sessionId = 0;
      this.#epoch = INITIAL_EPOCH;
    } else if (this.#epoch === INITIAL_EPOCH) {
      this.#sessionId = sessionId;
      this.#epoch = 1;
    } else this.#epoch = this.#epoch === 0x7fff_ffff ? 1 : this.#epoch + 1;
    return true;
  }

  /** The request got no answer: the broker's side may be a step ahead, so the session begins anew. */
  reset(): void {
    this.#epoch = INITIAL_EPOCH;
  }

  /** The request that closes the session; null when there is none. */
  close(): SessionRequest | null {
    if (this.#sessionId === 0) return null;
    const request = {
      sessionId: this.#sessionId,
      sessionEpoch: FINAL_EPOCH,
      topics: [],
      forgottenTopicsData: [],
      needsNames: false,
    };
    this.#sessionId = 0;
    this.#epoch = INITIAL_EPOCH;
    return request;
  }

  /** The name of a topic in an answer, which has an id from version 13 on. */
  nameOf(answer: { readonly topic: string; readonly topicId: string }): string | undefined {
    return answer.topic !== '' ? answer.topic : this.#topicNames.get(answer.topicId);
  }
}

function idOf({ topic, partition }: FetchPartition): string {
  return `${topic}-${partition}`;
}

function isSame(a: FetchPartition | undefined, b: FetchPartition): boolean {
  return (
    a !== undefined &&
    a.topicId === b.topicId &&
    a.fetchOffset === b.fetchOffset &&
    a.currentLeaderEpoch === b.currentLeaderEpoch &&
    a.partitionMaxBytes === b.partitionMaxBytes
  );
}

/** Runs of one topic together, in order: the broker fills the answer in the order of the request. */
function byTopic(
  partitions: readonly FetchPartition[],
): { topic: string; topicId: string; partitions: FetchPartition[] }[] {
  const groups: { topic: string; topicId: string; partitions: FetchPartition[] }[] = [];
  for (const each of partitions) {
    const last = groups.at(-1);
    if (last !== undefined && last.topic === each.topic && last.topicId === each.topicId)
      last.partitions.push(each);
    else groups.push({ topic: each.topic, topicId: each.topicId, partitions: [each] });
  }
  return groups;
}
