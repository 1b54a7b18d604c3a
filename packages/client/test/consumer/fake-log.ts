import { encodeBatch } from '@ottla/protocol';
import type { Consumer, Message } from '../../src/index.ts';
import type { FakeAnswer, FakeRequest, FakeServer } from '../fake-server.ts';

const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ';

/** What the log of the one partition holds, by the offset that is asked for, and the answers that fail. */
export interface Log {
  leaderEpoch: number;
  records(offset: number): Buffer | null;
  errorCode(offset: number): number;
  /** How far the epochs reach that readers come from. */
  endOfEpoch: number;
  logStart: number;
}

/** Answers what a consumer of the one partition of `t` asks for. */
export function answering(log: Log): (request: FakeRequest, server: FakeServer) => FakeAnswer | undefined {
  return ({ api, body }, server) => {
    if (api === 'Metadata')
      return {
        brokers: [{ nodeId: 1, host: '127.0.0.1', port: server.port }],
        clusterId: 'fake',
        controllerId: 1,
        topics: [
          {
            name: 't',
            topicId: TOPIC_ID,
            partitions: [
              {
                partitionIndex: 0,
                leaderId: 1,
                leaderEpoch: log.leaderEpoch,
                replicaNodes: [1],
                isrNodes: [1],
              },
            ],
          },
        ],
      };
    if (api === 'ListOffsets')
      return {
        topics: [{ name: 't', partitions: [{ partitionIndex: 0, offset: log.logStart, timestamp: -1 }] }],
      };
    if (api === 'OffsetForLeaderEpoch')
      return {
        topics: [{ topic: 't', partitions: [{ partition: 0, leaderEpoch: 0, endOffset: log.endOfEpoch }] }],
      };
    if (api !== 'Fetch') return undefined;
    const { topics } = body as unknown as { topics: { partitions: { fetchOffset: number }[] }[] };
    const asked = topics[0]?.partitions[0]?.fetchOffset;
    // Session 0: every request names its partitions.
    if (asked === undefined) return { sessionId: 0, responses: [] };
    const errorCode = log.errorCode(asked);
    const records = errorCode === 0 ? log.records(asked) : null;
    return {
      sessionId: 0,
      responses: [
        { topicId: TOPIC_ID, partitions: [{ partitionIndex: 0, errorCode, highWatermark: 100, records }] },
      ],
    };
  };
}

/** A batch of `count` records: `v4`, `v5`, ... */
export const batch = (baseOffset: number, count: number, epoch = 0) =>
  encodeBatch({
    baseOffset,
    partitionLeaderEpoch: epoch,
    records: Array.from({ length: count }, (_, i) => ({ value: Buffer.from(`v${baseOffset + i}`) })),
  });

/** A log of twenty records, two in a batch, that never fails. */
export const log = (more: Partial<Log> = {}): Log => ({
  leaderEpoch: 0,
  records: (offset) => (offset < 20 ? batch(offset, 2) : null),
  errorCode: () => 0,
  endOfEpoch: 100,
  logStart: 0,
  ...more,
});

/** The offsets of the first records that the consumer gets. */
export async function first<M extends Message>(consumer: Consumer<M>, count: number): Promise<number[]> {
  const offsets: number[] = [];
  for await (const { offset } of consumer) if (offsets.push(offset) === count) break;
  return offsets;
}
