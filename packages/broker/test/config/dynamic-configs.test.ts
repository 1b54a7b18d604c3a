import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiKeys, encodeBatch, ErrorCodes } from '@ottla/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startBroker } from '../../src/broker.ts';
import type { Broker } from '../../src/broker.ts';
import { TranscriptClient } from '../transcripts/transcript-client.ts';

const TOPIC = 2;
const BROKER = 4;

let folder: string;
let broker: Broker;
let client: TranscriptClient;

async function start(): Promise<void> {
  broker = await startBroker({ properties: { listeners: 'PLAINTEXT://127.0.0.1:0', 'log.dirs': folder } });
  client = await TranscriptClient.open(port());
}

function port(): number {
  return broker.listeners[0]?.port ?? 0;
}

async function stop(): Promise<void> {
  client.close();
  await broker.close();
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ottla-dynamic-'));
  await start();
  await createTopic('t', []);
});

afterEach(async () => {
  await stop();
  rmSync(folder, { recursive: true });
});

async function createTopic(name: string, configs: { name: string; value: string }[]): Promise<void> {
  const topics = [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs }];
  await client.exchange({ apiKey: ApiKeys.CreateTopics, version: 4, body: { topics, timeoutMs: 10_000 } });
}

/** Sets one key (null: deletes it) and gives the error code. */
async function alter(resourceType: number, resourceName: string, [name, value]: [string, string | null]) {
  const configs = [{ name, configOperation: value === null ? 1 : 0, value }];
  const body = { resources: [{ resourceType, resourceName, configs }] };
  const response = await client.exchange({ apiKey: ApiKeys.IncrementalAlterConfigs, version: 1, body });
  return (response as { responses: { errorCode: number }[] }).responses[0]?.errorCode;
}

/** Produces one record of this many bytes and gives the error code and the broker's timestamp. */
async function produce(
  topic: string,
  bytes: number,
): Promise<{ errorCode: number; logAppendTimeMs: number }> {
  const records = encodeBatch({ records: [{ timestamp: Date.now(), value: Buffer.alloc(bytes) }] });
  const body = {
    acks: -1,
    timeoutMs: 10_000,
    topicData: [{ name: topic, partitionData: [{ index: 0, records }] }],
  };
  const response = await client.exchange({ apiKey: ApiKeys.Produce, version: 9, body });
  type Produced = { responses: { partitionResponses: { errorCode: number; logAppendTimeMs: number }[] }[] };
  const partition = (response as Produced).responses[0]?.partitionResponses[0];
  if (partition === undefined) throw new Error('No partition in the response');
  return partition;
}

describe('a dynamic config takes effect at once', () => {
  test('max.message.bytes of a topic', async () => {
    expect((await produce('t', 2_000)).errorCode).toBe(ErrorCodes.NONE);
    expect(await alter(TOPIC, 't', ['max.message.bytes', '1000'])).toBe(0);
    expect((await produce('t', 2_000)).errorCode).toBe(ErrorCodes.MESSAGE_TOO_LARGE);
    expect(await alter(TOPIC, 't', ['max.message.bytes', null])).toBe(0);
    expect((await produce('t', 2_000)).errorCode).toBe(ErrorCodes.NONE);
  });

  test('message.max.bytes of all brokers, for a topic without its own', async () => {
    await createTopic('own', [{ name: 'max.message.bytes', value: '5000' }]);
    expect(await alter(BROKER, '', ['message.max.bytes', '1000'])).toBe(0);
    expect((await produce('t', 2_000)).errorCode).toBe(ErrorCodes.MESSAGE_TOO_LARGE);
    expect((await produce('own', 2_000)).errorCode).toBe(ErrorCodes.NONE);
  });

  test('message.timestamp.type of a topic', async () => {
    expect((await produce('t', 10)).logAppendTimeMs).toBe(-1);
    await alter(TOPIC, 't', ['message.timestamp.type', 'LogAppendTime']);
    expect((await produce('t', 10)).logAppendTimeMs).toBeGreaterThan(0);
  });

  test('segment.bytes of a topic', async () => {
    await alter(TOPIC, 't', ['segment.bytes', String(1024 * 1024)]);
    for (let index = 0; index < 3; index += 1) await produce('t', 600_000);
    const segments = readdirSync(join(folder, 't-0')).filter((name) => name.endsWith('.log'));
    expect(segments.length).toBe(3);
  });

  test('max.connections.per.ip', async () => {
    await alter(BROKER, '1', ['max.connections.per.ip', '1']);
    const refused = connect(port(), '127.0.0.1').on('error', () => {});
    await new Promise((resolve) => refused.once('close', resolve));
    await alter(BROKER, '1', ['max.connections.per.ip', '2']);
    const second = await TranscriptClient.open(port());
    second.close();
  });
});

test('dynamic configs stand after a restart', async () => {
  await alter(TOPIC, 't', ['retention.ms', '1234']);
  await alter(BROKER, '', ['message.max.bytes', '1000']);
  await stop();
  await start();
  expect((await produce('t', 2_000)).errorCode).toBe(ErrorCodes.MESSAGE_TOO_LARGE);
  const resources = [
    { resourceType: TOPIC, resourceName: 't', configurationKeys: ['retention.ms', 'max.message.bytes'] },
  ];
  const described = await client.exchange({
    apiKey: ApiKeys.DescribeConfigs,
    version: 4,
    body: { resources, includeSynonyms: false },
  });
  expect((described as { results: { configs: string[] }[] }).results[0]?.configs).toEqual([
    'max.message.bytes=1000 source 3 type 3 []',
    'retention.ms=1234 source 1 type 5 []',
  ]);
});
