import { SeededRandom } from '@ottla/platform';
import { ErrorCodes, ZERO_UUID } from '@ottla/protocol';
import { describe, expect, test } from 'vitest';
import {
  FetchSessionCache,
  nextSessionEpoch,
  type SessionPartition,
  type SessionRequest,
} from '../../src/replica/fetch-session.ts';
import { failedRead, type PartitionReadResult } from '../../src/replica/partition-read.ts';

const EVICTION_MS = 120_000;
const noNames = (): undefined => undefined;

function cacheOf(maxSessions: number): FetchSessionCache {
  return new FetchSessionCache({ maxSessions, evictionMs: EVICTION_MS, random: new SeededRandom(1) });
}

function target(topic: string, partition = 0, fields: Partial<SessionPartition> = {}): SessionPartition {
  return {
    topic,
    topicId: ZERO_UUID,
    partition,
    fetchOffset: 0,
    maxBytes: 1000,
    currentLeaderEpoch: -1,
    lastFetchedEpoch: -1,
    isNameKnown: true,
    sentHighWatermark: -1,
    sentLogStartOffset: -1,
    ...fields,
  };
}

function request(fields: Partial<SessionRequest>): SessionRequest {
  return {
    version: 12,
    sessionId: 0,
    sessionEpoch: 0,
    isFromFollower: false,
    partitions: [],
    forgotten: [],
    ...fields,
  };
}

function read(fields: Partial<PartitionReadResult> = {}): PartitionReadResult {
  return { ...failedRead(0), highWatermark: 10, lastStableOffset: 10, logStartOffset: 0, ...fields };
}

/** Runs one request and answers every partition with `reads` by topic; gives what the client would see. */
function exchange(
  cache: FetchSessionCache,
  fields: Partial<SessionRequest>,
  options: { nowMs?: number; reads?: Record<string, PartitionReadResult> } = {},
) {
  const context = cache.begin(request(fields), options.nowMs ?? 0, noNames);
  const asked = [...context.partitions];
  const results = asked.map((each) => ({ target: each, read: options.reads?.[each.topic] ?? read() }));
  const { sessionId, errorCode, included } = context.finish(results);
  return {
    sessionId,
    errorCode,
    asked: asked.map((each) => each.topic),
    included: included.map((each) => each.target.topic),
  };
}

function newSession(cache: FetchSessionCache, topics: string[], nowMs = 0, isFromFollower = false): number {
  return exchange(cache, { partitions: topics.map((topic) => target(topic)), isFromFollower }, { nowMs })
    .sessionId;
}

describe('fetch sessions (KIP-227)', () => {
  test('an incremental fetch reads every partition and answers those with news', () => {
    const cache = cacheOf(10);
    const sessionId = newSession(cache, ['a', 'b', 'c']);
    expect(sessionId).toBeGreaterThan(0);
    expect(exchange(cache, { sessionId, sessionEpoch: 1 })).toMatchObject({
      asked: ['a', 'b', 'c'],
      included: [],
    });
    const withData = read({ sizeInBytes: 5, records: [Buffer.alloc(5)] });
    expect(exchange(cache, { sessionId, sessionEpoch: 2 }, { reads: { a: withData } })).toMatchObject({
      included: ['a'],
    });
    // The one that gave data is read last the next time.
    expect(
      exchange(
        cache,
        { sessionId, sessionEpoch: 3 },
        { reads: { c: read({ highWatermark: 11 }), b: read({ logStartOffset: 3 }) } },
      ),
    ).toMatchObject({
      asked: ['b', 'c', 'a'],
      included: ['b', 'c'],
    });
  });

  test('an error is answered each time, and once more when it is gone', () => {
    const cache = cacheOf(10);
    const sessionId = newSession(cache, ['a']);
    const failed = {
      a: read({ errorCode: ErrorCodes.NOT_LEADER_OR_FOLLOWER, highWatermark: -1, logStartOffset: -1 }),
    };
    expect(exchange(cache, { sessionId, sessionEpoch: 1 }, { reads: failed }).included).toEqual(['a']);
    expect(exchange(cache, { sessionId, sessionEpoch: 2 }, { reads: failed }).included).toEqual(['a']);
    expect(exchange(cache, { sessionId, sessionEpoch: 3 }).included).toEqual(['a']);
    expect(exchange(cache, { sessionId, sessionEpoch: 4 }).included).toEqual([]);
  });

  test('partitions are added, changed and forgotten', () => {
    const cache = cacheOf(10);
    const sessionId = newSession(cache, ['a', 'b']);
    const changed = exchange(cache, {
      sessionId,
      sessionEpoch: 1,
      partitions: [target('c'), target('b', 0, { fetchOffset: 9 })],
      forgotten: [{ topic: 'a', topicId: ZERO_UUID, partition: 0 }],
    });
    expect(changed).toMatchObject({ sessionId, asked: ['b', 'c'] });
    const context = cache.begin(request({ sessionId, sessionEpoch: 2 }), 0, noNames);
    expect([...context.partitions].map(({ fetchOffset }) => fetchOffset)).toEqual([9, 0]);
  });

  test('a session whose last partition is forgotten ends', () => {
    const cache = cacheOf(10);
    const sessionId = newSession(cache, ['a']);
    const forgotten = [{ topic: 'a', topicId: ZERO_UUID, partition: 0 }];
    expect(exchange(cache, { sessionId, sessionEpoch: 1, forgotten }).sessionId).toBe(0);
    expect(cache.size).toBe(0);
  });

  const refusals: [string, Partial<SessionRequest>, number][] = [
    ['unknown session', { sessionId: 1_000_000_000, sessionEpoch: 1 }, ErrorCodes.FETCH_SESSION_ID_NOT_FOUND],
    ['wrong epoch', { sessionEpoch: 2 }, ErrorCodes.INVALID_FETCH_SESSION_EPOCH],
    [
      'topic ids in a session of names',
      { sessionEpoch: 1, version: 13 },
      ErrorCodes.FETCH_SESSION_TOPIC_ID_ERROR,
    ],
  ];
  test.each(refusals)('%s is refused', (_, fields, errorCode) => {
    const cache = cacheOf(10);
    const sessionId = newSession(cache, ['a']);
    expect(exchange(cache, { sessionId, ...fields })).toMatchObject({
      errorCode,
      sessionId: 0,
      included: [],
    });
  });

  test('of two requests at a time only the later one is answered', () => {
    const cache = cacheOf(10);
    const sessionId = newSession(cache, ['a']);
    const first = cache.begin(request({ sessionId, sessionEpoch: 1 }), 0, noNames);
    cache.begin(request({ sessionId, sessionEpoch: 2 }), 0, noNames);
    expect(first.finish([])).toMatchObject({ sessionId, errorCode: ErrorCodes.INVALID_FETCH_SESSION_EPOCH });
  });

  test('a full fetch ends the session it names; the final epoch begins none', () => {
    const cache = cacheOf(10);
    const sessionId = newSession(cache, ['a']);
    expect(exchange(cache, { sessionId, sessionEpoch: -1, partitions: [target('a')] })).toMatchObject({
      sessionId: 0,
      included: ['a'],
    });
    expect(cache.size).toBe(0);
  });

  test('a topic id that was unknown is resolved once the topic is there', () => {
    const cache = cacheOf(10);
    const id = 'abcdefghijklmnopqrstuQ';
    const unknown = target('', 0, { topicId: id, isNameKnown: false });
    const { sessionId } = exchange(cache, { version: 13, partitions: [unknown] });
    const context = cache.begin(request({ version: 13, sessionId, sessionEpoch: 1 }), 0, (topicId) =>
      topicId === id ? 'a' : undefined,
    );
    expect([...context.partitions]).toMatchObject([{ topic: 'a', isNameKnown: true }]);
  });

  test.each([
    [0, 1],
    [1, 2],
    [0x7fffffff, 1],
    [-1, -1],
  ])('the epoch after %i is %i', (epoch, next) => {
    expect(nextSessionEpoch(epoch)).toBe(next);
  });
});

describe('a full session cache', () => {
  test('keeps young sessions and refuses the newcomer', () => {
    const cache = cacheOf(1);
    const sessionId = newSession(cache, ['a']);
    expect(newSession(cache, ['b', 'c'], 1000)).toBe(0);
    expect(exchange(cache, { sessionId, sessionEpoch: 1 }).errorCode).toBe(0);
  });

  test('gives up a session that was not used for the eviction time', () => {
    const cache = cacheOf(1);
    newSession(cache, ['a']);
    expect(newSession(cache, ['b'], EVICTION_MS)).toBe(0);
    expect(newSession(cache, ['b'], EVICTION_MS + 1)).toBeGreaterThan(0);
  });

  test('gives up an old session for a larger one, not for a smaller one', () => {
    const cache = cacheOf(1);
    const sessionId = newSession(cache, ['a', 'b']);
    exchange(cache, { sessionId, sessionEpoch: 1 }, { nowMs: EVICTION_MS });
    exchange(cache, { sessionId, sessionEpoch: 2 }, { nowMs: EVICTION_MS + 10 });
    expect(newSession(cache, ['c'], EVICTION_MS + 20)).toBe(0);
    expect(newSession(cache, ['c', 'd', 'e'], EVICTION_MS + 20)).toBeGreaterThan(0);
  });

  test('gives up a young session of a consumer for a follower', () => {
    const cache = cacheOf(1);
    newSession(cache, ['a', 'b']);
    const follower = newSession(cache, ['c'], 10, true);
    expect(follower).toBeGreaterThan(0);
    expect(newSession(cache, ['d', 'e'], 20, true)).toBe(0);
  });
});
