import { startBroker, type TestBroker } from '@ottla/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, openTelemetry, type ClientOptions, type OpenTelemetryOptions } from '../../src/index.ts';
import { fakeOpenTelemetry } from './fake-open-telemetry.ts';

let kafka: TestBroker;
beforeAll(async () => {
  kafka = await startBroker({
    // A share group gives partitions with the second heartbeat.
    properties: {
      'group.share.min.heartbeat.interval.ms': '50',
      'group.share.heartbeat.interval.ms': '50',
    },
  });
});
afterAll(() => kafka.close());

/** A client with spans that are kept. */
function traced(options: OpenTelemetryOptions = {}, more: ClientOptions = {}) {
  const fake = fakeOpenTelemetry();
  const tracer = openTelemetry(fake.api, options);
  const ottla = connect({ bootstrap: kafka.bootstrap, clientId: 'till', tracer, ...more });
  return {
    ...fake,
    ottla,
    named: (start: string) => fake.spans.filter(({ name }) => name.startsWith(start)),
  };
}

test('a record is sent in a span whose context is in its headers, and its handler goes on with it', async () => {
  await kafka.createTopic('trace-a');
  const { ottla, api, named, current, spans } = traced();
  await using _ = ottla;
  const order = api.trace.getTracer().startSpan('order');
  const producer = ottla.producer();
  await api.context.with(api.trace.setSpan(api.ROOT_CONTEXT, order), () =>
    producer.send('trace-a', { key: 'k', value: 'v', headers: { traceparent: 'old', a: 'b' } }),
  );
  const [send] = named('send');
  expect(send).toMatchObject({
    name: 'send trace-a',
    kind: 3,
    parentId: order.context.spanId,
    endCount: 1,
    attributes: {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.client.id': 'till',
      'messaging.destination.name': 'trace-a',
      'messaging.destination.partition.id': '0',
      'messaging.kafka.message.key': 'k',
      'messaging.kafka.offset': 0,
    },
  });
  const { spanId, traceId } = send!.context;
  const [stored] = await kafka.records('trace-a');
  expect(stored!.headers).toEqual({ a: 'b', traceparent: `${traceId}/${spanId}` });

  const consumer = ottla.consumer('trace-a', { group: 'trace-a', from: 'earliest' });
  let inside: string | undefined;
  await consumer.each(async () => {
    await Promise.resolve();
    inside = current();
    void consumer.close();
  });
  await consumer.close();
  const [process] = named('process');
  expect(process).toMatchObject({
    name: 'process trace-a',
    kind: 4,
    parentId: spanId,
    links: [spanId],
    endCount: 1,
    status: undefined,
    attributes: {
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.consumer.group.name': 'trace-a',
      'messaging.destination.partition.id': '0',
      'messaging.kafka.offset': 0,
      'messaging.kafka.message.key': 'k',
      'messaging.message.body.size': 1,
    },
  });
  expect(process!.context.traceId).toBe(order.context.traceId);
  expect(inside).toBe(process!.context.spanId);
  expect(named('commit')).toMatchObject([
    {
      name: 'commit trace-a',
      kind: 2,
      endCount: 1,
      attributes: { 'messaging.operation.type': 'settle', 'messaging.kafka.offset': 1 },
    },
  ]);
  expect(spans.filter(({ endCount, name }) => endCount !== 1 && name !== 'order')).toEqual([]);
});

test('what fails ends its span with the error', async () => {
  await kafka.createTopic('trace-b');
  await kafka.produce('trace-b', 'v');
  const { ottla, named } = traced();
  await using _ = ottla;
  const producer = ottla.producer({ retries: 0 });
  kafka.faults.fail('Produce', 'NOT_ENOUGH_REPLICAS');
  await expect(producer.send('trace-b', { value: null })).rejects.toThrow();
  expect(named('send')).toMatchObject([
    {
      endCount: 1,
      status: { code: 2 },
      attributes: { 'error.type': 'NOT_ENOUGH_REPLICAS', 'messaging.kafka.message.tombstone': true },
    },
  ]);
  await using consumer = ottla.consumer('trace-b', { group: 'trace-b', from: 'earliest' });
  const failure = new RangeError('too much');
  await expect(consumer.each(() => Promise.reject(failure))).rejects.toBe(failure);
  expect(named('process')).toMatchObject([
    {
      endCount: 1,
      links: [],
      exception: failure,
      status: { code: 2, message: 'too much' },
      attributes: { 'error.type': 'RangeError' },
    },
  ]);
  kafka.faults.fail('OffsetCommit', 'INVALID_COMMIT_OFFSET_SIZE');
  await expect(consumer.commit([{ topic: 'trace-b', partition: 0, offset: 1 }])).rejects.toThrow();
  expect(named('commit')[0]).toMatchObject({
    endCount: 1,
    attributes: { 'error.type': 'INVALID_COMMIT_OFFSET_SIZE' },
  });
});

test('loops get spans of what they receive, with links to what sent it', async () => {
  await kafka.createTopic('trace-c');
  const { ottla, named } = traced();
  await using _ = ottla;
  const producer = ottla.producer();
  await Promise.all(['a', 'b', 'c'].map((value) => producer.send('trace-c', { value })));
  const sent = named('send').map(({ context }) => context.spanId);
  await using consumer = ottla.consumer('trace-c', { from: 'earliest' });
  for await (const _message of consumer) break;
  expect(named('poll')).toMatchObject([
    {
      name: 'poll trace-c',
      kind: 2,
      links: [sent[0]],
      attributes: { 'messaging.operation.type': 'receive', 'messaging.kafka.offset': 0 },
    },
  ]);
  expect(named('poll')[0]!.startTime).toBeLessThanOrEqual(Date.now());
  for await (const _messages of consumer.batches()) break;
  expect(named('poll')[1]).toMatchObject({
    links: sent,
    attributes: { 'messaging.batch.message_count': 3, 'messaging.destination.partition.id': '0' },
  });
});

test('share consumers tell what they receive', async () => {
  await kafka.createTopic('trace-d');
  const { ottla, named } = traced();
  await using _ = ottla;
  await using admin = ottla.admin();
  await admin.configs.alter({ type: 'group', name: 'trace-d' }, { 'share.auto.offset.reset': 'earliest' });
  await ottla.producer().send('trace-d', { value: 'v' });
  for await (const _message of ottla.shareConsumer('trace-d', { group: 'trace-d' })) break;
  expect(named('poll')).toMatchObject([
    {
      links: [named('send')[0]!.context.spanId],
      attributes: { 'messaging.consumer.group.name': 'trace-d' },
    },
  ]);
});

test('requests have spans when they are asked for, and records only then when they are not', async () => {
  const { ottla, spans } = traced({ requests: true });
  await using _ = ottla;
  await ottla.ready();
  const metadata = spans.find(({ name }) => name === 'Metadata');
  expect(metadata).toMatchObject({ kind: 2, endCount: 1, attributes: { 'server.address': '127.0.0.1' } });
  const without = traced();
  await using __ = without.ottla;
  await without.ottla.ready();
  expect(without.spans).toEqual([]);
});
