import { ErrorCodes } from '@ottla/protocol';
import { describe, expect, test } from 'vitest';
import { FetchSession, type FetchPartition } from '../../../src/consumer/fetch/fetch-session.ts';

const at = (partition: number, fetchOffset: number, topic = 't'): FetchPartition => ({
  topic,
  topicId: `${topic}-id`,
  partition,
  currentLeaderEpoch: 0,
  fetchOffset,
  partitionMaxBytes: 1_000,
});

/** What a request says, short: partitions with offsets, and those forgotten. */
function said(session: FetchSession, wanted: readonly FetchPartition[]): unknown {
  const { sessionId, sessionEpoch, topics, forgottenTopicsData } = session.next(wanted);
  const asked = topics.flatMap(({ topic, partitions }) =>
    partitions!.map(({ partition, fetchOffset }) => `${topic}-${partition}@${fetchOffset}`),
  );
  const forgotten = forgottenTopicsData.flatMap(({ topic, partitions }) =>
    partitions!.map((each) => `${topic}-${each}`),
  );
  return [sessionId, sessionEpoch, asked, forgotten];
}

describe('a fetch session', () => {
  test('says everything once, then only what has changed or gone', () => {
    const session = new FetchSession();
    expect(said(session, [at(0, 0), at(1, 0)])).toEqual([0, 0, ['t-0@0', 't-1@0'], []]);
    expect(session.handle({ errorCode: 0, sessionId: 7 })).toBe(true);
    expect(said(session, [at(0, 10), at(1, 0)])).toEqual([7, 1, ['t-0@10'], []]);
    session.handle({ errorCode: 0, sessionId: 7 });
    expect(said(session, [at(1, 0), at(0, 5, 'u')])).toEqual([7, 2, ['u-0@5'], ['t-0']]);
    session.handle({ errorCode: 0, sessionId: 7 });
    expect(said(session, [at(1, 0), at(0, 5, 'u')])).toEqual([7, 3, [], []]);
  });

  test('a broker that gives no session is told everything every time', () => {
    const session = new FetchSession();
    said(session, [at(0, 0)]);
    session.handle({ errorCode: 0, sessionId: 0 });
    expect(said(session, [at(0, 0)])).toEqual([0, 0, ['t-0@0'], []]);
  });

  test.each([
    ['FETCH_SESSION_ID_NOT_FOUND', 0],
    ['INVALID_FETCH_SESSION_EPOCH', 7],
  ] as const)('%s: begins anew, with session id %i', (name, sessionId) => {
    const session = new FetchSession();
    said(session, [at(0, 0)]);
    session.handle({ errorCode: 0, sessionId: 7 });
    said(session, [at(0, 4)]);
    expect(session.handle({ errorCode: ErrorCodes[name], sessionId: 0 })).toBe(false);
    expect(said(session, [at(0, 4)])).toEqual([sessionId, 0, ['t-0@4'], []]);
  });

  test('a topic that was created again under the same name is forgotten and asked for', () => {
    const session = new FetchSession();
    said(session, [at(0, 9)]);
    session.handle({ errorCode: 0, sessionId: 7 });
    expect(said(session, [{ ...at(0, 9), topicId: 'new' }])).toEqual([7, 1, ['t-0@9'], ['t-0']]);
    expect(session.nameOf({ topic: '', topicId: 'new' })).toBe('t');
  });

  test('closing says the final epoch, once, and only when there is a session', () => {
    const session = new FetchSession();
    expect(session.close()).toBeNull();
    said(session, [at(0, 0)]);
    session.handle({ errorCode: 0, sessionId: 7 });
    expect(session.close()).toMatchObject({ sessionId: 7, sessionEpoch: -1 });
    expect(session.close()).toBeNull();
  });
});
