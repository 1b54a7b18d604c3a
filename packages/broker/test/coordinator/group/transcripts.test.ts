import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { HandlerTransport } from './handler-transport.ts';
import { SCENARIOS } from './scenarios.ts';
import { SocketTransport } from './socket-transport.ts';
import { play, type Reply } from './transcript-player.ts';

/**
 * Ottla's replies against Apache Kafka's. To record anew, start Kafka with `group.initial.rebalance.delay.ms=0` and
 * `group.min.session.timeout.ms=100`, create topic `t1` with three partitions, and run this file with
 * `OTTLA_TRANSCRIPT_RECORD=host:port`. `OTTLA_TRANSCRIPT_TARGET=host:port` plays to a running Ottla instead of the handlers.
 */
const file = new URL('./transcripts.json', import.meta.url);
const recordFrom = process.env['OTTLA_TRANSCRIPT_RECORD'];
const target = process.env['OTTLA_TRANSCRIPT_TARGET'];
const recorded: Record<string, Reply[]> =
  recordFrom === undefined ? JSON.parse(readFileSync(file, 'utf8')) : {};

async function playTo(address: string, index: number): Promise<Reply[]> {
  const transport = new SocketTransport(address);
  await transport.open();
  try {
    return await play(SCENARIOS[index]!, transport, `tr-${Math.floor(performance.timeOrigin)}-${index}`);
  } finally {
    await transport.close();
  }
}

describe.runIf(recordFrom !== undefined)('recording', () => {
  it('writes the replies of a real Kafka', { timeout: 120_000 }, async () => {
    const replies: Record<string, Reply[]> = {};
    for (const [index, { name }] of SCENARIOS.entries())
      replies[name] = await playTo(recordFrom ?? '', index);
    writeFileSync(file, `${JSON.stringify(replies, null, 1)}\n`);
  });
});

describe.runIf(recordFrom === undefined)('group transcripts', () => {
  it.each(SCENARIOS.map(({ name }, index) => ({ name, index })))(
    '$name: Ottla answers as Kafka did',
    async ({ name, index }) => {
      const played = target === undefined ? await playInProcess(index) : await playTo(target, index);
      expect(played).toEqual(recorded[name]);
    },
  );
});

async function playInProcess(index: number): Promise<Reply[]> {
  const transport = new HandlerTransport({ initialRebalanceDelayMs: 0, minSessionTimeoutMs: 100 });
  await transport.open();
  return play(SCENARIOS[index]!, transport, `tr-${index}`);
}
