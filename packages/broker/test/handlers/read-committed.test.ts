import { SeededRandom, SimClock, SimDisk } from '@ottla/platform';
import { ApiKeys, encodeBatch } from '@ottla/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Broker, startBroker } from '../../src/broker.ts';
import { TranscriptClient } from '../transcripts/transcript-client.ts';

let broker: Broker;
let clock: SimClock;
let producer: TranscriptClient;
let consumer: TranscriptClient;

/** Time stands still while a fetch waits: what is answered is answered because of what happened, not because a wait was over. */
beforeEach(async () => {
  clock = new SimClock();
  broker = await startBroker({
    properties: { listeners: 'PLAINTEXT://127.0.0.1:0', 'log.dirs': '/logs' },
    clock,
    disk: new SimDisk({ clock, random: new SeededRandom(1) }),
    random: new SeededRandom(2),
  });
  const { port } = broker.listeners[0]!;
  producer = await TranscriptClient.open(port);
  consumer = await TranscriptClient.open(port);
  const topics = [{ name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }];
  await producer.exchange({ apiKey: ApiKeys.CreateTopics, version: 7, body: { topics, timeoutMs: 1000 } });
  await producer.exchange({
    apiKey: ApiKeys.FindCoordinator,
    version: 4,
    body: { keyType: 1, coordinatorKeys: ['id'] },
  });
});
afterEach(async () => {
  producer.close();
  consumer.close();
  await broker.close();
});

/** Retried until the coordinator has loaded. */
async function init(): Promise<{ producerId: number; producerEpoch: number }> {
  for (;;) {
    const answer = (await producer.exchange({
      apiKey: ApiKeys.InitProducerId,
      version: 5,
      body: { transactionalId: 'id', transactionTimeoutMs: 60_000 },
    })) as { errorCode: number; producerId: number; producerEpoch: number };
    // The coordinator has loaded, and whoever asked it too early asks again now.
    clock.advance(100);
    if (answer.errorCode === 0) return answer;
  }
}

test.each([
  { committed: true, aborted: [] },
  { committed: false, aborted: [{ producerId: 0, firstOffset: 0 }] },
])(
  'a read_committed fetch that waits is answered when the transaction ends (commit: $committed)',
  async ({ committed, aborted }) => {
    const { producerId, producerEpoch } = await init();
    const records = encodeBatch({
      records: [{ key: null, value: Buffer.from('x'), timestamp: 1_700_000_000_000 }],
      producerId,
      producerEpoch,
      baseSequence: 0,
      isTransactional: true,
    });
    const topicData = [{ name: 't', partitionData: [{ index: 0, records }] }];
    const produced = await producer.exchange({
      apiKey: ApiKeys.Produce,
      version: 12,
      body: { transactionalId: 'id', acks: -1, timeoutMs: 1000, topicData },
    });
    expect(produced).toMatchObject({
      responses: [{ partitionResponses: [{ errorCode: 0, baseOffset: 0 }] }],
    });

    let isAnswered = false;
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 100_000 }];
    const fetched = consumer
      .exchange({
        apiKey: ApiKeys.Fetch,
        version: 12,
        body: { maxWaitMs: 60_000, minBytes: 1, isolationLevel: 1, topics: [{ topic: 't', partitions }] },
      })
      .finally(() => (isAnswered = true));
    await producer.exchange({ apiKey: ApiKeys.ApiVersions, version: 0, body: {} });
    expect(isAnswered).toBe(false);
    await producer.exchange({
      apiKey: ApiKeys.EndTxn,
      version: 5,
      body: { transactionalId: 'id', producerId, producerEpoch, committed },
    });
    expect(await fetched).toMatchObject({
      responses: [{ partitions: [{ errorCode: 0, lastStableOffset: 2, abortedTransactions: aborted }] }],
    });
  },
);
