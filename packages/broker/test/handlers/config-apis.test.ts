import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiKeys } from '@ottla/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBroker } from '../../src/broker.ts';
import type { Broker } from '../../src/broker.ts';
import { CONFIG_REQUESTS } from '../transcripts/config-requests.ts';
import type { TranscriptRequest } from '../transcripts/topic-requests.ts';
import { TranscriptClient } from '../transcripts/transcript-client.ts';

/**
 * What a real Apache Kafka 4.3.1 answered to the same requests. To record it again, start one with an empty directory
 * and the properties below, and run this file with OTTLA_TRANSCRIPT_FROM set to its port.
 */
const TRANSCRIPT = new URL('../transcripts/golden/configs-kafka-4.3.1.json', import.meta.url);
const recordFrom = process.env['OTTLA_TRANSCRIPT_FROM'];

/** The static configuration of both brokers, beside ports and directories. */
const PROPERTIES = {
  'process.roles': 'broker,controller',
  'node.id': '1',
  'controller.quorum.voters': '1@127.0.0.1:1',
  listeners: 'PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0',
  'controller.listener.names': 'CONTROLLER',
  'inter.broker.listener.name': 'PLAINTEXT',
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
};

const apiNames = new Map(Object.entries(ApiKeys).map(([name, key]) => [key, name]));

function title({ apiKey, version, body }: TranscriptRequest): string {
  return `${apiNames.get(apiKey)} v${version} ${JSON.stringify(body).slice(0, 160)}`;
}

async function play(port: number, pauseMs: number): Promise<unknown[]> {
  const responses: unknown[] = [];
  const client = await TranscriptClient.open(port);
  for (const request of CONFIG_REQUESTS) {
    responses.push(await client.exchange(request));
    // A real Kafka's brokers learn of a change some time after its controller has answered.
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  client.close();
  return responses;
}

if (recordFrom !== undefined) {
  test('records the transcript', async () => {
    const responses = await play(Number(recordFrom), 200);
    const lines = CONFIG_REQUESTS.map((request, index) => {
      const response = JSON.stringify(responses[index]).replaceAll(']","', ']",\n"');
      return `{"request":${JSON.stringify(title(request))},\n"response":${response}}`;
    });
    writeFileSync(TRANSCRIPT, `[\n${lines.join(',\n')}\n]\n`);
  }, 240_000);
} else {
  describe('config APIs answer as Kafka 4.3.1 does', () => {
    const recorded = JSON.parse(readFileSync(TRANSCRIPT, 'utf8')) as { request: string; response: unknown }[];
    const folder = mkdtempSync(join(tmpdir(), 'ottla-configs-'));
    let broker: Broker;
    let responses: unknown[] = [];

    beforeAll(async () => {
      broker = await startBroker({ properties: { ...PROPERTIES, 'log.dirs': folder } });
      responses = await play(broker.listeners[0]?.port ?? 0, 0);
    });
    afterAll(async () => {
      await broker.close();
      rmSync(folder, { recursive: true });
    });

    test('the transcript belongs to these requests', () => {
      expect(recorded.map(({ request }) => request)).toEqual(CONFIG_REQUESTS.map(title));
    });
    test.each(CONFIG_REQUESTS.map((request, index) => [`${index} ${title(request)}`, index] as const))(
      '%s',
      (_, index) => {
        expect(responses[index]).toEqual(recorded[index]?.response);
      },
    );
  });
}
