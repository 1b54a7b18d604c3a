import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Peer } from '../src/index.ts';
import { absent, interop, javaTools, startPeer, title, unique } from './support.ts';

const dump = (...args: string[]) => javaTools().run('DumpLogSegments', args);

/**
 * The official dump tool on the files of a broker that was shut down cleanly (a running Kafka pre-allocates
 * the indexes of the active segment, which the tool calls corrupt).
 */
describe.skipIf(absent(interop.java))(title('kafka-dump-log on our files', interop.java), () => {
  const [topic, group] = [unique('dump'), unique('dumpers')];
  let peer: Peer;

  beforeAll(async () => {
    peer = await startPeer();
    const server = ['--bootstrap-server', peer.bootstrap];
    const settings = ['--config', 'segment.bytes=1048576', '--config', 'index.interval.bytes=1024'];
    await javaTools().run('TopicCommand', [...server, '--create', '--topic', topic, ...settings]);
    await javaTools().run('ProducerPerformance', [
      '--topic',
      topic,
      '--num-records',
      '30000',
      '--record-size',
      '100',
      '--throughput',
      '-1',
      '--producer-props',
      `bootstrap.servers=${peer.bootstrap}`,
      'acks=all',
      'batch.size=2000',
    ]);
    await javaTools().run('consumer.ConsoleConsumer', [
      ...server,
      '--topic',
      topic,
      '--group',
      group,
      '--from-beginning',
      '--max-messages',
      '1',
    ]);
    await peer.stop();
  });
  afterAll(() => peer?.dispose());

  const files = (suffix: string) =>
    readdirSync(join(peer.logDir, `${topic}-0`))
      .filter((name) => name.endsWith(suffix))
      .toSorted()
      .map((name) => join(peer.logDir, `${topic}-0`, name));

  test('a clean shutdown leaves its marker and the checkpoints', () => {
    for (const name of [
      '.kafka_cleanshutdown',
      'meta.properties',
      'recovery-point-offset-checkpoint',
      'replication-offset-checkpoint',
    ]) {
      expect({ name, there: existsSync(join(peer.logDir, name)) }).toEqual({ name, there: true });
    }
  });

  test('every record of every segment is valid', async () => {
    expect(files('.log').length).toBeGreaterThan(2);
    const logs = await dump('--deep-iteration', '--files', files('.log').join(','));
    expect(logs.code).toBe(0);
    expect(logs.out.filter((line) => line.startsWith('| offset: '))).toHaveLength(30_000);
    expect(logs.out.filter((line) => /isvalid: false/i.test(line))).toEqual([]);
  });

  test.each(['--index-sanity-check', '--verify-index-only'])('the indexes pass %s', async (flag) => {
    const indexes = await dump(flag, '--files', [...files('.index'), ...files('.timeindex')].join(','));
    expect([...indexes.out, ...indexes.err].join('\n')).not.toMatch(/mismatch|exception|out of order/i);
    expect(indexes.code).toBe(0);
  });

  test('the producer state knows the producer', async () => {
    const snapshots = await dump('--files', files('.snapshot').join(','));
    expect(snapshots.out.join('\n')).toMatch(/producerId: \d+ producerEpoch: 0 .*lastSequence: 29999/);
  });

  test('the metadata log holds the topic as a record', async () => {
    const log = join(peer.logDir, '__cluster_metadata-0', '00000000000000000000.log');
    const metadata = (await dump('--cluster-metadata-decoder', '--files', log)).out.join('\n');
    expect(metadata).toMatch(new RegExp(`"type":"TOPIC_RECORD","version":0,"data":\\{"name":"${topic}"`));
    expect(metadata).toMatch(/"type":"PARTITION_RECORD"/);
  });

  test('the group offsets are read by the offsets decoder', async () => {
    const logs = readdirSync(peer.logDir)
      .filter((name) => name.startsWith('__consumer_offsets-'))
      .map((name) => join(peer.logDir, name, '00000000000000000000.log'));
    const offsets = (await dump('--offsets-decoder', '--files', logs.join(','))).out
      .join('\n')
      .replaceAll('\\"', '"');
    expect(offsets).toMatch(new RegExp(`"group":"${group}","topic":"${topic}","partition":0`));
    expect(offsets).toMatch(new RegExp(`"type":"2","data":\\{"group":"${group}"`));
  });
});
