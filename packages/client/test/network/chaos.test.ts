import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Cluster } from '../../src/cluster/cluster.ts';
import { KafkaError } from '../../src/index.ts';
import { apis } from '../../src/network/apis.ts';
import { resolveOptions } from '../../src/options/resolve-options.ts';
import { FakeServer } from '../fake-server.ts';

/** What a server does with its next request. */
type Fault = 'answer' | 'silence' | 'hang up' | 'half an answer' | 'garbage' | 'answer late' | 'answer twice';

const faults: readonly Fault[] = [
  'answer',
  'silence',
  'hang up',
  'half an answer',
  'garbage',
  'answer late',
  'answer twice',
];

/** An answer to Heartbeat, version 4: no error. */
function heartbeatAnswer(correlationId: number): Buffer {
  const bytes = Buffer.alloc(4 + 4 + 1 + 4 + 2 + 1);
  bytes.writeInt32BE(bytes.length - 4, 0);
  bytes.writeInt32BE(correlationId, 4);
  return bytes;
}

test('whatever a server does, every call ends in time, close ends, and a server that recovers is used again', async () => {
  let plan: Fault[] = [];
  await using server = await FakeServer.start(({ api, header, socket }) => {
    if (api !== 'Heartbeat') return undefined;
    const answer = heartbeatAnswer(header.correlationId);
    switch (plan.shift() ?? 'answer') {
      case 'answer':
        return answer;
      case 'silence':
        return null;
      case 'hang up':
        socket.destroy();
        return null;
      case 'half an answer':
        socket.end(answer.subarray(0, 7));
        return null;
      case 'garbage':
        return Buffer.from('HTTP/1.1 500 Internal Server Error\r\n\r\n');
      case 'answer late':
        setImmediate(() => socket.write(answer));
        return null;
      case 'answer twice':
        return Buffer.concat([answer, answer]);
    }
  });
  const plans = fc.array(fc.constantFrom(...faults), { minLength: 1, maxLength: 12 });
  const callCounts = fc.integer({ min: 1, max: 30 });
  await fc.assert(
    fc.asyncProperty(plans, callCounts, fc.boolean(), async (script, callCount, isClosedMidway) => {
      plan = [...script];
      const cluster = new Cluster(
        resolveOptions({
          bootstrap: server.bootstrap,
          requestTimeoutMs: 60,
          retryBackoffMs: 2,
          retryBackoffMaxMs: 4,
          reconnectBackoffMs: 2,
          reconnectBackoffMaxMs: 4,
        }),
      );
      // A machine under load can take longer than the short timeout.
      await cluster.retry({ what: 'Connecting', timeoutMs: 10_000, isRetriable: () => true }, () =>
        cluster.refreshMetadata(),
      );
      const calls = Array.from({ length: callCount }, (_, index) =>
        cluster.request(1, apis.heartbeat, { groupId: 'g' }, { lane: `lane ${index % 3}` }).then(
          ({ errorCode }) => errorCode,
          (error: unknown) => error,
        ),
      );
      if (isClosedMidway) {
        await new Promise(setImmediate);
        cluster.close();
      }
      for (const outcome of await Promise.all(calls))
        if (outcome !== 0) expect(outcome).toBeInstanceOf(KafkaError);
      if (!isClosedMidway) {
        plan = [];
        const again = await cluster.retry(
          { what: 'Trying', timeoutMs: 10_000, isRetriable: () => true },
          ({ remainingMs }) =>
            cluster.request(1, apis.heartbeat, { groupId: 'g' }, { timeoutMs: remainingMs }),
        );
        expect(again.errorCode).toBe(0);
        cluster.close();
      }
      expect(cluster.connectionCount).toBe(0);
      await expect(cluster.request(1, apis.heartbeat, { groupId: 'g' })).rejects.toMatchObject({
        name: 'CLIENT_CLOSED',
      });
    }),
    { numRuns: 40 },
  );
});
