import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { interopFolder } from '../src/index.ts';
import { absent, bootstrap, interop, rawProgram, runProgram, title, unique } from './support.ts';

const script = (name: string, ...args: string[]) =>
  runProgram(interop.python, [join(interopFolder, 'python', name), ...args]);

describe.skipIf(absent(interop.python))(title('librdkafka (confluent-kafka)', interop.python), () => {
  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
    'idempotent writes with %s are read back by a group',
    async (codec) => {
      const result = await script('librdkafka.py', 'roundtrip', bootstrap, unique(`rdkafka-${codec}`), codec);
      expect(result).toEqual({ delivered: 1000, errors: [], right: 1000, committed: 1000 });
    },
  );

  test('the admin client creates, describes, alters and deletes', async () => {
    const result = await script('librdkafka.py', 'admin', bootstrap, unique('rdkafka-admin'));
    expect(result).toEqual({
      twice: 'TOPIC_ALREADY_EXISTS',
      partitions: 4,
      retention: '1000000',
      low: 1,
      watermarks: [1, 2],
      byTime: 0,
      state: 'EMPTY',
      listed: true,
      nodes: 1,
    });
  });

  test('transactions copy exactly once, and a second producer fences the first', async () => {
    const result = await script('librdkafka.py', 'transactions', bootstrap, unique('rdkafka-txn'));
    expect(result).toMatchObject({ once: true, committed: 100 });
    expect((result as { fenced: string }).fenced).toMatch(/_FENCED|PRODUCER_FENCED/);
  });

  test('an assigned offset is read, and one out of range is an error', async () => {
    const result = await script('librdkafka.py', 'seek', bootstrap, unique('rdkafka-seek'));
    expect(result).toEqual({ values: ['15', '16', '17', '18', '19'], error: '_AUTO_OFFSET_RESET' });
  });
});

describe.skipIf(absent(interop.python))(title('aiokafka', interop.python), () => {
  test.each(['none', 'gzip'])('writes with %s are read back by a group', async (codec) => {
    const result = await script('aio.py', bootstrap, unique(`aio-${codec}`), codec);
    expect(result).toEqual({ sent: 300, read: 300, committed: 300, topic: true, group: true });
  });
});

describe.skipIf(absent(interop.kcat))(title('kcat', interop.kcat), () => {
  const kcat = (args: readonly string[], input = '') =>
    rawProgram(interop.kcat, ['-b', bootstrap, ...args], input);

  test('lists, produces and consumes', async () => {
    const topic = unique('kcat');
    expect(
      (await kcat(['-P', '-t', topic, '-K', ':', '-H', 'a=b', '-z', 'snappy'], 'k1:v1\nk2:v2\n')).code,
    ).toBe(0);
    const read = await kcat(['-C', '-t', topic, '-o', 'beginning', '-e', '-q', '-f', '%o %k %s %h\\n']);
    expect(read.stdout).toBe('0 k1 v1 a=b\n1 k2 v2 a=b\n');
    const listed = await kcat(['-L', '-J', '-t', topic]);
    expect(JSON.parse(listed.stdout)).toMatchObject({ topics: [{ topic, partitions: [{ partition: 0 }] }] });
    expect((await kcat(['-Q', '-t', `${topic}:0:1`])).stdout).toMatch(/\[0\] offset 0/);
  });

  test('reads as a member of a group', async () => {
    const topic = unique('kcat-group');
    await kcat(['-P', '-t', topic], 'one\ntwo\n');
    const read = await kcat([
      '-G',
      unique('kcats'),
      '-q',
      '-c',
      '2',
      '-X',
      'auto.offset.reset=earliest',
      topic,
    ]);
    expect(read.stdout.split('\n').slice(0, 2)).toEqual(['one', 'two']);
  });
});
