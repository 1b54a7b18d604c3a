import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiKeys } from '@ottla/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBroker } from '../../src/broker.ts';
import type { Broker } from '../../src/broker.ts';
import { TOPIC_REQUESTS } from '../transcripts/topic-requests.ts';
import type { TranscriptRequest } from '../transcripts/topic-requests.ts';
import { TranscriptClient } from '../transcripts/transcript-client.ts';

/**
 * What a real Apache Kafka 4.3.1 answered to the same requests. To record it again, start one with an empty directory
 * and run this file with OTTLA_TRANSCRIPT_FROM set to its port.
 */
const TRANSCRIPT = new URL('../transcripts/golden/topics-kafka-4.3.1.json', import.meta.url);
const recordFrom = process.env['OTTLA_TRANSCRIPT_FROM'];

const apiNames = new Map(Object.entries(ApiKeys).map(([name, key]) => [key, name]));

function title({ apiKey, version, body }: TranscriptRequest): string {
  return `${apiNames.get(apiKey)} v${version} ${JSON.stringify(body).slice(0, 100)}`;
}

/** Responses in the order of the requests; a broker that hangs up gets a new connection for the next one. */
async function play(port: number, pauseMs: number): Promise<unknown[]> {
  const responses: unknown[] = [];
  const client = await TranscriptClient.open(port);
  for (const request of TOPIC_REQUESTS) {
    responses.push(await client.exchange(request));
    // A real Kafka's brokers learn of a change some time after its controller has answered.
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  client.close();
  return responses;
}

if (recordFrom !== undefined) {
  test('records the transcript', async () => {
    const responses = await play(Number(recordFrom), 300);
    const lines = TOPIC_REQUESTS.map((request, index) =>
      JSON.stringify({ request: title(request), response: responses[index] }),
    );
    writeFileSync(TRANSCRIPT, `[\n${lines.join(',\n')}\n]\n`);
  }, 120_000);
} else {
  describe('topic APIs answer as Kafka 4.3.1 does', () => {
    const recorded = JSON.parse(readFileSync(TRANSCRIPT, 'utf8')) as { request: string; response: unknown }[];
    const folder = mkdtempSync(join(tmpdir(), 'ottla-topics-'));
    let broker: Broker;
    let responses: unknown[] = [];

    beforeAll(async () => {
      broker = await startBroker({
        properties: {
          listeners: 'PLAINTEXT://127.0.0.1:0',
          'log.dirs': folder,
          'auto.create.topics.enable': 'false',
        },
      });
      responses = await play(broker.listeners[0]?.port ?? 0, 0);
    });
    afterAll(async () => {
      await broker.close();
      rmSync(folder, { recursive: true });
    });

    test('the transcript belongs to these requests', () => {
      expect(recorded.map(({ request }) => request)).toEqual(TOPIC_REQUESTS.map(title));
    });
    test.each(TOPIC_REQUESTS.map((request, index) => [`${index} ${title(request)}`, index] as const))(
      '%s',
      (_, index) => {
        expect(responses[index]).toEqual(recorded[index]?.response);
      },
    );
  });
}
