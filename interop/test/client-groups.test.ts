import { ApiKeys } from '@ottla/protocol';
import { connect, KafkaError, topic, type OffsetReset } from '@ottla/client';
import { afterAll, describe, expect, test } from 'vitest';
import { eventually, type RunningTool } from '../src/index.ts';
import { absent, bootstrap, interop, javaTools, title, unique } from './support.ts';

/** The client's admin beside Kafka's own consumers and tools. */
const ottla = connect({ bootstrap, clientId: 'interop-groups', defaultApiTimeoutMs: 20_000 });
const admin = ottla.admin();
const versions = [...(await admin.cluster.apiVersions()).values()][0]!;
// Version 0 is the preview of Kafka 3.
const hasNewProtocol =
  !(versions instanceof KafkaError) && (versions.get(ApiKeys.ConsumerGroupHeartbeat)?.max ?? 0) > 0;
const hasTransactions = !(versions instanceof KafkaError) && versions.has(ApiKeys.DescribeTransactions);
afterAll(() => ottla.close());

async function filled(name: string, partitions: number, lines: readonly string[]): Promise<void> {
  await admin.topics.ensure({ name, partitions });
  const tool = await javaTools().run(
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
    lines.map((line) => `${line}\n`).join(''),
  );
  expect(tool.code, tool.err.join('\n')).toBe(0);
}

function member(name: string, group: string, ...properties: string[]): RunningTool {
  return javaTools().start('GroupMember', [
    name,
    `bootstrap.servers=${bootstrap}`,
    `group.id=${group}`,
    'auto.commit.interval.ms=100',
    ...properties,
  ]);
}

describe.skipIf(absent(interop.java))(title('client admin beside Java consumers', interop.java), () => {
  const lines = Array.from({ length: 40 }, (_, i) => `k${i}:v${i}`);

  test('a classic group: members, assignment and lag; no reset while it runs; members can be removed', async () => {
    const name = unique('watched');
    const group = unique('java');
    await filled(name, 3, lines);
    const java = member(name, group, 'client.id=java-1', 'session.timeout.ms=10000');
    await java.line(/^assigned 0 1 2/);
    const described = await eventually('The lag to be gone', async () => {
      const status = await admin.groups.describe(group);
      return status.state === 'Stable' && status.lag === 0 ? status : undefined;
    });
    expect(described).toMatchObject({ type: 'classic', protocolType: 'consumer', assignor: 'range' });
    expect(described.members).toMatchObject([{ clientId: 'java-1', subscription: [name] }]);
    expect(described.members[0]!.assignment.map(({ partition }) => partition).sort()).toEqual([0, 1, 2]);
    expect(described.offsets.every(({ memberId }) => memberId === described.members[0]!.memberId)).toBe(true);
    expect((await admin.groups.list({ states: ['Stable'] })).map(({ groupId }) => groupId)).toContain(group);
    await expect(admin.groups.resetOffsets(group, name, 'earliest')).rejects.toMatchObject({
      name: 'NON_EMPTY_GROUP',
    });
    await expect(admin.groups.delete(group)).rejects.toMatchObject({ name: 'NON_EMPTY_GROUP' });
    const removed = await admin.groups.removeMembers(group, 'all', { reason: 'test' });
    expect(removed).toMatchObject([{ memberId: described.members[0]!.memberId, error: null }]);
    await java.stop();
    await admin.groups.resetOffsets(group, name, 'earliest');
    expect((await admin.groups.describe(group)).lag).toBe(40);
  });

  test.skipIf(!hasNewProtocol)(
    `a group of the new protocol${hasNewProtocol ? '' : ` (skipped: ${interop.kind} does not serve ConsumerGroupHeartbeat)`}`,
    async () => {
      const name = unique('watched');
      const group = unique('java');
      await filled(name, 2, lines);
      const java = member(name, group, 'group.protocol=consumer');
      await java.line(/^assigned 0 1/);
      const described = await eventually('The lag to be gone', async () => {
        const status = await admin.groups.describe(group);
        return status.state === 'Stable' && status.lag === 0 ? status : undefined;
      });
      expect(described).toMatchObject({ type: 'consumer', assignor: 'uniform' });
      expect(described.members[0]).toMatchObject({ subscription: [name], memberEpoch: described.groupEpoch });
      expect(described.members[0]!.assignment).toHaveLength(2);
      expect(described.members[0]!.targetAssignment).toHaveLength(2);
      expect((await admin.groups.list({ types: ['consumer'] })).map(({ groupId }) => groupId)).toContain(
        group,
      );
      await java.stop();
    },
  );

  test('plans of a reset are those of kafka-consumer-groups', async () => {
    const events = topic(unique('reset'), { partitions: 3 });
    const group = unique('reset');
    await filled(events.name, 3, lines);
    await admin.groups.alterOffsets(
      group,
      [0, 1, 2].map((partition) => ({ topic: events.name, partition, offset: partition + 1 })),
    );
    const ways: [OffsetReset, string[]][] = [
      ['earliest', ['--to-earliest']],
      ['latest', ['--to-latest']],
      ['current', ['--to-current']],
      [{ shiftBy: 2 }, ['--shift-by', '2']],
      [{ shiftBy: -100 }, ['--shift-by', '-100']],
      [{ offset: 3 }, ['--to-offset', '3']],
      [{ offset: 1_000 }, ['--to-offset', '1000']],
      [new Date('2020-01-01T00:00:00Z'), ['--to-datetime', '2020-01-01T00:00:00.000Z']],
      [new Date(Date.now() + 3_600_000), ['--to-datetime', new Date(Date.now() + 3_600_000).toISOString()]],
      [{ durationMs: 86_400_000 }, ['--by-duration', 'P1D']],
    ];
    for (const [to, args] of ways) {
      const plan = await admin.groups.resetOffsets(group, events, to, { dryRun: true });
      const tool = await javaTools().run('consumer.group.ConsumerGroupCommand', [
        '--bootstrap-server',
        bootstrap,
        '--group',
        group,
        '--topic',
        events.name,
        '--reset-offsets',
        '--dry-run',
        ...args,
      ]);
      expect(tool.code, tool.err.join('\n')).toBe(0);
      const theirs = tool.out
        .map((line) => line.trim().split(/\s+/))
        .filter(([own]) => own === group)
        .map(([, , partition, offset]) => [Number(partition), Number(offset)])
        .sort((a, b) => a[0]! - b[0]!);
      expect(
        plan.map(({ partition, to: offset }) => [partition, offset]),
        args.join(' '),
      ).toEqual(theirs);
    }
  });

  test('offsets, records deleted and the ends of a filled topic', async () => {
    const name = unique('ends');
    await filled(name, 1, lines);
    const offsetAt = async (spec: Parameters<typeof admin.offsets.list>[1]): Promise<number> => {
      const [found] = await admin.offsets.list(name, spec);
      if (found!.error !== null) throw found!.error;
      return found!.offset;
    };
    expect([await offsetAt('earliest'), await offsetAt('latest')]).toEqual([0, 40]);
    expect(await offsetAt(new Date(0))).toBe(0);
    expect(await offsetAt('max-timestamp')).toBeGreaterThanOrEqual(0);
    expect(await admin.offsets.deleteRecords([{ topic: name, partition: 0, beforeOffset: 15 }])).toEqual([
      { topic: name, partition: 0, lowWatermark: 15, error: null },
    ]);
    expect([await offsetAt('earliest'), await offsetAt('latest')]).toEqual([15, 40]);
  });

  test.skipIf(!hasTransactions)(
    `an idempotent producer is seen in its partition${hasTransactions ? '' : ` (skipped: ${interop.kind} does not serve DescribeTransactions)`}`,
    async () => {
      const name = unique('producers');
      await filled(name, 1, lines);
      const [partition] = await admin.transactions.describeProducers([{ topic: name, partition: 0 }]);
      expect(partition).toMatchObject({ error: null, producers: [{ producerEpoch: 0, lastSequence: 39 }] });
    },
  );
});
