import { afterEach, describe, expect, test } from 'vitest';
import { eventually, type Peer } from '../src/index.ts';
import { absent, interop, javaTools, startPeer, title, unique } from './support.ts';

/** Time for a broker, a group's first two heartbeats and a few tools. */
const TIMEOUT_MS = 120_000;

let peer: Peer | undefined;

afterEach(async () => {
  await peer?.dispose();
  peer = undefined;
});

async function prepare(topic: string, group: string, values: readonly string[]): Promise<string[]> {
  peer ??= await startPeer();
  const server = ['--bootstrap-server', peer.bootstrap];
  await javaTools().run('TopicCommand', [...server, '--create', '--topic', topic, '--partitions', '1']);
  await javaTools().run('kafka.admin.ConfigCommand', [
    ...server,
    '--alter',
    '--entity-type',
    'groups',
    '--entity-name',
    group,
    '--add-config',
    'share.auto.offset.reset=earliest,share.record.lock.duration.ms=15000',
  ]);
  await javaTools().run('ConsoleProducer', [...server, '--topic', topic], `${values.join('\n')}\n`);
  return server;
}

const member = (topic: string, group: string, mode: string) =>
  javaTools().start('ShareMember', [
    topic,
    `bootstrap.servers=${peer!.bootstrap}`,
    `group.id=${group}`,
    `share.acknowledgement.mode=${mode}`,
    'reconnect.backoff.max.ms=200',
  ]);

const groupTool = (server: readonly string[], ...args: string[]) =>
  javaTools().run('consumer.group.ShareGroupCommand', [...server, ...args]);

describe.skipIf(absent(interop.java))(title('share groups of Java', interop.java), () => {
  test(
    'a member accepts, releases, rejects and renews; what it released comes again, what it finished does not',
    { timeout: TIMEOUT_MS },
    async () => {
      const [topic, group] = [unique('shared'), unique('share')];
      const server = await prepare(topic, group, ['accept', 'release', 'reject', 'renew', 'accept']);
      const running = member(topic, group, 'explicit');
      await running.line(/^record 1 2 release/);
      await eventually('the second commit', () => running.out.filter((line) => line === 'committed ok')[1]);
      await running.stop();
      const records = running.out.filter((line) => line.startsWith('record'));
      expect(running.out).toContain('renew 3');
      expect(records.toSorted()).toEqual(
        [
          'record 0 1 accept',
          'record 1 1 release',
          'record 2 1 reject',
          'record 3 1 renew',
          'record 4 1 accept',
          'record 1 2 release',
          'record 3 1 renew',
        ].toSorted(),
      );
      const described = await groupTool(server, '--describe', '--group', group);
      expect(described.out.join('\n')).toMatch(new RegExp(`${group}\\s+${topic}\\s+0\\s+\\d+\\s+0`));
    },
  );

  test(
    'a group goes on where it was after kill -9 and after a clean restart: nothing confirmed comes again, nothing is skipped',
    { timeout: TIMEOUT_MS },
    async () => {
      const [topic, group] = [unique('shared'), unique('share')];
      const first = Array.from({ length: 50 }, (_, index) => `a${index}`);
      const server = await prepare(topic, group, first);
      const running = member(topic, group, 'implicit');
      await running.line(/^record 49 /);
      await eventually('a commit', () => running.out.find((line) => line === 'committed ok'));
      await peer!.stop('SIGKILL');
      await peer!.restart();
      await javaTools().run('ConsoleProducer', [...server, '--topic', topic], 'b0\nb1\nb2\n');
      await running.line(/^record 52 /, 60_000);
      await running.stop();
      const offsets = running.out
        .filter((line) => line.startsWith('record'))
        .map((line) => Number(line.split(' ')[1]));
      expect(offsets).toEqual(Array.from({ length: 53 }, (_, index) => index));
    },
  );

  test(
    'the tools of share groups list, describe, reset and delete a group',
    { timeout: TIMEOUT_MS },
    async () => {
      const [topic, group] = [unique('shared'), unique('share')];
      const server = await prepare(topic, group, ['a', 'b', 'c']);
      const consume = () =>
        javaTools().run('consumer.ConsoleShareConsumer', [
          ...server,
          '--topic',
          topic,
          '--group',
          group,
          '--max-messages',
          '3',
          '--timeout-ms',
          '20000',
        ]);
      expect((await consume()).out).toEqual(['a', 'b', 'c']);
      expect((await groupTool(server, '--list')).out).toContain(group);
      expect((await groupTool(server, '--describe', '--group', group, '--state')).out.join('\n')).toContain(
        'Empty',
      );
      const reset = ['--reset-offsets', '--group', group, '--topic', topic, '--to-earliest', '--execute'];
      expect((await groupTool(server, ...reset)).out.join('\n')).toMatch(new RegExp(`${topic}\\s+0\\s+0`));
      expect((await consume()).out).toEqual(['a', 'b', 'c']);
      expect(
        (await groupTool(server, '--delete-offsets', '--group', group, '--topic', topic)).out.join('\n'),
      ).toContain('Successful');
      expect((await groupTool(server, '--delete', '--group', group)).out.join('\n')).toContain('successful');
      expect((await groupTool(server, '--list')).out).not.toContain(group);
    },
  );
});
