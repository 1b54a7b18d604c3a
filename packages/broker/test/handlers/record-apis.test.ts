import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiKeys } from '@ottla/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Broker, startBroker } from '../../src/broker.ts';
import { RECORD_REQUESTS } from '../transcripts/record-requests.ts';
import type { TranscriptRequest } from '../transcripts/topic-requests.ts';
import { TranscriptClient } from '../transcripts/transcript-client.ts';

/**
 * What a real Apache Kafka 4.3.1 answered to the same requests. To record it again, start one with an empty directory
 * and run this file with OTTLA_TRANSCRIPT_FROM set to its port.
 */
const TRANSCRIPT = new URL('../transcripts/records-kafka-4.3.1.json', import.meta.url);
const recordFrom = process.env['OTTLA_TRANSCRIPT_FROM'];

const apiNames = new Map(Object.entries(ApiKeys).map(([name, key]) => [key, name]));

function title({ apiKey, version, body }: TranscriptRequest): string {
  const text = JSON.stringify(body, (_key, value: unknown) =>
    isBufferJson(value) ? `<${value.data.length} bytes>` : value,
  );
  return `${apiNames.get(apiKey)} v${version} ${text.slice(0, 160)}`;
}

function isBufferJson(value: unknown): value is { data: number[] } {
  return value !== null && typeof value === 'object' && (value as { type?: unknown }).type === 'Buffer';
}

/** As JSON, with what differs from machine to machine left out: directories, and the bytes that gzip makes. */
function normalised(response: unknown): unknown {
  return JSON.parse(
    JSON.stringify(response, (key, value: unknown) => {
      if (key === 'logDir') return 'DIR';
      if (key === 'topicId' && typeof value === 'string' && !/^A+$/.test(value)) return 'ID';
      if (key === 'partitionSize') return 'SIZE';
      return isBufferJson(value) ? wholeBatches(Buffer.from(value.data)).toString('hex') : value;
    }),
  ) as unknown;
}

/** Kafka sends a piece of its file, which may end inside a batch that clients then ignore; we send whole batches only. */
function wholeBatches(records: Buffer): Buffer {
  let end = 0;
  while (end + 12 <= records.length && end + 12 + records.readInt32BE(end + 8) <= records.length) {
    end += 12 + records.readInt32BE(end + 8);
  }
  return records.subarray(0, end);
}

async function play(port: number, pauseMs: number): Promise<unknown[]> {
  const responses: unknown[] = [];
  const client = await TranscriptClient.open(port);
  for (const request of RECORD_REQUESTS) {
    responses.push(normalised(await client.exchange(request)));
    // A real Kafka's brokers learn of a new topic some time after its controller has answered.
    if (pauseMs > 0 && request.apiKey === ApiKeys.CreateTopics)
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  client.close();
  return responses;
}

if (recordFrom !== undefined) {
  test('records the transcript', async () => {
    const responses = await play(Number(recordFrom), 1000);
    const lines = RECORD_REQUESTS.map((request, index) =>
      JSON.stringify({ request: title(request), response: responses[index] }),
    );
    writeFileSync(TRANSCRIPT, `[\n${lines.join(',\n')}\n]\n`);
  }, 120_000);
} else {
  describe.each(['true', 'false'])(
    'record APIs answer as Kafka 4.3.1 does, with write.caching=%s',
    (writeCaching) => {
      const recorded = JSON.parse(readFileSync(TRANSCRIPT, 'utf8')) as {
        request: string;
        response: unknown;
      }[];
      const folder = mkdtempSync(join(tmpdir(), 'ottla-records-'));
      let broker: Broker;
      let responses: unknown[] = [];

      beforeAll(async () => {
        broker = await startBroker({
          properties: {
            listeners: 'PLAINTEXT://127.0.0.1:0',
            'log.dirs': folder,
            'write.caching': writeCaching,
          },
        });
        responses = await play(broker.listeners[0]?.port ?? 0, 0);
      });
      afterAll(async () => {
        await broker.close();
        rmSync(folder, { recursive: true });
      });

      test('the transcript belongs to these requests', () => {
        expect(recorded.map(({ request }) => request)).toEqual(RECORD_REQUESTS.map(title));
      });
      test.each(RECORD_REQUESTS.map((request, index) => [`${index} ${title(request)}`, index] as const))(
        '%s',
        (_, index) => {
          expect(responses[index]).toEqual(recorded[index]?.response);
        },
      );
    },
  );
}
