import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect } from '@ottla/client';
import { startBroker, type TestBroker } from '@ottla/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isBuilt, jsonLines, runOttla, type OttlaRun } from './run-ottla.ts';

const bin = fileURLToPath(new URL('../bin/ottla.cjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ottla-records-'));

let kafka: TestBroker;

function ottla(args: readonly string[], input: string | Buffer = ''): Promise<OttlaRun> {
  return runOttla(args, { input, bootstrap: kafka.bootstrap });
}

async function lines(...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await ottla(['consume', ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.split('\n').slice(0, -1);
}

function fileWith(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe.skipIf(!isBuilt)('records', () => {
  beforeAll(async () => {
    const timed = Array.from({ length: 6 }, (_, i) => ({
      key: `k${i % 2}`,
      value: `v${i}`,
      timestamp: 1000 + i,
      headers: { n: String(i) },
    }));
    const kept = { partitions: 1, configs: { 'retention.ms': '-1' } };
    kafka = await startBroker({
      topics: {
        timed: kept,
        other: kept,
        copy: 1,
        wide: { partitions: 3, configs: { 'retention.ms': '-1' } },
      },
      records: { timed, other: [{ value: 'o0', timestamp: 1000 }] },
    });
  }, 60_000);
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await kafka.close();
  });

  test.each([
    [
      ['-o', 's@1001', '-o', 'e@1004'],
      ['v1', 'v2', 'v3'],
    ],
    [
      ['-o', 'e@1970-01-01T00:00:01.002Z'],
      ['v0', 'v1'],
    ],
    [
      ['-o', 'beginning', '-e', '--grep-key', '^k1$'],
      ['v1', 'v3', 'v5'],
    ],
    [
      ['--from-beginning', '-e', '-c', '2'],
      ['v0', 'v1'],
    ],
    [['-o', '-1', '--from-beginning', '-e'], ['v5']],
    [['-o', 'beginning', '-e', '--grep-header', 'n=^[45]$', '--grep-value', '5'], ['v5']],
    [
      ['-o', '-2', '-e', '-K', ':'],
      ['k0:v4', 'k1:v5'],
    ],
  ])('consume timed %j', async (args, values) => {
    expect(await lines('timed', ...args)).toEqual(values);
  });

  test('an end that is in the future lets it go on until a record is that late', async () => {
    await kafka.createTopic('late', { partitions: 1, configs: { 'retention.ms': '-1' } });
    const child = spawn(process.execPath, [bin, 'consume', 'late', '-o', 'e@5000', '-b', kafka.bootstrap]);
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    const ended = new Promise((resolve) => child.on('close', resolve));
    await using client = connect({ bootstrap: kafka.bootstrap });
    await using producer = client.producer();
    for (const timestamp of [1000, 4999, 5000])
      await producer.send('late', { value: `at ${timestamp}`, timestamp });
    expect(await ended).toBe(0);
    expect(stdout).toBe('at 1000\nat 4999\n');
  });

  test('several topics are read together', async () => {
    const found = await lines('timed', 'other', '-o', 'beginning', '-e', '-f', '%t %s\\n');
    expect(found.toSorted()).toEqual(['other o0', ...[0, 1, 2, 3, 4, 5].map((i) => `timed v${i}`)]);
  });

  test('a group goes on where it was', async () => {
    expect(await lines('timed', '-g', 'readers', '-o', 'beginning', '-c', '2')).toEqual(['v0', 'v1']);
    expect(await lines('timed', '-g', 'readers', '-e')).toEqual(['v2', 'v3', 'v4', 'v5']);
    expect(await lines('timed', '-g', 'readers', '-e')).toEqual([]);
    const lag = jsonLines((await ottla(['groups', 'describe', 'readers', '--jsonl'])).stdout);
    expect(lag).toMatchObject([{ topic: 'timed', committed: 6, lag: 0 }]);
  }, 60_000);

  test('a group that is interrupted has committed what was printed, and leaves', async () => {
    const args = ['consume', 'timed', '-g', 'interrupted', '-o', 'beginning', '-b', kafka.bootstrap];
    const child = spawn(process.execPath, [bin, ...args]);
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
      if (stdout.endsWith('v5\n')) child.kill('SIGINT');
    });
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(130);
    const described = jsonLines((await ottla(['groups', 'describe', 'interrupted', '--jsonl'])).stdout);
    expect(described).toMatchObject([{ committed: 6 }]);
    expect(jsonLines((await ottla(['groups', '--jsonl'])).stdout)).toContainEqual(
      expect.objectContaining({ group: 'interrupted', state: 'Empty' }),
    );
  }, 60_000);

  test.each([
    [['timed', '-g', 'g', '-p', '0'], '--partitions has no place beside --group'],
    [['timed', '-g', 'g', '-o', '5'], 'ottla groups reset-offsets'],
    [['timed', '-e', '-F'], 'Give one of --exit and --follow'],
    [['timed', '-p', '7', '-e'], 'has no such partition'],
    [['timed', '-o', 'sometime'], 'is none of beginning, end'],
    [['nowhere', '-e'], 'Topic "nowhere" is not there'],
    [['nowhere', '--timeout', '2500'], 'waiting for somebody to create it'],
  ])('consume %j says what is wrong', async (args, reason) => {
    const { code, stderr } = await ottla(['consume', '--timeout', '5000', ...args]);
    expect(code).toBe(1);
    expect(stderr).toContain(reason);
  });

  test('what consume prints as JSON is what produce takes, bytes and tombstones and headers too', async () => {
    const odd = Buffer.from([0xff, 0x00, 0x0a]);
    await using client = connect({ bootstrap: kafka.bootstrap });
    await client.admin().topics.create([{ name: 'odd', partitions: 2, configs: { 'retention.ms': '-1' } }]);
    await using producer = client.producer();
    await producer.send('odd', {
      key: odd,
      value: odd,
      headers: [
        ['h', odd],
        ['h', null],
      ],
      partition: 1,
      timestamp: 77,
    });
    await producer.send('odd', { key: 'gone', value: null, partition: 0, timestamp: 78 });
    await client
      .admin()
      .topics.create([{ name: 'odd-copy', partitions: 2, configs: { 'retention.ms': '-1' } }]);
    const first = await ottla(['consume', 'odd', '-o', 'beginning', '-e', '--jsonl']);
    expect(await ottla(['produce', 'odd-copy', '--jsonl'], first.stdout)).toMatchObject({
      code: 0,
      stderr: 'ottla: 2 records stored in "odd-copy"\n',
    });
    const narrow = await ottla(
      ['produce', 'copy', '--jsonl'],
      first.stdout.replaceAll('"partition":0', '"partition":1'),
    );
    expect(narrow).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--repartition places records by'),
    });
    const second = await ottla(['consume', 'odd-copy', '-o', 'beginning', '-e', '--jsonl']);
    const sorted = (text: string): unknown[] => text.replaceAll('odd-copy', 'odd').split('\n').toSorted();
    expect(sorted(second.stdout)).toEqual(sorted(first.stdout));
    expect(second.stdout).toContain('"key":{"base64":"/wAK"}');
  }, 60_000);

  test('produce sends the lines of files, and whole files', async () => {
    const text = fileWith('lines.txt', 'a\nb\nc');
    const binary = fileWith('whole.bin', Buffer.from([1, 10, 255]));
    expect(await ottla(['produce', 'copy', '-l', text])).toMatchObject({
      code: 0,
      stderr: 'ottla: 3 records stored in "copy"\n',
    });
    expect((await ottla(['produce', 'copy', binary, text, '-k', 'file'])).code).toBe(0);
    expect(await lines('copy', '-o', 'beginning', '-e', '-f', '%k %s{hex}\\n')).toEqual([
      ' 61',
      ' 62',
      ' 63',
      'file 010aff',
      'file 610a620a63',
    ]);
    const absent = await ottla(['produce', 'copy', '-l', join(folder, 'absent')]);
    expect(absent).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no file') });
  }, 60_000);

  test('produce takes partition, time, delimiter, and tells programs what it did', async () => {
    const args = [
      'produce',
      'wide',
      '-p',
      '2',
      '-T',
      '1970-01-01T00:00:02',
      '-D',
      '|',
      '--json',
      '--rate',
      '1000',
    ];
    const { stdout, stderr } = await ottla(args, 'x|y');
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ topic: 'wide', records: 2, bytes: 2 });
    expect(await lines('wide', '-o', 'beginning', '-e', '-f', '%p %T %s\\n')).toEqual([
      '2 2000 x',
      '2 2000 y',
    ]);
  });

  test('properties of Kafka set the client; one that is not known is told of', async () => {
    const { code, stderr } = await ottla(['produce', 'copy', '-X', 'acks=1', '-X', 'linger.msx=5'], 'x\n');
    expect(code).toBe(0);
    expect(stderr).toContain(
      'Property "linger.msx" is not known here and has no effect; did you mean "linger.ms"?',
    );
    const bad = await ottla(['produce', 'copy', '-X', 'linger.ms=soon'], 'x\n');
    expect(bad).toMatchObject({ code: 1, stderr: expect.stringContaining('is not a whole number') });
  });

  test.each([
    [['produce', 'copy', '-p', '9'], 1, 'Topic "copy" has 1 partition, and so none with the number 9'],
    [['produce', 'created-by-it', '-p', '1'], 1, 'Topic "created-by-it" has 1 partition, and so none with'],
    [['produce', 'copy', '--rate', '0'], 1, '"0" is not at least 1'],
    [['produce', 'copy', folder], 1, `"${folder}" is a folder, not a file`],
    [['produce', 'copy', '-X', 'acks=banana'], 1, 'acks "banana" is not all, 1 or 0'],
    [['produce', 'copy', '-l', folder], 1, `"${folder}" is a folder, not a file`],
    [['produce', 'copy', '--command-config', folder], 1, `"${folder}" is a folder, not a file`],
  ])('%j ends in time, with %i and what is wrong', async (args, code, message) => {
    const run = await ottla(args, 'x\n');
    expect(run.stderr).toContain(message);
    expect(run.code).toBe(code);
  });

  test.skipIf(!existsSync('/dev/stdin'))('a folder as standard input is refused', async () => {
    const run = await runOttla(['-c', `"${process.execPath}" "${bin}" produce copy < "${folder}"`], {
      program: ['sh'],
      bootstrap: kafka.bootstrap,
    });
    expect(run).toMatchObject({ code: 1, stderr: expect.stringContaining('is a folder, not a file') });
  });

  test.skipIf(!existsSync('/dev/full'))('output that cannot be written is told of', async () => {
    const run = await runOttla(
      ['-c', `"${process.execPath}" "${bin}" consume timed -o beginning -e > /dev/full`],
      {
        program: ['sh'],
        bootstrap: kafka.bootstrap,
      },
    );
    expect(run).toMatchObject({ code: 1, stderr: expect.stringMatching(/cannot be written: .*ENOSPC/) });
  });

  test('a line that is no JSON ends it, and says how many are stored', async () => {
    const { code, stderr } = await ottla(['produce', 'copy', '--jsonl'], '{"value":"one"}\n\nnot json\n');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^ottla: 1 record stored in "copy"\nottla: Line "not json" is no record in JSON: .*\n$/,
    );
  });
});
