import { SeededRandom, SimClock, SimDisk } from '@ottla/platform';
import { encodeBatch } from '@ottla/protocol';
import { expect, test } from 'vitest';
import { deleteRecordsHandler } from '../../src/handlers/delete-records.ts';
import { fixedImage } from '../coordinator/group/fixed-metadata.ts';
import { CONNECTION, openReplicas } from '../coordinator/simulated-replicas.ts';

const TOPIC = 't1';

async function setUp() {
  const random = new SeededRandom(1);
  const delay = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const metadata = { current: () => fixedImage(), subscribe: () => {} };
  const disk = new SimDisk({ random, delay });
  const replicaManager = await openReplicas({ disk, clock: new SimClock(), random, metadata });
  const handler = deleteRecordsHandler({ metadata, replicaManager });
  const append = async (): Promise<void> => {
    const records = encodeBatch({ baseOffset: 0, records: [{ value: Buffer.from('v') }] });
    const options = { acks: 1, timeoutMs: 1000, origin: 'client' } as const;
    await replicaManager.append({ topic: TOPIC, partition: 0, records }, options);
  };
  const highWatermark = (): number => {
    const hosted = replicaManager.partition(TOPIC, 0);
    return typeof hosted === 'number' ? -1 : hosted.highWatermark;
  };
  const deleteUpTo = async (offset: number): Promise<unknown> => {
    const request = {
      topics: [{ name: TOPIC, partitions: [{ partitionIndex: 0, offset }] }],
      timeoutMs: 1000,
    };
    const response = await handler.handle(request, { connection: CONNECTION } as never);
    if (typeof response !== 'object') throw new Error('No answer');
    return response.topics?.[0]?.partitions?.[0];
  };
  return { append, deleteUpTo, highWatermark };
}

// A Kafka of one broker has its high watermark there when acks=1 is answered; ours follows the flush.
test.each([
  ['an offset', 1],
  ['the end', -1],
])(
  'records that acks=1 has acknowledged and no flush has reached yet are deleted up to %s',
  async (_, offset) => {
    const { append, deleteUpTo, highWatermark } = await setUp();
    await append();
    expect(highWatermark()).toBe(0);
    expect(await deleteUpTo(offset)).toEqual({ partitionIndex: 0, lowWatermark: 1, errorCode: 0 });
  },
);

test('offsets that the log does not have are refused at once', async () => {
  const { append, deleteUpTo } = await setUp();
  await append();
  expect(await deleteUpTo(2)).toEqual({ partitionIndex: 0, lowWatermark: -1, errorCode: 1 });
});
