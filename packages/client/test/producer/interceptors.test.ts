import { startBroker, type TestBroker } from '@ottla/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  connect,
  serde,
  topic,
  type Acknowledgement,
  type Ottla,
  type ProducerInterceptor,
} from '../../src/index.ts';
import { keepingWarnings } from '../warnings.ts';

let kafka: TestBroker;
let ottla: Ottla;
const { logger, warnings } = keepingWarnings();
beforeAll(async () => {
  kafka = await startBroker();
  ottla = connect({ bootstrap: kafka.bootstrap, logger });
});
afterAll(async () => {
  await ottla.close();
  await kafka.close();
});

/** Keeps what it is told. */
function recorder(): { acknowledgements: Acknowledgement[] } & ProducerInterceptor {
  const acknowledgements: Acknowledgement[] = [];
  return {
    acknowledgements,
    onAcknowledgement: (acknowledgement) => void acknowledgements.push(acknowledgement),
  };
}

test('interceptors change a record one after the other, and one that throws is skipped', async () => {
  await kafka.createTopic('icp-a', 2);
  const numbers = topic('icp-a', { value: serde.json<{ n: number }>() });
  const seen: unknown[] = [];
  const interceptors: ProducerInterceptor[] = [
    { onSend: (record) => ({ ...record, headers: { from: 'first' }, partition: 1 }) },
    {
      onSend: () => {
        throw new Error('broken');
      },
    },
    {
      onSend: (record) => {
        seen.push(record);
        return { ...record, value: { n: (record.value as { n: number }).n + 1 } };
      },
    },
    { onSend: () => undefined },
  ];
  await using producer = ottla.producer({ interceptors });
  expect(await producer.send(numbers, { key: 'k', value: { n: 1 } })).toMatchObject({
    partition: 1,
    offset: 0,
  });
  expect(seen).toEqual([
    { topic: 'icp-a', key: 'k', value: { n: 1 }, headers: { from: 'first' }, partition: 1 },
  ]);
  expect(await kafka.records('icp-a')).toMatchObject([
    { partition: 1, key: 'k', value: '{"n":2}', headers: { from: 'first' } },
  ]);
  expect(warnings).toEqual(['An interceptor failed in onSend']);
});

test('a record may be sent elsewhere', async () => {
  await kafka.createTopic('icp-b');
  await kafka.createTopic('icp-b-copy');
  const interceptors = [{ onSend: (record: object) => ({ ...record, value: 'v', topic: 'icp-b-copy' }) }];
  await using producer = ottla.producer({ interceptors });
  await producer.send('icp-b', { value: 'v' });
  await producer.send(topic('icp-b'), { key: null, value: 'v' });
  expect(await kafka.records('icp-b')).toEqual([]);
  expect(await kafka.records('icp-b-copy')).toHaveLength(2);
});

test('they hear of every record before whoever awaits it, and their errors break nothing', async () => {
  await kafka.createTopic('icp-c');
  const order: string[] = [];
  const first = recorder();
  const interceptors: ProducerInterceptor[] = [
    first,
    {
      onAcknowledgement: () => {
        order.push('told');
        throw new Error('broken');
      },
    },
  ];
  await using producer = ottla.producer({ interceptors });
  await producer.send('icp-c', { value: 'a' }).then(() => order.push('awaited'));
  expect(order).toEqual(['told', 'awaited']);
  await expect(producer.send('icp-c', { value: 1 as unknown as string })).rejects.toThrow('of type number');
  kafka.faults.fail('Produce', 'INVALID_RECORD');
  await expect(producer.send('icp-c', { value: 'b', partition: 0 })).rejects.toThrow();
  expect(first.acknowledgements).toMatchObject([
    { topic: 'icp-c', partition: 0, offset: 0, error: null },
    { topic: 'icp-c', partition: -1, offset: -1, timestamp: -1, error: { name: 'INVALID_OPTION' } },
    { topic: 'icp-c', partition: 0, offset: -1, error: { name: 'INVALID_RECORD' } },
  ]);
});

test('flush comes after they were told, and tells of failures that nobody awaited, and only of those', async () => {
  await kafka.createTopic('icp-d');
  const { acknowledgements, ...interceptor } = recorder();
  await using producer = ottla.producer({ interceptors: [interceptor] });
  for (let n = 0; n < 100; n += 1) void producer.send('icp-d', { value: String(n) });
  await producer.flush();
  expect(acknowledgements).toHaveLength(100);
  kafka.faults.fail('Produce', 'INVALID_RECORD');
  void producer.send('icp-d', { value: 'x' });
  await expect(producer.flush()).rejects.toThrow('1 record was not sent');
  kafka.faults.fail('Produce', 'INVALID_RECORD');
  await expect(producer.send('icp-d', { value: 'x' })).rejects.toThrow();
  await producer.flush();
  expect(acknowledgements.filter(({ error }) => error !== null)).toHaveLength(2);
});

test('transactions go through them too', async () => {
  await kafka.createTopic('icp-e');
  const { acknowledgements, ...interceptor } = recorder();
  await using producer = ottla.producer({ transactionalId: 'icp-e', interceptors: [interceptor] });
  await producer.transaction(async (tx) => {
    void tx.send('icp-e', { value: 'a' });
    await tx.send('icp-e', { value: 'b' });
  });
  expect(acknowledgements.map(({ offset }) => offset)).toEqual([0, 1]);
});
