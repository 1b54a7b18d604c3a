import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { HandlerTransport } from './handler-transport.ts';
import type { Scenario } from './scenarios.ts';
import { SocketTransport } from './socket-transport.ts';
import { play, type Reply } from './transcript-player.ts';

/** Scenarios, the file with Kafka's replies, and the handlers that are to answer the same. */
export interface TranscriptSuite {
  readonly name: string;
  readonly scenarios: readonly Scenario[];
  readonly file: URL;
  /** Handlers with the configuration that the recorded Kafka had. */
  readonly transport: () => HandlerTransport;
}

const recordFrom = process.env['OTTLA_TRANSCRIPT_RECORD'];
const target = process.env['OTTLA_TRANSCRIPT_TARGET'];

/** Suites of one file may be played to one broker, where each needs groups of its own. */
let suites = 0;

/**
 * Ottla's replies against Apache Kafka's. `OTTLA_TRANSCRIPT_RECORD=host:port` records them anew from a running Kafka,
 * `OTTLA_TRANSCRIPT_TARGET=host:port` plays to a running Ottla instead of the handlers. Either needs topic `t1` with three
 * partitions.
 */
export function transcriptSuite({ name: suite, scenarios, file, transport }: TranscriptSuite): void {
  const recorded: Record<string, Reply[]> =
    recordFrom === undefined ? JSON.parse(readFileSync(file, 'utf8')) : {};

  const prefix = `tr-${Math.floor(performance.timeOrigin)}-${suites++}`;

  const playTo = async (address: string, index: number): Promise<Reply[]> => {
    const socket = new SocketTransport(address);
    await socket.open();
    try {
      return await play(scenarios[index]!, socket, `${prefix}-${index}`);
    } finally {
      await socket.close();
    }
  };

  const playInProcess = async (index: number): Promise<Reply[]> => {
    const handlers = transport();
    await handlers.open();
    return play(scenarios[index]!, handlers, `tr-${index}`);
  };

  describe.runIf(recordFrom !== undefined)('recording', () => {
    it('writes the replies of a real Kafka', { timeout: 120_000 }, async () => {
      const replies: Record<string, Reply[]> = {};
      for (const [index, { name }] of scenarios.entries())
        replies[name] = await playTo(recordFrom ?? '', index);
      writeFileSync(file, `${JSON.stringify(replies, null, 1)}\n`);
    });
  });

  describe.runIf(recordFrom === undefined)(suite, () => {
    it.each(scenarios.map(({ name }, index) => ({ name, index })))(
      '$name: Ottla answers as Kafka did',
      async ({ name, index }) => {
        const played = target === undefined ? await playInProcess(index) : await playTo(target, index);
        expect(played).toEqual(recorded[name]);
      },
    );
  });
}
