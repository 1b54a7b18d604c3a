import { connect, topic, type Admin, type Ottla } from '@ottla/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kafkaJars, Peer, type KafkaJars } from '../src/index.ts';
import { absent, interop, unique } from './support.ts';

/** The last release of Kafka 3: what users have who have not moved to 4 yet. */
const VERSION = '3.9.1';

async function oldJars(): Promise<KafkaJars> {
  if (absent(interop.java)) return { absent: 'no Java' };
  try {
    return await kafkaJars(VERSION);
  } catch (error) {
    return { absent: `the jars cannot be fetched: ${String(error).slice(0, 200)}` };
  }
}

const jars = await oldJars();

describe.skipIf('absent' in jars)(
  'absent' in jars
    ? `client: Apache Kafka ${VERSION} (skipped: ${jars.absent})`
    : `client: Apache Kafka ${VERSION}`,
  () => {
    let peer: Peer | undefined;
    let ottla: Ottla;
    let admin: Admin;

    beforeAll(async () => {
      if ('absent' in jars) return;
      peer = await Peer.start({ kind: 'kafka', libs: jars.libs });
      ottla = connect({ bootstrap: peer.bootstrap, clientId: 'kafka-3', defaultApiTimeoutMs: 20_000 });
      admin = ottla.admin();
    });

    afterAll(async () => {
      await ottla?.close();
      await peer?.dispose();
    });

    test('records of every compression come back in order, once, and the group stands behind them', async () => {
      const name = unique('types');
      await admin.topics.ensure(topic(name, { partitions: 1, configs: { 'retention.ms': 600_000 } }));
      const types = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
      for (const compression of types) {
        await using producer = ottla.producer({ compression });
        await Promise.all(
          Array.from({ length: 200 }, (_, n) => producer.send(name, { value: `${compression} ${n}` })),
        );
      }
      const values: unknown[] = [];
      await using consumer = ottla.consumer(name, { group: name, from: 'earliest' });
      for await (const message of consumer) {
        if (values.push(message.value) < 1_000) continue;
        await consumer.commit(message);
        break;
      }
      expect(values).toEqual(types.flatMap((type) => Array.from({ length: 200 }, (_, n) => `${type} ${n}`)));
      expect(await admin.groups.describe(name)).toMatchObject({ type: 'classic', lag: 0 });
      const configs = await admin.configs.describe({ type: 'topic', name });
      expect(configs.get('retention.ms')?.value).toBe('600000');
    });

    test('transactions: what is committed is seen with its offsets, what is aborted is not', async () => {
      const name = unique('tx');
      await admin.topics.ensure(topic(name, { partitions: 2 }));
      await using producer = ottla.producer({ transactionalId: name });
      const offset = { topic: name, partition: 0, offset: 1 };
      await producer.transaction(async (transaction) => {
        for (const partition of [0, 1]) await transaction.send(name, { partition, value: 'committed' });
        await transaction.sendOffsets([offset], name);
      });
      const doomed = await producer.begin();
      await doomed.send(name, { partition: 0, value: 'aborted' });
      await doomed.abort();
      await producer.transaction((transaction) => transaction.send(name, { partition: 0, value: 'end' }));
      const values: unknown[] = [];
      await using consumer = ottla.consumer(name, { from: 'earliest', isolationLevel: 'read_committed' });
      for await (const { value } of consumer) if (values.push(value) === 3) break;
      expect(values.toSorted()).toEqual(['committed', 'committed', 'end']);
      expect(await admin.groups.offsets(name)).toMatchObject([offset]);
    });

    test('groups of newer kinds end the loop at once, with what they need', async () => {
      const name = unique('newer');
      await admin.topics.ensure(name);
      const read = async (loop: AsyncIterable<unknown>): Promise<void> => {
        for await (const _ of loop);
      };
      await using consumer = ottla.consumer(name, { group: name, groupProtocol: 'consumer' });
      await expect(read(consumer)).rejects.toThrow(/needs Kafka 4.0.*groupProtocol to "classic"/);
      await using share = ottla.shareConsumer(name, { group: unique('share') });
      await expect(read(share)).rejects.toThrow(/Share groups .* need Kafka 4.2/);
      await expect(admin.shareGroups.describe(name)).rejects.toMatchObject({ name: 'UNSUPPORTED_VERSION' });
    });
  },
);
