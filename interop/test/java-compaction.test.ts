import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Peer } from '../src/index.ts';
import { absent, interop, javaTools, startPeer, title, unique } from './support.ts';

const KEYS = 50;
const MESSAGES = 20_000;
/** How often the log is read to see whether the cleaner has been there; each read takes about two seconds. */
const MAX_LOOKS = 15;

/** The broker's own cleaner at work on a topic that the official tools write, read and dump. */
describe.skipIf(absent(interop.java))(title('compaction', interop.java), () => {
  const topic = unique('compacted');
  let peer: Peer;
  let server: string[];

  beforeAll(async () => {
    peer = await startPeer({ properties: { 'log.cleaner.backoff.ms': '200' } });
    server = ['--bootstrap-server', peer.bootstrap];
    const configs = [
      'cleanup.policy=compact',
      'internal.segment.bytes=20000',
      'min.cleanable.dirty.ratio=0.1',
    ];
    const created = await javaTools().run('TopicCommand', [
      ...server,
      '--create',
      '--topic',
      topic,
      ...configs.flatMap((config) => ['--config', config]),
    ]);
    expect(created.out.join()).toContain(`Created topic ${topic}`);
    await javaTools().run('VerifiableProducer', [
      ...server,
      '--topic',
      topic,
      '--max-messages',
      String(MESSAGES),
      '--repeating-keys',
      String(KEYS),
    ]);
  });
  afterAll(() => peer?.dispose());

  const consume = async () => {
    const { out } = await javaTools().run('consumer.ConsoleConsumer', [
      ...server,
      '--topic',
      topic,
      '--from-beginning',
      '--formatter-property',
      'print.key=true',
      '--timeout-ms',
      '1500',
    ]);
    return out.filter((line) => line.includes('\t')).map((line) => line.split('\t') as [string, string]);
  };

  test('leaves the newest value of every key', async () => {
    let records = await consume();
    for (let look = 0; look < MAX_LOOKS && records.length > MESSAGES / 4; look++) records = await consume();
    expect(records.length).toBeLessThanOrEqual(MESSAGES / 4);
    const newest = Object.fromEntries(records);
    const expected = Array.from({ length: KEYS }, (_, key) => [String(key), String(MESSAGES - KEYS + key)]);
    expect(newest).toEqual(Object.fromEntries(expected));
  });

  test('a null key is refused', async () => {
    const { err, out } = await javaTools().run(
      'ConsoleProducer',
      [...server, '--topic', topic],
      'no key here\n',
    );
    expect([...err, ...out].join('\n')).toMatch(/InvalidRecordException/);
  });

  test('the official dump tool finds every compacted file valid, and so does the next start', async () => {
    await peer.stop();
    const folder = join(peer.logDir, `${topic}-0`);
    const files = (suffix: string) =>
      readdirSync(folder)
        .filter((name) => name.endsWith(suffix))
        .map((name) => join(folder, name));
    const logs = await javaTools().run('DumpLogSegments', [
      '--deep-iteration',
      '--files',
      files('.log').join(),
    ]);
    expect(logs.code).toBe(0);
    expect(logs.out.filter((line) => /isvalid: false/i.test(line))).toEqual([]);
    const indexes = [...files('.index'), ...files('.timeindex')].join(',');
    const sanity = await javaTools().run('DumpLogSegments', ['--index-sanity-check', '--files', indexes]);
    expect([...sanity.out, ...sanity.err].join('\n')).not.toMatch(/mismatch|exception|out of order/i);
    await peer.restart();
    expect(Object.keys(Object.fromEntries(await consume()))).toHaveLength(KEYS);
  });
});
