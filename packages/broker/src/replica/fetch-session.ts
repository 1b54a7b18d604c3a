import { ErrorCodes, ZERO_UUID } from '@ottla/protocol';
import type { Random } from '@ottla/platform';
import type { FetchTarget, ReadToSend } from './partition-read.ts';

/** Session id of a fetch without a session. */
const INVALID_SESSION_ID = 0;
/** Epoch of a request that wants a new session, and of one that wants none (and ends the one it names). */
const INITIAL_EPOCH = 0;
const FINAL_EPOCH = -1;

/** First fetch version whose partitions are named by topic id. */
const TOPIC_ID_VERSION = 13;

/** What a request says of one partition, and in a session also what was answered last. */
export interface SessionPartition extends FetchTarget {
  /** Null while the topic id is not known here. */
  topic: string;
  fetchOffset: number;
  maxBytes: number;
  currentLeaderEpoch: number;
  lastFetchedEpoch: number;
  isNameKnown: boolean;
  /** High watermark and log start as last answered; -1: the partition goes into the next answer. */
  sentHighWatermark: number;
  sentLogStartOffset: number;
}

/** Kafka's rule for session epochs: 1 up to the largest int32, then 1 again; -1 stays. */
export function nextSessionEpoch(epoch: number): number {
  if (epoch < 0) return FINAL_EPOCH;
  return epoch === 0x7fffffff ? 1 : epoch + 1;
}

/** The same partition by id where ids are used, by name where not. */
function keyOf(topicId: string, topic: string, partition: number): string {
  return topicId === ZERO_UUID ? `${partition}/${topic}` : `${partition}#${topicId}`;
}

export interface FetchSession {
  readonly id: number;
  readonly isPrivileged: boolean;
  readonly usesTopicIds: boolean;
  readonly createdMs: number;
  lastUsedMs: number;
  /** The epoch that the next request has to carry. */
  epoch: number;
  /** In the order in which they are read: a partition that gave data goes to the end, so that all get their turn. */
  readonly partitions: Map<string, SessionPartition>;
  /** Number of partitions when last used; what eviction compares. */
  cachedSize: number;
}

/** One fetch request as the session layer sees it. */
export interface SessionRequest {
  readonly version: number;
  readonly sessionId: number;
  readonly sessionEpoch: number;
  readonly isFromFollower: boolean;
  readonly partitions: readonly SessionPartition[];
  readonly forgotten: readonly {
    readonly topic: string;
    readonly topicId: string;
    readonly partition: number;
  }[];
}

/** What to read for a request, and how to answer it. */
export interface FetchContext {
  /** Not 0: the whole request is refused, nothing is read. */
  readonly errorCode: number;
  /** The session that the request goes on with; 0 when there is none yet. */
  readonly sessionId: number;
  /** Every partition of the fetch, in reading order. */
  readonly partitions: Iterable<SessionPartition>;
  /**
   * Takes the results in the order they are answered and says which of them go into the response: in an incremental
   * fetch only those that changed.
   */
  finish(results: readonly SessionResult[]): {
    sessionId: number;
    errorCode: number;
    included: readonly SessionResult[];
  };
}

export interface SessionResult {
  readonly target: SessionPartition;
  readonly read: ReadToSend;
}

const NONE_INCLUDED: readonly SessionResult[] = [];

/** `max.incremental.fetch.session.cache.slots` and `min.incremental.fetch.session.eviction.ms`. */
export interface FetchSessionCacheOptions {
  readonly maxSessions: number;
  readonly evictionMs: number;
  readonly random: Random;
}

/**
 * The fetch sessions of a broker (KIP-227): a consumer names its partitions once and later only what changed; the
 * answers hold only partitions with news. Pure but for the random session ids.
 *
 * When the cache is full a new session takes the place of one that was not used for `evictionMs`, or else of a smaller
 * one that has existed that long; followers (privileged) may also displace any consumer's.
 */
export class FetchSessionCache {
  readonly #options: FetchSessionCacheOptions;
  readonly #sessions = new Map<number, FetchSession>();

  constructor(options: FetchSessionCacheOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Finds or prepares the session of a request. `topicNames` resolves ids that were unknown when they were added. */
  begin(
    request: SessionRequest,
    nowMs: number,
    topicNames: (topicId: string) => string | undefined,
  ): FetchContext {
    const { sessionId, sessionEpoch } = request;
    if (sessionEpoch === INITIAL_EPOCH || sessionEpoch === FINAL_EPOCH) {
      if (sessionId !== INVALID_SESSION_ID) this.#sessions.delete(sessionId);
      const partitions = byKey(request.partitions);
      return sessionEpoch === FINAL_EPOCH ? sessionless(partitions) : this.#full(request, partitions, nowMs);
    }
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return refused(ErrorCodes.FETCH_SESSION_ID_NOT_FOUND);
    if (session.epoch !== sessionEpoch) return refused(ErrorCodes.INVALID_FETCH_SESSION_EPOCH);
    if (session.usesTopicIds !== request.version >= TOPIC_ID_VERSION)
      return refused(ErrorCodes.FETCH_SESSION_TOPIC_ID_ERROR);
    updateSession(session, request);
    if (session.partitions.size === 0) {
      this.#sessions.delete(session.id);
      return sessionless(byKey(request.partitions));
    }
    session.lastUsedMs = nowMs;
    session.cachedSize = session.partitions.size;
    session.epoch = nextSessionEpoch(session.epoch);
    if (session.usesTopicIds) resolveNames(session, topicNames);
    return incremental(session, session.epoch);
  }

  #full(request: SessionRequest, partitions: Map<string, SessionPartition>, nowMs: number): FetchContext {
    return {
      errorCode: ErrorCodes.NONE,
      sessionId: INVALID_SESSION_ID,
      partitions: partitions.values(),
      finish: (results) => {
        const sessionId = this.#create(request, results, nowMs);
        return { sessionId, errorCode: ErrorCodes.NONE, included: results };
      },
    };
  }

  #create(request: SessionRequest, results: readonly SessionResult[], nowMs: number): number {
    const isPrivileged = request.isFromFollower;
    if (
      this.#sessions.size >= this.#options.maxSessions &&
      !this.#evictFor(isPrivileged, results.length, nowMs)
    ) {
      return INVALID_SESSION_ID;
    }
    const partitions = new Map<string, SessionPartition>();
    for (const { target, read } of results) {
      target.sentHighWatermark = read.highWatermark;
      target.sentLogStartOffset = read.logStartOffset;
      partitions.set(keyOf(target.topicId, target.topic, target.partition), target);
    }
    let id: number;
    do {
      id = 1 + this.#options.random.nextInt(0x7fffffff - 1);
    } while (this.#sessions.has(id));
    this.#sessions.set(id, {
      id,
      isPrivileged,
      usesTopicIds: request.version >= TOPIC_ID_VERSION,
      createdMs: nowMs,
      lastUsedMs: nowMs,
      epoch: nextSessionEpoch(INITIAL_EPOCH),
      partitions,
      cachedSize: partitions.size,
    });
    return id;
  }

  /** Makes room for a session of `size` partitions; false when every session is worth more. */
  #evictFor(isPrivileged: boolean, size: number, nowMs: number): boolean {
    const { evictionMs } = this.#options;
    let oldest: FetchSession | null = null;
    let cheapest: FetchSession | null = null;
    for (const session of this.#sessions.values()) {
      if (oldest === null || isBefore(session.lastUsedMs, session.id, oldest.lastUsedMs, oldest.id))
        oldest = session;
      const isEstablished = session.lastUsedMs - session.createdMs > evictionMs;
      const isEvictable = isEstablished || (isPrivileged && !session.isPrivileged);
      if (isEvictable && (cheapest === null || compareWorth(session, cheapest) < 0)) cheapest = session;
    }
    if (oldest === null) return false;
    if (nowMs - oldest.lastUsedMs > evictionMs) return this.#sessions.delete(oldest.id);
    if (cheapest === null) return false;
    // A newcomer of equal size loses ties by id, as in Kafka, where it is compared with id 0.
    if (compareWorth({ isPrivileged, cachedSize: size, id: 0 }, cheapest) < 0) return false;
    return this.#sessions.delete(cheapest.id);
  }
}

function isBefore(a: number, aId: number, b: number, bId: number): boolean {
  return a < b || (a === b && aId < bId);
}

type Worth = Pick<FetchSession, 'isPrivileged' | 'cachedSize' | 'id'>;

function compareWorth(a: Worth, b: Worth): number {
  if (a.isPrivileged !== b.isPrivileged) return a.isPrivileged ? 1 : -1;
  return a.cachedSize - b.cachedSize || a.id - b.id;
}

/** Later mentions of a partition replace earlier ones, at the place of the first. */
function byKey(partitions: readonly SessionPartition[]): Map<string, SessionPartition> {
  const map = new Map<string, SessionPartition>();
  for (const target of partitions) map.set(keyOf(target.topicId, target.topic, target.partition), target);
  return map;
}

function updateSession(session: FetchSession, request: SessionRequest): void {
  for (const target of request.partitions) {
    const key = keyOf(target.topicId, target.topic, target.partition);
    const known = session.partitions.get(key);
    if (known === undefined) {
      session.partitions.set(key, target);
    } else {
      known.fetchOffset = target.fetchOffset;
      known.maxBytes = target.maxBytes;
      known.currentLeaderEpoch = target.currentLeaderEpoch;
      known.lastFetchedEpoch = target.lastFetchedEpoch;
    }
  }
  for (const { topic, topicId, partition } of request.forgotten)
    session.partitions.delete(keyOf(topicId, topic, partition));
}

function resolveNames(session: FetchSession, topicNames: (topicId: string) => string | undefined): void {
  for (const target of session.partitions.values()) {
    if (target.isNameKnown) continue;
    const name = topicNames(target.topicId);
    if (name === undefined) continue;
    target.topic = name;
    target.isNameKnown = true;
  }
}

function refused(errorCode: number): FetchContext {
  return {
    errorCode,
    sessionId: INVALID_SESSION_ID,
    partitions: [],
    finish: () => ({ sessionId: INVALID_SESSION_ID, errorCode, included: NONE_INCLUDED }),
  };
}

function sessionless(partitions: Map<string, SessionPartition>): FetchContext {
  return {
    errorCode: ErrorCodes.NONE,
    sessionId: INVALID_SESSION_ID,
    partitions: partitions.values(),
    finish: (results) => ({ sessionId: INVALID_SESSION_ID, errorCode: ErrorCodes.NONE, included: results }),
  };
}

function incremental(session: FetchSession, epoch: number): FetchContext {
  return {
    errorCode: ErrorCodes.NONE,
    sessionId: session.id,
    partitions: session.partitions.values(),
    finish: (results) => {
      // Another request of the same session came in between: only that one may answer.
      if (session.epoch !== epoch) {
        return {
          sessionId: session.id,
          errorCode: ErrorCodes.INVALID_FETCH_SESSION_EPOCH,
          included: NONE_INCLUDED,
        };
      }
      const included: SessionResult[] = [];
      for (const result of results) {
        if (!hasNews(result)) continue;
        included.push(result);
        if (result.read.sizeInBytes > 0) moveToEnd(session, result.target);
      }
      return { sessionId: session.id, errorCode: ErrorCodes.NONE, included };
    },
  };
}

function hasNews({ target, read }: SessionResult): boolean {
  let isNew = read.sizeInBytes > 0 || read.divergingEpoch !== null;
  if (target.sentHighWatermark !== read.highWatermark) {
    isNew = true;
    target.sentHighWatermark = read.highWatermark;
  }
  if (target.sentLogStartOffset !== read.logStartOffset) {
    isNew = true;
    target.sentLogStartOffset = read.logStartOffset;
  }
  if (read.errorCode !== 0) {
    isNew = true;
    // Makes sure that the partition is answered again once the error is gone.
    target.sentHighWatermark = -1;
  }
  return isNew;
}

function moveToEnd(session: FetchSession, target: SessionPartition): void {
  const key = keyOf(target.topicId, target.topic, target.partition);
  if (session.partitions.delete(key)) session.partitions.set(key, target);
}
