import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { connect, KafkaError, topic, type Consumer, type ConsumerOptions } from '@ottla/client';
import { ApiKeys } from '@ottla/protocol';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { eventually, interopFolder, type RunningTool } from '../src/index.ts';
import { absent, bootstrap, interop, javaTools, runProgram, title, unique } from './support.ts';

/** The client's consumer as a member of groups with Kafka's own clients. */
const ottla = connect({
  bootstrap,
  clientId: 'interop-consumer',
  defaultApiTimeoutMs: 20_000,
  metadataMaxAgeMs: 1_000,
});
const admin = ottla.admin();
const versions = [...(await admin.cluster.apiVersions()).values()][0]!;
// Version 0 is the preview of Kafka 3.
const hasNewProtocol =
  !(versions instanceof KafkaError) && (versions.get(ApiKeys.ConsumerGroupHeartbeat)?.max ?? 0) > 0;
afterAll(() => ottla.close());

/** A member of any client: what it was assigned last, what it read, and how it leaves. */
interface Member {
  readonly name: string;
  assignment(): readonly number[];
  records(): readonly string[];
  leave(): Promise<unknown>;
}

function fromLines(lines: () => readonly string[]): Pick<Member, 'assignment' | 'records'> {
  return {
    assignment: () =>
      (lines().findLast((line) => line.startsWith('assigned')) ?? 'assigned')
        .split(' ')
        .slice(1)
        .filter(Boolean)
        .map(Number),
    records: () =>
      lines()
        .filter((line) => line.startsWith('record '))
        .map((line) => line.split(' ')[3]!),
  };
}

function javaMember(name: string, group: string, ...properties: string[]): Member & { tool: RunningTool } {
  const tool = javaTools().start('GroupMember', [
    name,
    `bootstrap.servers=${bootstrap}`,
    `group.id=${group}`,
    'auto.commit.interval.ms=100',
    ...properties,
  ]);
  return { name: 'java', tool, ...fromLines(() => tool.out), leave: () => tool.stop() };
}

function librdkafkaMember(name: string, group: string, strategy: string): Member {
  if ('absent' in interop.python) throw new Error(interop.python.absent);
  const script = join(interopFolder, 'python', 'librdkafka.py');
  const child: ChildProcess = spawn(
    interop.python.path,
    [script, 'member', bootstrap, name, group, strategy],
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

interface OurMember extends Member {
  readonly consumer: Consumer;
  readonly events: string[];
}

function ourMember(
  name: string | { readonly pattern: RegExp },
  group: string,
  options: ConsumerOptions,
): OurMember {
  const events: string[] = [];
  const note = (what: string) => (partitions: readonly { partition: number }[]) => {
    events.push(`${what} ${partitions.map(({ partition }) => partition).sort()}`);
  };
  const consumer = ottla.consumer(name, {
    group,
    from: 'earliest',
    autoCommitIntervalMs: 100,
    onAssigned: note('assigned'),
    onRevoked: note('revoked'),
    onLost: note('lost'),
    ...options,
  }) as unknown as Consumer;
  const records: string[] = [];
  const read = async () => {
    for await (const message of consumer) records.push(String(message.value));
  };
  const done = read();
  // A failure shows where the member is left.
  done.catch(() => {});
  return {
    name: 'ottla',
    consumer,
    events,
    assignment: () => consumer.assignment.map(({ partition }) => partition),
    records: () => records,
    leave: async () => {
      await consumer.close();
      await done;
    },
  };
}

const running: Member[] = [];
const joined = <T extends Member>(member: T): T => {
  running.push(member);
  return member;
};
afterEach(async () => {
  await Promise.all(running.splice(0).map((member) => member.leave()));
});

/** Waits until the members share partitions 0 to 5, each with `each` of them. */
function shared(members: readonly Member[], each: number): Promise<true> {
  const state = () => members.map((member) => `${member.name}:[${member.assignment()}]`).join(' ');
  return eventually(
    `Six partitions shared by ${members.length} members`,
    () => {
      const all = members.flatMap((member) => [...member.assignment()]).toSorted((a, b) => a - b);
      const isEven = members.every((member) => member.assignment().length === each);
      return isEven && all.join() === '0,1,2,3,4,5' ? true : undefined;
    },
    40_000,
  ).catch((error: Error) => Promise.reject(new Error(`${error.message}: ${state()}`)));
}

/** Writes values to a topic, round the six partitions, by Kafka's own producer. */
async function write(name: string, values: readonly string[]): Promise<void> {
  const lines = values.map((value, index) => `k${index}:${value}\n`).join('');
  const { code, err } = await javaTools().run(
    'ConsoleProducer',
    [
      '--bootstrap-server',
      bootstrap,
      '--topic',
      name,
      '--reader-property',
      'parse.key=true',
      '--reader-property',
      'key.separator=:',
    ],
    lines,
  );
  expect(code, err.join('\n')).toBe(0);
}

const numbered = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}-${i}`);

async function readBy(members: readonly Member[], values: readonly string[]): Promise<void> {
  const read = () =>
    members.flatMap((member) => [...member.records()]).filter((value) => values.includes(value));
  await eventually(
    `${values.length} records read`,
    () => (read().length >= values.length ? true : undefined),
    20_000,
  );
  expect(read().toSorted()).toEqual(values.toSorted());
}

const strategies = {
  range: 'org.apache.kafka.clients.consumer.RangeAssignor',
  roundrobin: 'org.apache.kafka.clients.consumer.RoundRobinAssignor',
  sticky: 'org.apache.kafka.clients.consumer.StickyAssignor',
  'cooperative-sticky': 'org.apache.kafka.clients.consumer.CooperativeStickyAssignor',
} as const;

describe.skipIf(absent(interop.java))(title('classic groups with Java members', interop.java), () => {
  test.each(Object.keys(strategies) as (keyof typeof strategies)[])(
    '%s: partitions are shared with a Java member, move when one leaves, and each record is read once',
    async (strategy) => {
      const [name, group] = [unique(strategy), unique('group')];
      await admin.topics.ensure(topic(name, { partitions: 6 }));
      const java = javaMember(
        name,
        group,
        `partition.assignment.strategy=${strategies[strategy]}`,
        'session.timeout.ms=10000',
      );
      joined(java);
      await java.tool.line(/^assigned 0 1 2 3 4 5$/);
      const ours = joined(
        ourMember(name, group, { assignors: [strategy], sessionTimeoutMs: 10_000, heartbeatIntervalMs: 500 }),
      );
      await shared([java, ours], 3);
      const first = numbered('first', 60);
      await write(name, first);
      await readBy([java, ours], first);
      await java.leave();
      await shared([ours], 6);
      const second = numbered('second', 60);
      await write(name, second);
      await readBy([ours], second);
      // Nothing was given up for a member that only left.
      const revoked = ours.events.filter((event) => event.startsWith('revoked'));
      if (strategy === 'cooperative-sticky') expect(revoked).toEqual([]);
      else expect(revoked.length).toBeGreaterThan(0);
      expect(ours.events.filter((event) => event.startsWith('lost'))).toEqual([]);
      const described = await admin.groups.describe(group);
      expect(described.members).toHaveLength(1);
      await ours.leave();
      const offsets = await eventually('Everything committed', async () => {
        const status = await admin.groups.describe(group);
        return status.lag === 0 ? status.offsets : undefined;
      });
      expect(offsets.reduce((sum, { committed }) => sum + (committed ?? 0), 0)).toBe(120);
    },
  );

  test('we lead, a Java member follows: our assignment is taken', async () => {
    const [name, group] = [unique('led'), unique('group')];
    await admin.topics.ensure(topic(name, { partitions: 6 }));
    const ours = joined(ourMember(name, group, { heartbeatIntervalMs: 500 }));
    await shared([ours], 6);
    const java = joined(javaMember(name, group));
    await shared([ours, java], 3);
    // The leader notices new partitions when its metadata is fetched again.
    await admin.topics.createPartitions({ [name]: 8 });
    await eventually('The new partitions assigned', () =>
      [...ours.assignment(), ...java.assignment()].length === 8 ? true : undefined,
    );
  });

  test('a static member that comes back gets its partitions without a rebalance of the others', async () => {
    const [name, group] = [unique('static'), unique('group')];
    await admin.topics.ensure(topic(name, { partitions: 6 }));
    const stays = joined(javaMember(name, group, 'group.instance.id=stays'));
    const returns = ourMember(name, group, { groupInstanceId: 'returns', heartbeatIntervalMs: 500 });
    await shared([stays, returns], 3);
    const had = [...returns.assignment()].sort();
    const rebalances = () => stays.tool.out.filter((line) => line.startsWith('assigned')).length;
    const before = rebalances();
    await returns.leave();
    const again = joined(ourMember(name, group, { groupInstanceId: 'returns', heartbeatIntervalMs: 500 }));
    await eventually('Its partitions back', () => (again.assignment().length === 3 ? true : undefined));
    expect([...again.assignment()].sort()).toEqual(had);
    expect(rebalances()).toBe(before);
  });
});

describe.skipIf(absent(interop.java) || absent(interop.python))(
  'classic groups of Java, librdkafka and our members',
  () => {
    test.each(['range', 'cooperative-sticky'] as const)(
      '%s: three share, one leaves, the others take over',
      async (strategy) => {
        const [name, group] = [unique('three'), unique('group')];
        await admin.topics.ensure(topic(name, { partitions: 6 }));
        const java = joined(javaMember(name, group, `partition.assignment.strategy=${strategies[strategy]}`));
        const native = joined(librdkafkaMember(name, group, strategy));
        const ours = joined(ourMember(name, group, { assignors: [strategy], heartbeatIntervalMs: 500 }));
        await shared([java, native, ours], 2);
        const first = numbered('first', 60);
        await write(name, first);
        await readBy([java, native, ours], first);
        await ours.leave();
        await shared([java, native], 3);
      },
    );
  },
);

describe.skipIf(absent(interop.java) || !hasNewProtocol)(title('groups of KIP-848', interop.java), () => {
  test.each(['uniform', 'range'])(
    '%s: partitions are shared with a Java member, and move back',
    async (remoteAssignor) => {
      const [name, group] = [unique('new'), unique('group')];
      await admin.topics.ensure(topic(name, { partitions: 6 }));
      const java = javaMember(
        name,
        group,
        'group.protocol=consumer',
        `group.remote.assignor=${remoteAssignor}`,
      );
      joined(java);
      await java.tool.line(/^assigned 0 1 2 3 4 5$/);
      const ours = joined(ourMember(name, group, { groupProtocol: 'consumer', remoteAssignor }));
      await shared([java, ours], 3);
      const first = numbered('first', 60);
      await write(name, first);
      await readBy([java, ours], first);
      await java.leave();
      await shared([ours], 6);
      const second = numbered('second', 60);
      await write(name, second);
      await readBy([ours], second);
      expect(ours.events.filter((event) => /^(lost|revoked)/.test(event))).toEqual([]);
      await ours.leave();
      const { lag, members } = await admin.groups.describe(group);
      expect(members).toEqual([]);
      expect(lag).toBe(0);
    },
  );

  test('a pattern is matched by the broker, also for topics that come later', async () => {
    const prefix = unique('pattern');
    const group = unique('group');
    await admin.topics.ensure(topic(`${prefix}.a`, { partitions: 2 }));
    const ours = joined(
      ourMember({ pattern: new RegExp(`${prefix.replaceAll('-', '\\-')}\\..*`) }, group, {
        groupProtocol: 'consumer',
      }),
    );
    await eventually(
      'The first topic assigned',
      () => (ours.assignment().length === 2 ? true : undefined),
      20_000,
    );
    await write(`${prefix}.a`, numbered('a', 10));
    await readBy([ours], numbered('a', 10));
  });

  test('a member that is fenced loses its partitions and joins again', async () => {
    const [name, group] = [unique('fence'), unique('group')];
    await admin.topics.ensure(topic(name, { partitions: 6 }));
    const ours = joined(ourMember(name, group, { groupProtocol: 'consumer', maxPollIntervalMs: 60_000 }));
    await shared([ours], 6);
    // A stuck application: the member leaves by itself, and is back when it goes on.
    const stuck = ottla.consumer(name, {
      group,
      from: 'earliest',
      groupProtocol: 'consumer',
      maxPollIntervalMs: 2_000,
    });
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const loop = (async () => {
      for await (const _ of stuck) await gate;
    })();
    const other = {
      name: 'stuck',
      assignment: () => stuck.assignment.map(({ partition }) => partition),
      records: () => [],
      leave: () => stuck.close(),
    };
    joined(other);
    await shared([ours, other], 3);
    await write(name, numbered('x', 60));
    await eventually('The stuck member has left', () => (stuck.assignment.length === 0 ? true : undefined));
    await shared([ours], 6);
    open();
    await shared([ours, other], 3);
    await stuck.close();
    await loop;
  });
});

describe.skipIf(absent(interop.python))(title('transactions of librdkafka', interop.python), () => {
  test('read_committed gets what was committed, once and in order; read_uncommitted what was aborted too', async () => {
    const name = unique('transactions');
    const script = join(interopFolder, 'python', 'librdkafka.py');
    await runProgram(interop.python, [script, 'transactions', bootstrap, name]);
    const read = async (isolationLevel: 'read_committed' | 'read_uncommitted') => {
      await using consumer = ottla.consumer(name, { from: 'earliest', isolationLevel });
      const places = [0, 1].map((partition) => ({ topic: name, partition }));
      const end = await consumer.offsets('latest', places);
      const last = end.reduce((sum, { offset }) => sum + offset, 0);
      const values: number[] = [];
      const stop = async () => {
        await eventually('The ends reached', () =>
          consumer.lag().length === 2 && consumer.lag().every(({ lag }) => lag === 0) ? true : undefined,
        );
        await consumer.close();
      };
      const stopped = stop();
      for await (const { value } of consumer) values.push(Number(value));
      await stopped;
      return { values, last };
    };
    const committed = await read('read_committed');
    expect(committed.values.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    const all = await read('read_uncommitted');
    expect(all.values.length).toBeGreaterThan(100);
    // Markers take offsets and are nobody's records.
    expect(all.last).toBeGreaterThan(all.values.length);
  });
});
