import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiKeys } from '@ottla/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Broker, startBroker } from '../../src/broker.ts';
import { TranscriptClient } from './transcript-client.ts';
import type { TranscriptRequest } from './topic-requests.ts';

/** Requests, and what a real Apache Kafka 4.3.1 answered to them. */
export interface Transcript {
  /** File in `golden/`. */
  readonly file: string;
  readonly requests: readonly TranscriptRequest[];
  /**
   * How long a recording waits after a request, in milliseconds: a real Kafka's brokers learn of a change some time after
   * its controller has answered.
   */
  pauseAfterMs(request: TranscriptRequest): number;
  /** How much of a request's body names it. */
  readonly titleLength: number;
  /** An answer that depends on how far the broker is with something it does in the background: asked for again. */
  isTemporary?(response: unknown): boolean;
  /** Leaves out what differs from machine to machine. */
  normalise?(response: unknown): unknown;
  /** The JSON of a response as the file has it, for instance with line breaks. */
  format?(json: string): string;
}

interface Exchange {
  readonly request: string;
  readonly response: unknown;
}

const apiNames = new Map<number, string>(Object.entries(ApiKeys).map(([name, key]) => [key, name]));

/**
 * Plays the requests to a broker for each of the given properties and compares its answers with Kafka's. With
 * OTTLA_TRANSCRIPT_FROM set to the port of a real Kafka with an empty directory, records them instead.
 */
export function transcriptSuite(
  transcript: Transcript,
  brokers: Readonly<Record<string, Readonly<Record<string, string>>>>,
): void {
  const recordFrom = process.env['OTTLA_TRANSCRIPT_FROM'];
  if (recordFrom === undefined) {
    describe.each(Object.entries(brokers))('%s', (_, properties) => compare(transcript, properties));
  } else {
    test('records the transcript', () => record(transcript, Number(recordFrom)), 240_000);
  }
}

function fileOf({ file }: Transcript): URL {
  return new URL(`golden/${file}`, import.meta.url);
}

function titleOf({ titleLength }: Transcript, { apiKey, version, body }: TranscriptRequest): string {
  const text = JSON.stringify(body, (_key, value: unknown) =>
    isBufferJson(value) ? `<${value.data.length} bytes>` : value,
  );
  return `${apiNames.get(apiKey)} v${version} ${text.slice(0, titleLength)}`;
}

/** What `Buffer.toJSON` makes of a buffer. */
export function isBufferJson(value: unknown): value is { data: number[] } {
  return value !== null && typeof value === 'object' && (value as { type?: unknown }).type === 'Buffer';
}

/** The answer to a request; one that says "not yet" is asked for again. */
async function exchange(
  client: TranscriptClient,
  { isTemporary }: Transcript,
  request: TranscriptRequest,
): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    const response = await client.exchange(request);
    if (isTemporary?.(response) !== true || attempt === MAX_ATTEMPTS) return response;
    await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS));
  }
}

const MAX_ATTEMPTS = 250;
const RETRY_PAUSE_MS = 20;

/** Responses in the order of the requests; a broker that hangs up gets a new connection for the next one. */
async function play(transcript: Transcript, port: number, isRecording: boolean): Promise<unknown[]> {
  const responses: unknown[] = [];
  let client = await TranscriptClient.open(port);
  for (const request of transcript.requests) {
    const response = await exchange(client, transcript, request);
    responses.push(transcript.normalise?.(response) ?? response);
    if (response === 'closed') client = await client.reopened();
    const pauseMs = isRecording ? transcript.pauseAfterMs(request) : 0;
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  client.close();
  return responses;
}

async function record(transcript: Transcript, port: number): Promise<void> {
  const responses = await play(transcript, port, true);
  const { format = (json: string) => json } = transcript;
  const exchanges = transcript.requests.map(
    (request, index) =>
      `{"request":${JSON.stringify(titleOf(transcript, request))},\n` +
      `"response":${format(JSON.stringify(responses[index]))}}`,
  );
  writeFileSync(fileOf(transcript), `[\n${exchanges.join(',\n')}\n]\n`);
}

function compare(transcript: Transcript, properties: Readonly<Record<string, string>>): void {
  const recorded = JSON.parse(readFileSync(fileOf(transcript), 'utf8')) as Exchange[];
  const titles = transcript.requests.map((request) => titleOf(transcript, request));
  const folder = mkdtempSync(join(tmpdir(), 'ottla-transcript-'));
  let broker: Broker;
  let responses: unknown[] = [];

  beforeAll(async () => {
    broker = await startBroker({
      properties: { listeners: 'PLAINTEXT://127.0.0.1:0', ...properties, 'log.dirs': folder },
    });
    responses = await play(transcript, broker.listeners[0]?.port ?? 0, false);
    // Hundreds of requests one after the other, on a machine that may be busy with other things.
  }, 120_000);
  afterAll(async () => {
    await broker.close();
    rmSync(folder, { recursive: true });
  });

  test('the transcript belongs to these requests', () => {
    expect(recorded.map(({ request }) => request)).toEqual(titles);
  });
  test.each(titles.map((title, index) => [`${index} ${title}`, index] as const))('%s', (_, index) => {
    expect(responses[index]).toEqual(recorded[index]?.response);
  });
}
