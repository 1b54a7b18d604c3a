import {
  appendFileSync,
  copyFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@ottla/client';
import { startBroker } from '@ottla/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isBuilt, jsonLines, runOttla } from './run-ottla.ts';

const folder = mkdtempSync(join(tmpdir(), 'ottla-dump-'));
const data = join(folder, 'data');
const segment = '00000000000000000000';

type Row = Readonly<Record<string, unknown>>;

async function dump(...args: string[]): Promise<{ code: number; rows: Row[]; stderr: string }> {
  const { code, stdout, stderr } = await runOttla(['dump-log', '--jsonl', ...args]);
  return { code, stderr, rows: jsonLines(stdout) as Row[] };
}

/** A copy of the folder of a partition, to be damaged. */
function copyOf(partition: string): string {
  const copy = mkdtempSync(join(folder, 'copy-'));
  cpSync(join(data, partition), join(copy, partition), { recursive: true });
  return join(copy, partition);
}

/** Writes data of every kind, and stops the broker cleanly. */
async function writeData(): Promise<void> {
  await using kafka = await startBroker({ directory: data, topics: { orders: 1, ledger: 1 } });
  await using client = connect({ bootstrap: kafka.bootstrap });
  const topics = client.admin().topics;
  await topics.create([{ name: 'many', partitions: 1, configs: { 'index.interval.bytes': '200' } }]);
  {
    await using producer = client.producer({ compression: 'lz4' });
    for (let i = 0; i < 3; i += 1)
      await producer.send('orders', {
        key: `k${i}`,
        value: `v${i}`,
        headers: { from: 'test' },
        timestamp: 1000 + i,
      });
    for (let i = 0; i < 30; i += 1)
      await producer.send('many', { value: 'x'.repeat(100), timestamp: 5000 + i });
  }
  await using producer = client.producer({ transactionalId: 'books' });
  await producer.transaction((tx) => tx.send('ledger', { value: 'kept' }));
  await producer
    .transaction(async (tx) => {
      await tx.send('ledger', { value: 'aborted' });
      throw new Error('not this one');
    })
    .catch(() => {});
  await client.admin().groups.alterOffsets('billing', [{ topic: 'orders', partition: 0, offset: 2 }]);
}

describe.skipIf(!isBuilt)('ottla dump-log', () => {
  beforeAll(writeData, 60_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('a folder of a partition stands for all its files, and nothing is wrong with them', async () => {
    const { code, rows, stderr } = await dump(join(data, 'orders-0'));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const types = new Set(rows.map(({ type }) => type));
    expect([...types].sort()).toEqual(['batch', 'leaderEpoch', 'producer', 'property', 'timeindex']);
    expect(rows.filter(({ type }) => type === 'batch')).toMatchObject(
      [0, 1, 2].map((i) => ({
        baseOffset: i,
        lastOffset: i,
        count: 1,
        timestamp: 1000 + i,
        compresscodec: 'lz4',
        isValid: true,
      })),
    );
    expect(rows).toContainEqual(
      expect.objectContaining({ type: 'producer', lastSequence: 2, lastOffset: 2 }),
    );
  });

  test('a table shows batches, and under them records as the tool of Kafka writes them', async () => {
    const { stdout } = await runOttla([
      'dump-log',
      '--print-data-log',
      join(data, 'orders-0', `${segment}.log`),
    ]);
    const lines = stdout.split('\n');
    expect(lines[1]).toBe('Log starting offset: 0');
    expect(lines[2]).toMatch(/^OFFSETS +COUNT +POSITION +SIZE +CREATE-TIME /);
    expect(lines[3]).toMatch(/^0 +1 +0 +\d+ +1970-01-01T00:00:01\.000Z .* lz4 +ok$/);
    expect(lines[4]).toBe(
      '| offset: 0 CreateTime: 1000 keySize: 2 valueSize: 2 sequence: 0 headerKeys: [from] key: k0 payload: v0',
    );
  });

  test('keys and values alone, without control records', async () => {
    const log = join(data, 'ledger-0', `${segment}.log`);
    const { rows } = await dump('--skip-record-metadata', log);
    expect(rows.map(({ file: _file, ...row }) => row)).toEqual([
      { type: 'record', payload: 'kept' },
      { type: 'record', payload: 'aborted' },
    ]);
  });

  test('control records and aborted transactions are told of', async () => {
    const { rows } = await dump('--deep-iteration', join(data, 'ledger-0'));
    const markers = rows.filter(({ endTxnMarker }) => endTxnMarker !== undefined);
    expect(markers.map(({ offset, endTxnMarker }) => [offset, endTxnMarker])).toEqual([
      [1, 'COMMIT'],
      [3, 'ABORT'],
    ]);
    expect(rows).toContainEqual(expect.objectContaining({ type: 'txnindex', firstOffset: 2, lastOffset: 3 }));
  });

  test.each([
    [
      '__cluster_metadata-0',
      ({ payload }: Row) => JSON.stringify(payload),
      /"type":"TOPIC_RECORD".*"name":"orders"/,
    ],
    [
      '__transaction_state',
      ({ key }: Row) => JSON.stringify(key),
      /"type":"0","data":\{"transactionalId":"books"/,
    ],
    [
      '__consumer_offsets',
      ({ key }: Row) => JSON.stringify(key),
      /"type":"1","data":\{"group":"billing","topic":"orders"/,
    ],
  ])('records of %s are decoded without being asked for', async (topic, textOf, pattern) => {
    const { rows } = await dump('--print-data-log', data);
    const found = rows.filter(({ file, type }) => String(file).includes(`/${topic}`) && type === 'record');
    expect(found.map((row) => textOf(row) ?? '').filter((text) => pattern.test(text)).length).toBeGreaterThan(
      0,
    );
  });

  test('a decoder reads a file wherever it lies', async () => {
    const metadata = join(folder, `${segment}.log`);
    copyFileSync(join(data, '__cluster_metadata-0', `${segment}.log`), metadata);
    const { rows } = await dump('--cluster-metadata-decoder', metadata);
    expect(rows.map(({ payload }) => JSON.stringify(payload) ?? '').join('\n')).toContain(
      'FEATURE_LEVEL_RECORD',
    );
  });

  test('a batch whose bytes changed is shown as such, and the others too', async () => {
    const path = join(copyOf('orders-0'), `${segment}.log`);
    const bytes = readFileSync(path);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(path, bytes);
    const { code, rows, stderr } = await dump(path);
    expect(code).toBe(1);
    expect(rows.map(({ isValid }) => isValid)).toEqual([true, true, false]);
    expect(stderr).toMatch(/^ottla: .*\.log: The batch at position \d+ does not match its CRC\n$/);
  });

  test.each([
    ['a torn end', (path: string) => truncateSync(path, readFileSync(path).length - 3), 2],
    ['a length that cannot be', (path: string) => appendFileSync(path, Buffer.alloc(100, 0x7f)), 3],
    ['zeros behind the end', (path: string) => appendFileSync(path, Buffer.alloc(1000)), 3],
  ])('%s is measured, what is before it is shown', async (_what, damage, batches) => {
    const path = join(copyOf('orders-0'), `${segment}.log`);
    damage(path);
    const { code, rows, stderr } = await dump('--deep-iteration', path);
    expect(code).toBe(1);
    expect(rows.filter(({ type }) => type === 'batch')).toHaveLength(batches);
    expect(stderr).toMatch(/\d+ invalid bytes at position \d+: /);
  });

  test('indexes are compared with the log: entries that point elsewhere are told of, room in advance is none', async () => {
    const copy = copyOf('many-0');
    const index = join(copy, `${segment}.index`);
    const good = await dump(copy);
    expect({ code: good.code, stderr: good.stderr }).toEqual({ code: 0, stderr: '' });
    const entries = good.rows.filter(({ type }) => type === 'index');
    expect(entries.length).toBeGreaterThan(5);
    const bytes = readFileSync(index);
    writeFileSync(index, Buffer.concat([bytes, Buffer.alloc(800)]));
    expect((await dump('--verify-index-only', index)).code).toBe(0);
    bytes.writeInt32BE(bytes.readInt32BE(12) + 1, 12);
    writeFileSync(index, bytes);
    const bad = await dump('--verify-index-only', index);
    expect(bad).toMatchObject({ code: 1, rows: [] });
    expect(bad.stderr).toMatch(/no batch begins at position \d+/);
    writeFileSync(index, bytes.subarray(0, 11));
    const insane = await dump('--index-sanity-check', index, join(copy, `${segment}.timeindex`));
    expect(insane.rows).toMatchObject([{ type: 'sanity', isSane: true }]);
    expect(insane.stderr).toContain('It fails the check that a start makes');
  });

  test('a time that is older than a record before it is told of', async () => {
    const copy = copyOf('many-0');
    const index = join(copy, `${segment}.timeindex`);
    const bytes = readFileSync(index);
    bytes.writeBigInt64BE(4000n, 0);
    writeFileSync(index, bytes);
    const { code, stderr } = await dump(index);
    expect(code).toBe(1);
    expect(stderr).toContain("newer than the entry's 4000");
  });

  test('a snapshot that does not match its CRC, and files of no known kind', async () => {
    const copy = copyOf('orders-0');
    const snapshot = join(copy, '00000000000000000003.snapshot');
    const bytes = readFileSync(snapshot);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(snapshot, bytes);
    expect((await dump(snapshot)).stderr).toContain('does not match its CRC');
    writeFileSync(join(copy, 'notes.txt'), 'x');
    expect((await dump(join(copy, 'notes.txt'))).stderr).toContain('is of no kind that can be dumped');
    expect((await dump(join(copy, 'absent.log'))).stderr).toContain('There is no file or folder');
    const empty = mkdtempSync(join(folder, 'empty-'));
    expect((await dump(empty)).stderr).toContain('holds nothing that can be dumped');
  });

  test('one JSON document, and files separated by commas', async () => {
    const files = ['orders-0', 'many-0'].map((name) => join(data, name, 'leader-epoch-checkpoint')).join(',');
    const { stdout } = await runOttla(['dump-log', '--json', files]);
    expect(JSON.parse(stdout)).toMatchObject([
      { type: 'leaderEpoch', epoch: 0, startOffset: 0 },
      { type: 'leaderEpoch', epoch: 0, startOffset: 0 },
    ]);
  });
});
