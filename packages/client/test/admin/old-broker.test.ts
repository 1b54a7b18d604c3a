import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBroker, type Broker } from '@ottla/broker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, isKafkaError, topic, type Admin, type Ottla, type RequestEvent } from '../../src/index.ts';
import { CappedProxy, KAFKA_3_0 } from '../capped-proxy.ts';

describe('a broker with the versions of Kafka 3.0', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ottla-old-broker-'));
  const seen = new Map<string, number>();
  let proxy: CappedProxy;
  let broker: Broker;
  let ottla: Ottla;
  let admin: Admin;

  beforeAll(async () => {
    proxy = await CappedProxy.start(KAFKA_3_0);
    broker = await startBroker({
      properties: {
        listeners: 'PLAINTEXT://127.0.0.1:0',
        'advertised.listeners': `PLAINTEXT://127.0.0.1:${proxy.port}`,
        'log.dirs': folder,
        'write.caching': 'true',
        'group.initial.rebalance.delay.ms': '0',
      },
    });
    proxy.targetPort = broker.listeners[0]!.port;
    const onRequest = ({ api, apiVersion }: RequestEvent): void => void seen.set(api, apiVersion);
    ottla = connect({
      bootstrap: `127.0.0.1:${proxy.port}`,
      metrics: { onRequest },
      defaultApiTimeoutMs: 10_000,
    });
    admin = ottla.admin();
  });

  afterAll(async () => {
    await ottla?.close();
    await broker?.close();
    await proxy?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  test('topics, configs, offsets and groups are served in versions that it has', async () => {
    const events = topic('events', { partitions: 2, configs: { 'retention.ms': 1_000 } });
    await admin.topics.ensure(events);
    expect((await admin.topics.describe(events)).partitions).toHaveLength(2);
    expect((await admin.topics.list()).map(({ name }) => name)).toEqual(['events']);
    const configs = await admin.configs.describe({ type: 'topic', name: 'events' });
    expect(configs.get('retention.ms')?.value).toBe('1000');
    await admin.groups.resetOffsets('billing', events, 'latest');
    expect(await admin.groups.describe('billing')).toMatchObject({ type: 'classic', state: 'Empty', lag: 0 });
    expect(await admin.groups.list()).toMatchObject([
      { groupId: 'billing', type: undefined, state: 'Empty' },
    ]);
    await admin.groups.delete('billing');
    await expect(admin.groups.describe('billing')).rejects.toMatchObject({ name: 'GROUP_ID_NOT_FOUND' });
    expect((await admin.logDirs.describe()).size).toBe(1);
    await admin.topics.delete(events);
    expect(seen.get('Metadata')).toBe(11);
    expect(seen.get('FindCoordinator')).toBe(4);
    expect(seen.get('DescribeGroups')).toBe(5);
    // Reported, but never sent: no version was agreed on.
    expect(seen.get('ConsumerGroupDescribe')).toBe(-1);
  });

  test('what it does not have is UNSUPPORTED_VERSION, with the versions that are needed', async () => {
    const error = await admin.topics.describeByIds(['aaaaaaaaaaaaaaaaaaaaaQ']).catch((e: unknown) => e);
    expect(isKafkaError(error, 'UNSUPPORTED_VERSION')).toBe(true);
    expect(String(error)).toContain('Metadata in versions');
    await expect(admin.shareGroups.describe('g')).rejects.toMatchObject({ name: 'UNSUPPORTED_VERSION' });
  });

  test('groups of newer kinds end the loop at once, with what they need', async () => {
    await admin.topics.ensure('old');
    const read = async (loop: AsyncIterable<unknown>): Promise<void> => {
      for await (const _ of loop);
    };
    await using consumer = ottla.consumer('old', { group: 'new', groupProtocol: 'consumer' });
    const refused = read(consumer);
    await expect(refused).rejects.toMatchObject({ name: 'UNSUPPORTED_VERSION', retriable: false });
    await expect(refused).rejects.toThrow(
      /needs Kafka 4.0.*groupProtocol to "classic".*ConsumerGroupHeartbeat/,
    );
    await using share = ottla.shareConsumer('old', { group: 'share' });
    await expect(read(share)).rejects.toThrow(/Share groups .* need Kafka 4.2.*ShareGroupHeartbeat/);
  });

  test('a consumer of a classic group, and a producer with transactions, do their work', async () => {
    await admin.topics.ensure('work');
    await using producer = ottla.producer({ transactionalId: 'old' });
    await producer.transaction(async (transaction) => {
      await transaction.send('work', { value: 'a' });
      await transaction.send('work', { value: 'b' });
    });
    const values: unknown[] = [];
    await using consumer = ottla.consumer('work', {
      group: 'old',
      from: 'earliest',
      isolationLevel: 'read_committed',
    });
    for await (const { value } of consumer) if (values.push(value) === 2) break;
    expect(values).toEqual(['a', 'b']);
    expect([seen.get('Produce'), seen.get('Fetch'), seen.get('JoinGroup')]).toEqual([9, 12, 7]);
  });
});
