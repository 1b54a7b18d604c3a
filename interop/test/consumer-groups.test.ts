import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually, interopFolder, type RunningTool } from '../src/index.ts';
import { absent, bootstrap, interop, javaTools, unique } from './support.ts';

const CONSUMER = ['group.protocol=consumer'];
const CLASSIC = [
  'group.protocol=classic',
  'session.timeout.ms=10000',
  'heartbeat.interval.ms=500',
  'partition.assignment.strategy=org.apache.kafka.clients.consumer.CooperativeStickyAssignor',
];
const GROUP_COMMAND = 'consumer.group.ConsumerGroupCommand';

/** A consumer: what it was given last, and what it read. */
interface Member {
  assignment(): readonly number[];
  values(): readonly string[];
}

const running: RunningTool[] = [];

function fromLines(lines: () => readonly string[]): Member {
  return {
    assignment: () =>
      (lines().findLast((line) => line.startsWith('assigned')) ?? '')
        .split(' ')
        .slice(1)
        .filter(Boolean)
        .map(Number),
    values: () =>
      lines()
        .filter((line) => line.startsWith('record '))
        .map((line) => line.split(' ')[3]!),
  };
}

/** A librdkafka consumer of the consumer protocol; `leave` ends it. */
function librdkafkaMember(topic: string, group: string): Member & { leave(): Promise<unknown> } {
  if ('absent' in interop.python) throw new Error(interop.python.absent);
  const script = join(interopFolder, 'python', 'librdkafka.py');
  const child = spawn(interop.python.path, [script, 'member', bootstrap, topic, group, 'consumer'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  const leave = (): Promise<unknown> =>
    new Promise((resolve) => {
      child.once('exit', resolve);
      child.stdin.end();
    });
  return { ...fromLines(() => lines), leave };
}

function member(topic: string, group: string, settings: readonly string[]): Member & { tool: RunningTool } {
  const tool = javaTools().start('GroupMember', [
    topic,
    `bootstrap.servers=${bootstrap}`,
    `group.id=${group}`,
    'auto.commit.interval.ms=100',
    ...settings,
  ]);
  running.push(tool);
  return { tool, ...fromLines(() => tool.out) };
}

async function createTopic(topic: string): Promise<void> {
  const args = ['--bootstrap-server', bootstrap, '--create', '--topic', topic, '--partitions', '6'];
  const created = await javaTools().run('TopicCommand', args);
  expect(created.code).toBe(0);
}

async function write(topic: string, values: readonly string[]): Promise<void> {
  const written = await javaTools().run(
    'ConsoleProducer',
    ['--bootstrap-server', bootstrap, '--topic', topic],
    values.map((value) => `${value}\n`).join(''),
  );
  expect(written.code).toBe(0);
}

async function groupCommand(...args: string[]): Promise<string> {
  const result = await javaTools().run(GROUP_COMMAND, ['--bootstrap-server', bootstrap, ...args]);
  return result.out.join('\n');
}

/** Waits until the members share partitions 0 to 5 evenly. */
function shared(members: readonly Member[]): Promise<true> {
  return eventually(
    `Six partitions shared by ${members.length} members`,
    () => {
      const all = members.flatMap((each) => [...each.assignment()]).toSorted((a, b) => a - b);
      const isEven = members.every((each) => each.assignment().length === 6 / members.length);
      return isEven && all.join() === '0,1,2,3,4,5' ? true : undefined;
    },
    40_000,
  );
}

/** Waits until everything is read, and returns all that was. */
async function allRead(members: readonly Member[], values: readonly string[]): Promise<string[]> {
  const read = (): string[] => members.flatMap((each) => [...each.values()]);
  await eventually(
    `${values.length} records read`,
    () => (values.every((value) => read().includes(value)) ? true : undefined),
    40_000,
  );
  return read();
}

const values = (prefix: string): string[] => Array.from({ length: 60 }, (_, i) => `${prefix}-${i}`);

afterEach(async () => {
  await Promise.all(running.splice(0).map((tool) => tool.stop()));
});

describe.skipIf(absent(interop.java))('Java members of the consumer protocol (KIP-848)', () => {
  test('share the partitions, read each record once, and take over from one that leaves', async () => {
    const [topic, group] = [unique('kip848'), unique('kip848-group')];
    await createTopic(topic);
    const [first, second] = [member(topic, group, CONSUMER), member(topic, group, CONSUMER)];
    await shared([first, second]);
    await write(topic, values('one'));
    expect((await allRead([first, second], values('one'))).toSorted()).toEqual(values('one').toSorted());
    expect(await groupCommand('--describe', '--group', group, '--members', '--verbose')).toMatch(
      /CURRENT-EPOCH/,
    );
    const state = await groupCommand('--describe', '--group', group, '--state', '--verbose');
    expect(state).toMatch(/uniform\s+Stable/);
    expect(await groupCommand('--list', '--type', 'consumer', '--state')).toContain(group);
    await second.tool.stop();
    await shared([first]);
    await write(topic, values('two'));
    await allRead([first], values('two'));
    await first.tool.stop();
    await eventually(
      'The group deleted',
      async () => {
        const deleted = await groupCommand('--delete', '--group', group);
        return deleted.includes('was successful') ? true : undefined;
      },
      20_000,
    );
  });

  test('take a classic group over while it reads, and leave it to the classic member again', async () => {
    const [topic, group] = [unique('migrates'), unique('migrates-group')];
    await createTopic(topic);
    const classic = member(topic, group, CLASSIC);
    await shared([classic]);
    await write(topic, values('classic'));
    const modern = member(topic, group, CONSUMER);
    await write(topic, values('during'));
    await shared([classic, modern]);
    await write(topic, values('mixed'));
    const read = await allRead(
      [classic, modern],
      [...values('classic'), ...values('during'), ...values('mixed')],
    );
    expect(read.filter((value) => value.startsWith('mixed')).length).toBe(60);
    expect(await groupCommand('--list', '--type', 'consumer')).toContain(group);
    await modern.tool.stop();
    await shared([classic]);
    await write(topic, values('after'));
    await allRead([classic], values('after'));
    expect(await groupCommand('--list', '--type', 'classic')).toContain(group);
  });
});

describe.skipIf(absent(interop.java) || absent(interop.python))('librdkafka in the consumer protocol', () => {
  test('shares a group with a Java member, and hands everything over when it leaves', async () => {
    const [topic, group] = [unique('kip848-native'), unique('kip848-native-group')];
    await createTopic(topic);
    const java = member(topic, group, CONSUMER);
    const native = librdkafkaMember(topic, group);
    await shared([java, native]);
    await write(topic, values('one'));
    expect((await allRead([java, native], values('one'))).toSorted()).toEqual(values('one').toSorted());
    await native.leave();
    await shared([java]);
    await write(topic, values('two'));
    await allRead([java], values('two'));
  });
});
