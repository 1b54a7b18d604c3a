import { startBroker } from '@ottla/testkit';
import { expect, test } from 'vitest';
import { Kafka, logLevel } from '../../src/kafkajs/index.ts';

test('a restartOnFailure that fails itself stands for a restart', async () => {
  await using broker = await startBroker({ topics: { t: 1 }, records: { t: ['a'] } });
  const kafka = new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({
    groupId: 'g',
    retry: {
      retries: 0,
      initialRetryTime: 10,
      restartOnFailure: () => Promise.reject(new Error('cannot tell')),
    },
  });
  await consumer.connect();
  await consumer.subscribe({ topic: 't', fromBeginning: true });
  let calls = 0;
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('It did not restart')), 5_000);
    void consumer.run({
      eachMessage: async () => {
        calls += 1;
        if (calls === 1) throw new Error('the first time');
        clearTimeout(late);
        resolve();
      },
    });
  });
  await consumer.disconnect();
  expect(calls).toBe(2);
});
