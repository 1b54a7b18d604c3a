import { describe, expect, test } from 'vitest';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../src/index.ts';
import { absent, bootstrap, interop, javaTools, title, unique } from './support.ts';

const tool = (main: string, ...args: string[]) =>
  javaTools().run(main, ['--bootstrap-server', bootstrap, ...args]);
const groups = (...args: string[]) => tool('consumer.group.ConsumerGroupCommand', ...args);
const produce = (topic: string, lines: readonly string[]) =>
  javaTools().run(
    'ConsoleProducer',
    ['--bootstrap-server', bootstrap, '--topic', topic],
    lines.map((l) => `${l}\n`).join(''),
  );
const printed = (result: { out: readonly string[]; err: readonly string[] }) =>
  [...result.out, ...result.err].join('\n');

/** A topic of one partition with `count` records, and a group that read all of them and left. */
async function readTopic(count: number): Promise<{ topic: string; group: string }> {
  const [topic, group] = [unique('read'), unique('readers')];
  await tool('TopicCommand', '--create', '--topic', topic);
  await produce(
    topic,
    Array.from({ length: count }, (_, i) => `value ${i}`),
  );
  const read = await tool(
    'consumer.ConsoleConsumer',
    '--topic',
    topic,
    '--group',
    group,
    '--from-beginning',
    '--max-messages',
    String(count),
    '--timeout-ms',
    '15000',
  );
  expect(read.out).toHaveLength(count);
  return { topic, group };
}

describe.skipIf(absent(interop.java))(title('kafka-consumer-groups', interop.java), () => {
  test('a group is listed, described, reset and deleted', async () => {
    const { topic, group } = await readTopic(10);
    expect((await groups('--list')).out).toContain(group);
    expect((await groups('--list', '--state')).out.find((line) => line.includes(group))).toMatch(/Empty/);

    const described = await groups('--describe', '--group', group);
    expect(printed(described)).toMatch(new RegExp(`${group}\\s+${topic}\\s+0\\s+10\\s+10\\s+0`));
    expect(printed(await groups('--describe', '--group', group, '--state'))).toMatch(/Empty\s+0/);

    const reset = await groups(
      '--reset-offsets',
      '--group',
      group,
      '--topic',
      topic,
      '--to-offset',
      '4',
      '--execute',
    );
    expect(printed(reset)).toMatch(new RegExp(`${topic}\\s+0\\s+4`));
    expect(printed(await groups('--describe', '--group', group))).toMatch(/\s4\s+10\s+6\s/);

    const deletedOffsets = await groups('--delete-offsets', '--group', group, '--topic', topic);
    expect(printed(deletedOffsets)).toMatch(/Successful/);
    expect(printed(await groups('--delete', '--group', group))).toMatch(/successful/);
    expect((await groups('--list')).out).not.toContain(group);
  });

  test('a group with members is described with its assignment, and neither reset nor deleted', async () => {
    const { topic } = await readTopic(3);
    const group = unique('active');
    const member = javaTools().start('GroupMember', [
      topic,
      `bootstrap.servers=${bootstrap}`,
      `group.id=${group}`,
      'client.id=watcher',
    ]);
    await member.line(/^assigned 0$/);
    await member.line(/^record 0 2/);
    const described = await groups('--describe', '--group', group, '--members', '--verbose');
    expect(printed(described)).toMatch(/watcher-[0-9a-f-]+\s+\/127\.0\.0\.1\s+watcher\s+1/);
    expect(printed(await groups('--describe', '--group', group, '--state'))).toMatch(/range\s+Stable\s+1/);
    expect(printed(await groups('--delete', '--group', group))).toMatch(/GroupNotEmptyException/);
    const reset = await groups(
      '--reset-offsets',
      '--group',
      group,
      '--all-topics',
      '--to-earliest',
      '--execute',
    );
    expect(printed(reset)).toMatch(/inactive/);
    expect((await member.stop()).out).toContain('stopped');
    await eventually('The group being empty', async () =>
      /Empty/.test(printed(await groups('--describe', '--group', group, '--state'))) ? true : undefined,
    );
  });

  test('a group that is not there is said to be missing', async () => {
    expect(printed(await groups('--describe', '--group', unique('nobody')))).toMatch(
      /not found|does not exist/,
    );
  });
});

describe.skipIf(absent(interop.java))(
  title('kafka-configs, kafka-delete-records, kafka-get-offsets and others', interop.java),
  () => {
    const configs = (...args: string[]) =>
      javaTools().run('kafka.admin.ConfigCommand', ['--bootstrap-server', bootstrap, ...args]);

    test('topic configs are altered, described and removed', async () => {
      const topic = unique('configs');
      await tool('TopicCommand', '--create', '--topic', topic);
      const entity = ['--entity-type', 'topics', '--entity-name', topic];
      expect(
        (
          await configs(
            '--alter',
            ...entity,
            '--add-config',
            'retention.ms=1234567,cleanup.policy=[compact,delete]',
          )
        ).code,
      ).toBe(0);
      const described = printed(await configs('--describe', ...entity));
      expect(described).toMatch(
        /retention\.ms=1234567 sensitive=false synonyms=\{DYNAMIC_TOPIC_CONFIG:retention\.ms=1234567/,
      );
      expect(described).toMatch(/cleanup\.policy=compact,delete/);
      expect((await configs('--alter', ...entity, '--delete-config', 'retention.ms')).code).toBe(0);
      expect(printed(await configs('--describe', ...entity))).not.toMatch(/retention\.ms/);
      expect(printed(await configs('--describe', '--all', ...entity))).toMatch(/retention\.ms=604800000/);
    });

    test.each([
      ['an unknown key', 'no.such.key=1'],
      ['a value out of range', 'min.insync.replicas=0'],
      ['a value of the wrong type', 'segment.bytes=abc'],
    ])('%s is refused by the broker', async (_name, change) => {
      const topic = unique('bad-config');
      await tool('TopicCommand', '--create', '--topic', topic);
      const result = await configs(
        '--alter',
        '--entity-type',
        'topics',
        '--entity-name',
        topic,
        '--add-config',
        change,
      );
      expect(result.code).toBe(1);
      expect(printed(result)).toMatch(/InvalidConfigurationException|InvalidRequestException/);
    });

    test('broker configs are described, and a dynamic one altered and removed', async () => {
      const all = printed(
        await configs('--describe', '--all', '--entity-type', 'brokers', '--entity-name', await nodeId()),
      );
      expect(all).toMatch(/log\.retention\.hours=168/);
      expect(all).toMatch(/num\.partitions=1/);
      const entity = ['--entity-type', 'brokers', '--entity-default'];
      expect((await configs('--alter', ...entity, '--add-config', 'log.retention.ms=86400000')).code).toBe(0);
      await eventually('The new default', async () =>
        /log\.retention\.ms=86400000/.test(printed(await configs('--describe', ...entity)))
          ? true
          : undefined,
      );
      expect((await configs('--alter', ...entity, '--delete-config', 'log.retention.ms')).code).toBe(0);
    });

    async function nodeId(): Promise<string> {
      const printedVersions = printed(await tool('BrokerApiVersionsCommand'));
      return /\(id: (\d+) rack/.exec(printedVersions)?.[1] ?? '';
    }

    test('records are deleted up to an offset', async () => {
      const { topic } = await readTopic(10);
      const folder = mkdtempSync(join(tmpdir(), 'ottla-delete-'));
      const file = join(folder, 'offsets.json');
      writeFileSync(file, JSON.stringify({ version: 1, partitions: [{ topic, partition: 0, offset: 6 }] }));
      const deleted = await tool('DeleteRecordsCommand', '--offset-json-file', file);
      expect(printed(deleted)).toMatch(new RegExp(`partition: ${topic}-0\\s+low_watermark: 6`));
      const offsets = (...args: string[]) =>
        tool('GetOffsetShell', '--topic', topic, ...args).then((r) => r.out);
      expect(await offsets('--time', 'earliest')).toEqual([`${topic}:0:6`]);
      expect(await offsets('--time', 'latest')).toEqual([`${topic}:0:10`]);
      writeFileSync(file, JSON.stringify({ version: 1, partitions: [{ topic, partition: 0, offset: 99 }] }));
      expect(printed(await tool('DeleteRecordsCommand', '--offset-json-file', file))).toMatch(
        /OffsetOutOfRangeException/,
      );
      rmSync(folder, { recursive: true });
    });

    test('offsets are found by time', async () => {
      const topic = unique('times');
      await tool('TopicCommand', '--create', '--topic', topic, '--partitions', '2');
      const before = Date.now();
      await produce(topic, ['a', 'b', 'c']);
      const offsets = async (time: string) =>
        (await tool('GetOffsetShell', '--topic', topic, '--time', time)).out
          .map((line) => Number(line.split(':')[2]))
          .reduce((sum, offset) => sum + offset, 0);
      expect(await offsets('-1')).toBe(3);
      expect(await offsets('-2')).toBe(0);
      expect(await offsets(String(before - 1000))).toBe(0);
      const maxTimestamp = (await tool('GetOffsetShell', '--topic', topic, '--time', 'max-timestamp')).out;
      expect(maxTimestamp.some((line) => /:[012]$/.test(line))).toBe(true);
    });

    test('kafka-log-dirs shows the size of a partition', async () => {
      const { topic } = await readTopic(5);
      const result = await tool('LogDirsCommand', '--describe', '--topic-list', topic);
      const { brokers } = JSON.parse(result.out.at(-1)!) as {
        brokers: {
          logDirs: {
            error: string | null;
            partitions: { partition: string; size: number; isFuture: boolean }[];
          }[];
        }[];
      };
      expect(brokers[0]!.logDirs[0]!.error).toBeNull();
      expect(brokers[0]!.logDirs[0]!.partitions).toMatchObject([
        { partition: `${topic}-0`, isFuture: false },
      ]);
      expect(brokers[0]!.logDirs[0]!.partitions[0]!.size).toBeGreaterThan(50);
    });

    test('kafka-broker-api-versions knows every API that is announced', async () => {
      const result = await tool('BrokerApiVersionsCommand');
      expect(result.code).toBe(0);
      expect(printed(result)).toMatch(/Produce\(0\): 0 to 13 \[usable: 13\]/);
      expect(printed(result)).toMatch(/Fetch\(1\): 4 to 18 \[usable: 18\]/);
      expect(printed(result)).not.toMatch(/UNKNOWN\(/);
    });

    test('kafka-cluster tells the cluster id', async () => {
      const result = await javaTools().run('ClusterTool', ['cluster-id', '--bootstrap-server', bootstrap]);
      expect(printed(result)).toMatch(/Cluster ID: [A-Za-z0-9_-]{22}/);
    });
  },
);
