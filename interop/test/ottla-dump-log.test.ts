import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect } from '@ottla/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Peer } from '../src/index.ts';
import { absent, interop, javaTools, startPeer, title, unique } from './support.ts';

/** `ottla dump-log` beside the tool of Kafka, on files that the broker under test wrote: line by line the same. */
const bin = fileURLToPath(new URL('../../packages/ottla/bin/ottla.cjs', import.meta.url));

type Row = Readonly<Record<string, unknown>>;

async function ours(...args: string[]): Promise<string[]> {
  const child = spawn(process.execPath, [bin, 'dump-log', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(code).toBe(0);
  return stdout.split('\n').filter((line) => line !== '');
}

async function rowsOf(type: string, ...args: string[]): Promise<Row[]> {
  const rows = (await ours('--jsonl', ...args)).map((line) => JSON.parse(line) as Row);
  return rows.filter((row) => row['type'] === type);
}

async function kafkas(prefix: string, ...args: string[]): Promise<string[]> {
  const { out } = await javaTools().run('DumpLogSegments', args);
  return out.filter((line) => line.startsWith(prefix));
}

/** A row in the words of Kafka's tool, which leaves out what a producer does not have. */
function inWords(row: Row, names: readonly string[]): string {
  return names
    .filter((name) => row[name] !== null || name === 'currentTxnFirstOffset' || name === 'deleteHorizonMs')
    .map((name) => {
      const value = row[name];
      const words = name === 'currentTxnFirstOffset' || name === 'deleteHorizonMs';
      if (words)
        return `${name}: ${value === null ? 'OptionalLong.empty' : `OptionalLong[${String(value)}]`}`;
      return `${name}: ${String(value)}`;
    })
    .join(' ');
}

const batchNames = (
  'baseOffset lastOffset count baseSequence lastSequence producerId producerEpoch partitionLeaderEpoch ' +
  'isTransactional isControl deleteHorizonMs position CreateTime size magic compresscodec crc isvalid'
).split(' ');

function batchInWords(row: Row): string {
  return inWords({ ...row, CreateTime: row['timestamp'], isvalid: row['isValid'] }, batchNames);
}

/** The hash of the topics of a group has 64 bits, of which ours keeps 53. */
function withoutHash(line: string): string {
  return line.replace(/"metadataHash":"?-?\d+"?/, '"metadataHash":0');
}

describe.skipIf(absent(interop.java))(title('ottla dump-log beside kafka-dump-log', interop.java), () => {
  const [topic, group] = [unique('dump'), unique('dumpers')];
  let peer: Peer;

  beforeAll(async () => {
    peer = await startPeer();
    {
      await using client = connect({ bootstrap: peer.bootstrap });
      const configs = { 'segment.bytes': '1048576', 'index.interval.bytes': '1024' };
      await client.admin().topics.create([{ name: topic, partitions: 1, configs }]);
      await using producer = client.producer({ transactionalId: topic, compression: 'zstd' });
      for (let round = 0; round < 3; round += 1)
        await producer.transaction(async (tx) => {
          for (let i = 0; i < 200; i += 1)
            await tx.send(topic, { key: `k${i}`, value: `${round}`.repeat(2000), headers: { from: 'test' } });
        });
      const fails = producer.transaction(async (tx) => {
        await tx.send(topic, { value: 'aborted' });
        throw new Error('not this one');
      });
      await expect(fails).rejects.toThrow('not this one');
      await using consumer = client.consumer(topic, { group, from: 'earliest' });
      for await (const message of consumer) if (message.offset >= 10) break;
      await consumer.commit();
    }
    await peer.stop();
  }, 120_000);
  afterAll(() => peer?.dispose());

  const files = (folder: string, suffix: string) =>
    readdirSync(join(peer.logDir, folder))
      .filter((name) => name.endsWith(suffix))
      .toSorted()
      .map((name) => join(peer.logDir, folder, name));
  const logsOf = (prefix: string) =>
    readdirSync(peer.logDir)
      .filter((name) => name.startsWith(prefix))
      .flatMap((name) => files(name, '.log'));

  test('batches', async () => {
    const logs = files(`${topic}-0`, '.log');
    const theirs = await kafkas('baseOffset: ', '--files', logs.join(','));
    expect(theirs.length).toBeGreaterThan(4);
    expect((await rowsOf('batch', ...logs)).map(batchInWords)).toEqual(theirs);
  });

  test.each([
    ['the topic', '--print-data-log', () => files(`${topic}-0`, '.log')],
    ['the metadata', '--cluster-metadata-decoder', () => logsOf('__cluster_metadata')],
    ['offsets', '--offsets-decoder', () => logsOf('__consumer_offsets')],
    ['transactions', '--transaction-log-decoder', () => logsOf('__transaction_state')],
  ])('records of %s', async (_what, flag, logs) => {
    const theirs = await kafkas('| ', flag, '--files', logs().join(','));
    const lines = (await ours(flag, ...logs())).filter((line) => line.startsWith('| '));
    expect(theirs.length).toBeGreaterThan(3);
    expect(lines.map(withoutHash)).toEqual(theirs.map(withoutHash));
  });

  test('offset and time indexes', async () => {
    const indexes = files(`${topic}-0`, '.index');
    const offsets = await kafkas('offset: ', '--files', indexes.join(','));
    expect((await rowsOf('index', ...indexes)).map((row) => inWords(row, ['offset', 'position']))).toEqual(
      offsets,
    );
    const timeIndexes = files(`${topic}-0`, '.timeindex');
    const times = await kafkas('timestamp: ', '--files', timeIndexes.join(','));
    expect(
      (await rowsOf('timeindex', ...timeIndexes)).map((row) => inWords(row, ['timestamp', 'offset'])),
    ).toEqual(times);
    expect(offsets.length + times.length).toBeGreaterThan(1);
  });

  test('aborted transactions', async () => {
    const indexes = files(`${topic}-0`, '.txnindex');
    const theirs = await kafkas('version: ', '--files', indexes.join(','));
    const names = ['version', 'producerId', 'firstOffset', 'lastOffset', 'lastStableOffset'];
    const rows = await rowsOf('txnindex', ...indexes);
    expect(rows.map((row) => inWords({ version: 0, ...row }, names))).toEqual(theirs);
    expect(theirs).toHaveLength(1);
  });

  test('producer snapshots', async () => {
    const snapshots = files(`${topic}-0`, '.snapshot');
    const theirs = await kafkas('producerId: ', '--files', snapshots.join(','));
    const names =
      'producerId producerEpoch coordinatorEpoch currentTxnFirstOffset lastTimestamp firstSequence lastSequence lastOffset offsetDelta timestamp'.split(
        ' ',
      );
    expect((await rowsOf('producer', ...snapshots)).map((row) => inWords(row, names))).toEqual(theirs);
    expect(theirs.length).toBeGreaterThan(0);
  });
});
