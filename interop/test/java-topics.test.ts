import { describe, expect, test } from 'vitest';
import { absent, bootstrap, interop, javaTools, title, unique } from './support.ts';

const topics = (...args: string[]) =>
  javaTools().run('TopicCommand', ['--bootstrap-server', bootstrap, ...args]);

describe.skipIf(absent(interop.java))(title('kafka-topics', interop.java), () => {
  test('a topic is created, listed, described, altered and deleted', async () => {
    const topic = unique('topics');
    const created = await topics(
      '--create',
      '--topic',
      topic,
      '--partitions',
      '3',
      '--config',
      'retention.ms=3600000',
    );
    expect(created).toMatchObject({ code: 0, out: [`Created topic ${topic}.`] });
    expect((await topics('--list')).out).toContain(topic);

    const described = await topics('--describe', '--topic', topic);
    expect(described.out[0]).toMatch(
      /PartitionCount: 3\s+ReplicationFactor: 1\s+Configs: .*retention\.ms=3600000/,
    );
    expect(described.out).toHaveLength(4);
    expect(described.out[3]).toMatch(/Partition: 2\s+Leader: \d+\s+Replicas: \d+\s+Isr: \d+/);

    expect((await topics('--alter', '--topic', topic, '--partitions', '5')).code).toBe(0);
    expect((await topics('--describe', '--topic', topic)).out).toHaveLength(6);

    expect((await topics('--delete', '--topic', topic)).code).toBe(0);
    expect((await topics('--list')).out).not.toContain(topic);
  });

  test.each([
    ['a name with a slash', ['--topic', 'bad/name'], /InvalidTopicException/],
    ['a name of one dot', ['--topic', '.'], /InvalidTopicException/],
    ['a name of 250 characters', ['--topic', 'x'.repeat(250)], /InvalidTopicException/],
    ['no partitions', ['--topic', 'zero', '--partitions', '0'], /partitions/i],
    [
      'more replicas than brokers',
      ['--topic', 'many', '--replication-factor', '3'],
      /InvalidReplicationFactorException/,
    ],
    [
      'an unknown config',
      ['--topic', 'conf', '--config', 'no.such.config=1'],
      /InvalidConfigurationException|Unknown topic config/,
    ],
  ])('creation with %s is refused', async (_name, args, error) => {
    const result = await topics('--create', ...args);
    expect(result.code).toBe(1);
    expect([...result.out, ...result.err].join('\n')).toMatch(error);
  });

  test('creating a topic twice is refused, and accepted with --if-not-exists', async () => {
    const topic = unique('twice');
    expect((await topics('--create', '--topic', topic)).code).toBe(0);
    const again = await topics('--create', '--topic', topic);
    expect(again.code).toBe(1);
    expect([...again.out, ...again.err].join('\n')).toMatch(/TopicExistsException/);
    expect((await topics('--create', '--topic', topic, '--if-not-exists')).code).toBe(0);
  });

  test('fewer partitions than there are is refused', async () => {
    const topic = unique('fewer');
    await topics('--create', '--topic', topic, '--partitions', '4');
    const result = await topics('--alter', '--topic', topic, '--partitions', '2');
    expect(result.code).toBe(1);
    expect([...result.out, ...result.err].join('\n')).toMatch(/InvalidPartitionsException/);
  });

  test('deleting or describing a topic that is not there is refused', async () => {
    for (const action of ['--delete', '--describe']) {
      const result = await topics(action, '--topic', unique('nowhere'));
      expect(result.code).toBe(1);
      expect([...result.out, ...result.err].join('\n')).toMatch(/does not exist/);
    }
  });
});
