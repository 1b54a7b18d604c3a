import { describe, expect, test } from 'vitest';
import { connect } from '../../src/index.ts';
import { CountingClock } from '../counting-clock.ts';
import { FakeServer } from '../fake-server.ts';
import { answering, batch, first, log } from './fake-log.ts';

describe('a server that gives bad answers', () => {
  test('a poisoned batch is an error with its place, again and again, until seek gets past it', async () => {
    const poisoned = batch(4, 2);
    poisoned[64]! ^= 1;
    await using server = await FakeServer.start(
      answering(
        log({ records: (offset) => (offset === 4 ? poisoned : offset < 20 ? batch(offset, 2) : null) }),
      ),
    );
    await using ottla = connect({ bootstrap: server.bootstrap });
    await using consumer = ottla.consumer('t', { from: 'earliest' });
    const seen: number[] = [];
    const failing = (async () => {
      for await (const { offset } of consumer) seen.push(offset);
    })();
    await expect(failing).rejects.toMatchObject({
      name: 'CORRUPT_MESSAGE',
      topic: 't',
      partition: 0,
      offset: 4,
    });
    expect(seen).toEqual([0, 1, 2, 3]);
    await expect(first(consumer, 1)).rejects.toMatchObject({ name: 'CORRUPT_MESSAGE' });
    consumer.seek({ topic: 't', partition: 0 }, 6);
    expect(await first(consumer, 2)).toEqual([6, 7]);
  });

  test('a broker that refuses every fetch is not asked again without a pause', async () => {
    const serve = answering(log());
    const clock = new CountingClock();
    const fetchedMs: number[] = [];
    await using server = await FakeServer.start((request, fake) => {
      if (request.api !== 'Fetch') return serve(request, fake);
      fetchedMs.push(clock.monotonicMs());
      if (fetchedMs.length > 4) return serve(request, fake);
      return { errorCode: 999, sessionId: 0, responses: [] };
    });
    await using ottla = connect({ bootstrap: server.bootstrap, retryBackoffMs: 40, retryBackoffMaxMs: 40 });
    await using consumer = ottla.consumer('t', { from: 'earliest' });
    expect(await first(consumer, 2)).toEqual([0, 1]);
    // At once after the first failure, then after 40 ms less a fifth each.
    expect(fetchedMs[4]! - fetchedMs[0]!).toBeGreaterThanOrEqual(3 * 32);
  });

  test('errors that newer metadata cures are not seen by the loop', async () => {
    const codes = [6, 9, 75, 78, 56, 3];
    await using server = await FakeServer.start(answering(log({ errorCode: () => codes.shift() ?? 0 })));
    await using ottla = connect({ bootstrap: server.bootstrap, retryBackoffMs: 1, retryBackoffMaxMs: 2 });
    await using consumer = ottla.consumer('t', { from: 'earliest' });
    expect(await first(consumer, 2)).toEqual([0, 1]);
    expect(codes).toEqual([]);
  });

  test('no right to read ends the loop', async () => {
    await using server = await FakeServer.start(answering(log({ errorCode: () => 29 })));
    await using ottla = connect({ bootstrap: server.bootstrap });
    await using consumer = ottla.consumer('t', { from: 'earliest' });
    await expect(first(consumer, 1)).rejects.toMatchObject({ name: 'TOPIC_AUTHORIZATION_FAILED' });
  });

  test('records that are no batches at all are an error', async () => {
    const garbage = Buffer.alloc(300, 0xee);
    await using server = await FakeServer.start(answering(log({ records: () => garbage })));
    await using ottla = connect({ bootstrap: server.bootstrap });
    await using consumer = ottla.consumer('t', { from: 'earliest' });
    await expect(first(consumer, 1)).rejects.toMatchObject({ name: 'CORRUPT_MESSAGE', partition: 0 });
  });

  test('a connection that is cut in the middle is opened again, and nothing is lost or doubled', async () => {
    let fetches = 0;
    const answer = answering(log());
    await using server = await FakeServer.start((request, fake) => {
      if (request.api === 'Fetch' && (fetches += 1) % 3 === 2) {
        request.socket.destroy();
        return null;
      }
      return answer(request, fake);
    });
    await using ottla = connect({ bootstrap: server.bootstrap, retryBackoffMs: 1, reconnectBackoffMs: 1 });
    await using consumer = ottla.consumer('t', { from: 'earliest', maxPartitionFetchBytes: 1 });
    expect(await first(consumer, 20)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });
});

describe('a log that was truncated (KIP-320)', () => {
  /** After two batches another leader takes over, whose log is shorter; who comes with the old epoch is sent away. */
  const truncated = () => {
    const state = log();
    const answer = answering(state);
    return FakeServer.start((request, server) => {
      const { topics } = request.body as unknown as {
        topics?: { partitions: { fetchOffset: number; currentLeaderEpoch: number }[] }[];
      };
      const asked = request.api === 'Fetch' ? topics?.[0]?.partitions[0] : undefined;
      if (asked?.fetchOffset === 4 && state.leaderEpoch === 0) {
        state.leaderEpoch = 1;
        state.endOfEpoch = 3;
        state.records = (at) => (at < 10 ? batch(at, 1, 1) : null);
      }
      state.errorCode = () => (asked !== undefined && asked.currentLeaderEpoch < state.leaderEpoch ? 74 : 0);
      return answer(request, server);
    });
  };

  test('with a reset rule the consumer goes back to where the histories part', async () => {
    await using server = await truncated();
    await using ottla = connect({ bootstrap: server.bootstrap, retryBackoffMs: 1 });
    await using consumer = ottla.consumer('t', { from: 'earliest', maxPartitionFetchBytes: 1 });
    expect(await first(consumer, 7)).toEqual([0, 1, 2, 3, 3, 4, 5]);
  });

  test('with none the loop ends with both offsets', async () => {
    await using server = await truncated();
    await using ottla = connect({ bootstrap: server.bootstrap, retryBackoffMs: 1 });
    await using consumer = ottla.consumer(
      { partitions: [{ topic: 't', partition: 0, offset: 0 }] },
      { from: 'none', maxPartitionFetchBytes: 1 },
    );
    await expect(first(consumer, 7)).rejects.toMatchObject({
      name: 'LOG_TRUNCATED',
      offset: 4,
      divergentOffset: 3,
    });
  });
});

test('close ends although the server answers nothing any more', async () => {
  let isDead = false;
  const answer = answering(log());
  await using server = await FakeServer.start((request, fake) => (isDead ? null : answer(request, fake)));
  await using ottla = connect({ bootstrap: server.bootstrap });
  const consumer = ottla.consumer('t', { from: 'earliest' });
  await first(consumer, 1);
  isDead = true;
  await consumer.close({ timeoutMs: 100 });
  expect(consumer.assignment).toEqual([]);
});
