import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { AssignerProtocol, Kafka, logLevel, type Consumer, type PartitionAssigner } from 'kafkajs';
import { afterEach, describe, expect, test } from 'vitest';
import { delay, eventually, interopFolder, type RunningTool } from '../src/index.ts';
import { absent, bootstrap, interop, javaTools, unique } from './support.ts';

/** A group member of any client: what it was assigned last, what it read, and how it leaves. */
interface Member {
  readonly name: string;
  assignment(): readonly number[];
  records(): readonly string[];
  leave(): Promise<unknown>;
}

const partitionsOf = (line: string) => line.split(' ').slice(1).filter(Boolean).map(Number);

/** Reads the lines that `GroupMember.java` and `librdkafka.py member` print. */
function fromLines(lines: () => readonly string[]): Pick<Member, 'assignment' | 'records'> {
  return {
    assignment: () => partitionsOf(lines().findLast((line) => line.startsWith('assigned')) ?? 'assigned'),
    records: () =>
      lines()
        .filter((line) => line.startsWith('record '))
        .map((line) => line.split(' ')[3]!),
  };
}

function javaMember(topic: string, group: string, ...properties: string[]): Member & { tool: RunningTool } {
  const settings = [
    `bootstrap.servers=${bootstrap}`,
    `group.id=${group}`,
    'session.timeout.ms=10000',
    'auto.commit.interval.ms=100',
    'partition.assignment.strategy=org.apache.kafka.clients.consumer.RoundRobinAssignor',
    ...properties,
  ];
  const tool = javaTools().start('GroupMember', [topic, ...settings]);
  return { name: 'java', tool, ...fromLines(() => tool.out), leave: () => tool.stop() };
}

function librdkafkaMember(topic: string, group: string): Member {
  if ('absent' in interop.python) throw new Error(interop.python.absent);
  const script = join(interopFolder, 'python', 'librdkafka.py');
  const child: ChildProcess = spawn(
    interop.python.path,
    [script, 'member', bootstrap, topic, group, 'roundrobin'],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const lines: string[] = [];
  createInterface({ input: child.stdout! }).on('line', (line) => lines.push(line));
  const leave = () =>
    new Promise((resolve) => {
      if (child.exitCode !== null) return resolve(undefined);
      child.once('exit', resolve);
      child.stdin!.end();
    });
  return { name: 'librdkafka', ...fromLines(() => lines), leave };
}

/** kafkajs names its assigner in a way of its own; this one carries the name and the rule that the others use. */
const roundRobin: PartitionAssigner = ({ cluster }) => ({
  name: 'roundrobin',
  version: 0,
  async assign({ members, topics }) {
    const ids = members.map(({ memberId }) => memberId).toSorted();
    const partitions = topics.flatMap((topic) =>
      cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => ({ topic, partitionId })),
    );
    return ids.map((memberId, index) => {
      const assignment: Record<string, number[]> = {};
      for (const [i, { topic, partitionId }] of partitions.entries()) {
        if (i % ids.length === index) (assignment[topic] ??= []).push(partitionId);
      }
      return {
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({
          version: 0,
          assignment,
          userData: Buffer.alloc(0),
        }),
      };
    });
  },
  protocol: ({ topics }) => ({
    name: 'roundrobin',
    metadata: AssignerProtocol.MemberMetadata.encode({ version: 0, topics, userData: Buffer.alloc(0) }),
  }),
});

async function kafkajsMember(topic: string, group: string): Promise<Member> {
  const kafka = new Kafka({ clientId: 'mixed', brokers: [bootstrap], logLevel: logLevel.NOTHING });
  const consumer: Consumer = kafka.consumer({
    groupId: group,
    partitionAssigners: [roundRobin],
    sessionTimeout: 10_000,
    heartbeatInterval: 300,
  });
  let assignment: readonly number[] = [];
  const records: string[] = [];
  consumer.on(
    consumer.events.GROUP_JOIN,
    ({ payload }) => (assignment = payload.memberAssignment[topic] ?? []),
  );
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommitInterval: 100,
    eachMessage: async ({ message }) => void records.push(String(message.value)),
  });
  return {
    name: 'kafkajs',
    assignment: () => assignment,
    records: () => records,
    leave: () => consumer.disconnect(),
  };
}

const kafka = new Kafka({ clientId: 'groups', brokers: [bootstrap], logLevel: logLevel.NOTHING });

async function createTopic(topic: string, numPartitions: number): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions }] });
  await admin.disconnect();
}

async function write(topic: string, values: readonly string[]): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic, messages: values.map((value, i) => ({ value, partition: i % 6 })) });
  await producer.disconnect();
}

/** Waits until the members share partitions 0 to 5, each with `each` of them. */
function shared(members: readonly Member[], each: number): Promise<true> {
  const state = () => members.map((member) => `${member.name}:[${member.assignment()}]`).join(' ');
  return eventually(
    `Six partitions shared by ${members.length} members`,
    () => {
      const all = members.flatMap((member) => [...member.assignment()]).toSorted((a, b) => a - b);
      const even = members.every((member) => member.assignment().length === each);
      return even && all.join() === '0,1,2,3,4,5' ? true : undefined;
    },
    40_000,
  ).catch((error: Error) => Promise.reject(new Error(`${error.message}: ${state()}`)));
}

const running: Member[] = [];
const joined = <T extends Member>(member: T): T => {
  running.push(member);
  return member;
};

/** A member that cannot leave is a finding of its own, with its name. */
function leaves(member: Member): Promise<unknown> {
  const late = delay(20_000).then(() => {
    throw new Error(`The ${member.name} member did not leave within 20 s`);
  });
  return Promise.race([member.leave(), late]);
}

afterEach(async () => {
  await Promise.all(running.splice(0).map(leaves));
});

describe.skipIf(absent(interop.java) || absent(interop.python))(
  'groups of kafkajs, Java and librdkafka members',
  () => {
    test('share the partitions, read each record once, and take over from one that leaves', async () => {
      const [topic, group] = [unique('mixed'), unique('mixed-group')];
      await createTopic(topic, 6);
      const [java, native] = [joined(javaMember(topic, group)), joined(librdkafkaMember(topic, group))];
      const node = joined(await kafkajsMember(topic, group));
      await shared([java, native, node], 2);
      const first = Array.from({ length: 60 }, (_, i) => `first ${i}`.replace(' ', '-'));
      await write(topic, first);
      const read = () => [java, native, node].flatMap((member) => [...member.records()]);
      await eventually('All records read', () => (read().length >= 60 ? true : undefined));
      expect(read().toSorted()).toEqual(first.toSorted());
      for (const member of [java, native, node]) expect(member.records()).toHaveLength(20);

      await node.leave();
      await shared([java, native], 3);
      const second = Array.from({ length: 60 }, (_, i) => `second-${i}`);
      await write(topic, second);
      const seconds = () =>
        [java, native].flatMap((member) => member.records().filter((value) => value.startsWith('second')));
      await eventually('All later records read', () => (seconds().length >= 60 ? true : undefined));
      expect(seconds().toSorted()).toEqual(second.toSorted());
    });
  },
);

describe.skipIf(absent(interop.java))('static members', () => {
  test('a static Java member that restarts gets its partitions back without a rebalance of the others', async () => {
    const [topic, group] = [unique('static'), unique('static-group')];
    await createTopic(topic, 6);
    const stays = joined(javaMember(topic, group, 'group.instance.id=stays', 'session.timeout.ms=30000'));
    const returns = joined(javaMember(topic, group, 'group.instance.id=returns', 'session.timeout.ms=30000'));
    await shared([stays, returns], 3);
    const rebalances = () => stays.tool.out.filter((line) => line.startsWith('assigned')).length;
    const before = rebalances();
    const had = [...returns.assignment()];
    await returns.leave();
    const again = joined(javaMember(topic, group, 'group.instance.id=returns', 'session.timeout.ms=30000'));
    await again.tool.line(/^assigned \d/);
    expect(again.assignment()).toEqual(had);
    expect(rebalances()).toBe(before);
  });

  test('a second member with the same instance id fences the first', async () => {
    const [topic, group] = [unique('fenced'), unique('fenced-group')];
    await createTopic(topic, 6);
    const first = joined(javaMember(topic, group, 'group.instance.id=one'));
    await first.tool.line(/^assigned 0 1 2 3 4 5$/);
    const second = joined(javaMember(topic, group, 'group.instance.id=one'));
    await second.tool.line(/^assigned 0 1 2 3 4 5$/);
    expect((await first.tool.done).err.join('\n')).toMatch(/FencedInstanceIdException/);
  });
});
