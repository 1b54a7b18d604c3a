import { describe, expect, test } from 'vitest';
import { absent, bootstrap, interop, javaTools, title, unique } from './support.ts';

const topics = (...args: string[]) =>
  javaTools().run('TopicCommand', ['--bootstrap-server', bootstrap, ...args]);
const produce = (lines: readonly string[], ...args: string[]) =>
  javaTools().run(
    'ConsoleProducer',
    ['--bootstrap-server', bootstrap, ...args],
    lines.map((line) => `${line}\n`).join(''),
  );
const consume = (...args: string[]) =>
  javaTools().run('consumer.ConsoleConsumer', [
    '--bootstrap-server',
    bootstrap,
    '--timeout-ms',
    '15000',
    ...args,
  ]);

describe.skipIf(absent(interop.java))(title('console producer and consumer', interop.java), () => {
  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
    'lines written with compression %s come back in order',
    async (codec) => {
      const topic = unique(`console-${codec}`);
      await topics('--create', '--topic', topic);
      const lines = Array.from({ length: 500 }, (_, i) => `line ${i} ${'abc'.repeat(i % 50)}`);
      const sent = await produce(lines, '--topic', topic, '--compression-codec', codec);
      expect(sent).toMatchObject({ code: 0, err: [] });
      const read = await consume('--topic', topic, '--from-beginning', '--max-messages', '500');
      expect(read.out).toEqual(lines);
      expect(read.code).toBe(0);
    },
  );

  test('keys, headers, nulls, timestamps, partitions and offsets come back', async () => {
    const topic = unique('parts');
    await topics('--create', '--topic', topic);
    const lines = ['h1:a,h2:b\tk1\tv1', 'h1:c\tk2\tNULL', 'h1:d\tk3\tü€😀'];
    const sent = await produce(
      lines,
      '--topic',
      topic,
      ...['parse.key=true', 'parse.headers=true', 'null.marker=NULL'].flatMap((p) => [
        '--reader-property',
        p,
      ]),
    );
    expect(sent.code).toBe(0);
    const prints = ['headers', 'key', 'offset', 'partition', 'timestamp'].flatMap((what) => [
      '--formatter-property',
      `print.${what}=true`,
    ]);
    const read = await consume('--topic', topic, '--from-beginning', '--max-messages', '3', ...prints);
    expect(read.out.map((line) => line.replace(/CreateTime:\d{13}/, 'CreateTime:T'))).toEqual([
      'CreateTime:T\tPartition:0\tOffset:0\th1:a,h2:b\tk1\tv1',
      'CreateTime:T\tPartition:0\tOffset:1\th1:c\tk2\tnull',
      'CreateTime:T\tPartition:0\tOffset:2\th1:d\tk3\tü€😀',
    ]);
  });

  test('a topic is created by its first record, with the default number of partitions', async () => {
    const topic = unique('automatic');
    expect((await produce(['first'], '--topic', topic)).code).toBe(0);
    expect((await consume('--topic', topic, '--from-beginning', '--max-messages', '1')).out).toEqual([
      'first',
    ]);
    expect((await topics('--describe', '--topic', topic)).out[0]).toMatch(/PartitionCount: 1\b/);
  });

  test('a group goes on where its last member stopped', async () => {
    const [topic, group] = [unique('resume'), unique('group')];
    await topics('--create', '--topic', topic, '--partitions', '2');
    await produce(['1', '2', '3', '4', '5'], '--topic', topic);
    const options = ['--topic', topic, '--group', group, '--from-beginning', '--max-messages'];
    const first = await consume(...options, '3');
    const second = await consume(...options, '2');
    expect([...first.out, ...second.out].toSorted()).toEqual(['1', '2', '3', '4', '5']);
  });

  test.each(['0', '1', 'all'])('acks=%s', async (acks) => {
    const topic = unique(`acks-${acks}`);
    await topics('--create', '--topic', topic);
    const properties = [`acks=${acks}`, 'enable.idempotence=false'].flatMap((p) => [
      '--producer-property',
      p,
    ]);
    expect((await produce(['a', 'b'], '--topic', topic, ...properties)).code).toBe(0);
    expect((await consume('--topic', topic, '--from-beginning', '--max-messages', '2')).out).toEqual([
      'a',
      'b',
    ]);
  });

  test('a record above max.message.bytes is refused with RecordTooLargeException', async () => {
    const topic = unique('large');
    await topics('--create', '--topic', topic, '--config', 'max.message.bytes=1000');
    const sent = await produce(['x'.repeat(5000)], '--topic', topic);
    expect(sent.err.join('\n')).toMatch(/RecordTooLargeException/);
  });

  test('a topic with compression.type stores recompressed batches that read the same', async () => {
    const topic = unique('recompress');
    await topics('--create', '--topic', topic, '--config', 'compression.type=gzip');
    await produce(['one', 'two'], '--topic', topic, '--compression-codec', 'lz4');
    expect((await consume('--topic', topic, '--from-beginning', '--max-messages', '2')).out).toEqual([
      'one',
      'two',
    ]);
  });
});
