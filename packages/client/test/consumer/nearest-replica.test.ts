import { encodeBatch } from '@ottla/protocol';
import { expect, test } from 'vitest';
import { connect } from '../../src/index.ts';
import { FakeServer, type FakeAnswer, type FakeRequest } from '../fake-server.ts';

const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ';

interface FetchBody {
  readonly rackId: string;
  readonly topics: { readonly partitions: { readonly fetchOffset: number }[] }[];
}

/** Answers of a cluster of two: node 1 leads and sends readers of rack `b` to node 2, which has the records up to `end`. */
function nodeOf(
  nodeId: number,
  ports: Map<number, number>,
  end: number,
): (request: FakeRequest) => FakeAnswer | undefined {
  return ({ api, body }) => {
    if (api === 'Metadata')
      return {
        brokers: [...ports].map(([id, port]) => ({
          nodeId: id,
          host: '127.0.0.1',
          port,
          rack: id === 1 ? 'a' : 'b',
        })),
        clusterId: 'fake',
        controllerId: 1,
        topics: [
          {
            name: 't',
            topicId: TOPIC_ID,
            partitions: [
              { partitionIndex: 0, leaderId: 1, leaderEpoch: 0, replicaNodes: [1, 2], isrNodes: [1, 2] },
            ],
          },
        ],
      };
    if (api === 'ListOffsets')
      return { topics: [{ name: 't', partitions: [{ partitionIndex: 0, offset: 0, timestamp: -1 }] }] };
    if (api !== 'Fetch') return undefined;
    const { rackId, topics } = body as unknown as FetchBody;
    const fetchOffset = topics[0]?.partitions[0]?.fetchOffset;
    if (fetchOffset === undefined) return { sessionId: 0, responses: [] };
    const redirects = nodeId === 1 && rackId === 'b' && fetchOffset < end;
    const isBehind = nodeId === 2 && fetchOffset >= end;
    const records = encodeBatch({
      baseOffset: fetchOffset,
      records: [{ value: Buffer.from(`from ${nodeId}`) }],
    });
    const partition = redirects
      ? { preferredReadReplica: 2, records: null }
      : isBehind
        ? { errorCode: 1, records: null }
        : { records };
    return {
      sessionId: 0,
      responses: [
        { topicId: TOPIC_ID, partitions: [{ partitionIndex: 0, highWatermark: 100, ...partition }] },
      ],
    };
  };
}

test('a leader that knows a nearer replica is followed there; one that lags is left for the leader again (KIP-392)', async () => {
  const ports = new Map<number, number>();
  await using leader = await FakeServer.start((request) => nodeOf(1, ports, 3)(request));
  await using follower = await FakeServer.start((request) => nodeOf(2, ports, 3)(request));
  ports.set(1, leader.port).set(2, follower.port);
  await using ottla = connect({ bootstrap: leader.bootstrap, clientRack: 'b', retryBackoffMs: 1 });
  await using consumer = ottla.consumer('t', { from: 'earliest', maxPartitionFetchBytes: 1 });
  const seen: string[] = [];
  for await (const { offset, value } of consumer) if (seen.push(`${offset} ${value}`) === 5) break;
  expect(seen).toEqual(['0 from 2', '1 from 2', '2 from 2', '3 from 1', '4 from 1']);
});
