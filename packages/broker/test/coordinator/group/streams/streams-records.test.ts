import { describe, expect, it } from 'vitest';
import { groupRecordSerde, replaysAtAppend } from '../../../../src/coordinator/group/group-records.ts';
import { MemberState } from '../../../../src/coordinator/group/streams/streams-member.ts';
import { StreamsGroups } from '../../../../src/coordinator/group/streams/streams-groups.ts';
import type { StreamsGroupRecord } from '../../../../src/coordinator/group/streams/streams-records.ts';

/** Keys and values as Apache Kafka 4.3.1 wrote them to `__consumer_offsets`; the groups are called `g`. */
const WRITTEN_BY_KAFKA: readonly (readonly [name: string, key: string, value: string | null])[] = [
  [
    'topology with a repartition topic and a copartition group',
    '0017000167',
    '00000000000003023002037431010101020272000000050000010002020000010200000000023102037432010102027201010000',
  ],
  ['topology with a store', '0017000167', '00000000000002023002037431010203743100000000000001000101010000'],
  ['deleted topology', '0017000167', null],
  [
    'member',
    '001300016700026d31',
    '00000003723207636c69656e740b2f3132372e302e302e310000753000000000066f74686572ff02057a6f6e65037a310000',
  ],
  [
    'member that can be asked for its state',
    '001300016700026d31',
    '00000003723207636c69656e740b2f3132372e302e302e31000075300000000005702d6d3101036831ffff000100',
  ],
  ['deleted member', '001300016700026d31', null],
  ['target epoch', '0014000167', '000000000002010008000001a21b033101'],
  [
    'target of a member, with standbys',
    '001500016700026d31',
    '0000020230020000000100020230030000000000000002000100',
  ],
  ['target of a member without tasks', '001500016700026d34', '000001010100'],
  ['assignment of a member without tasks', '001600016700026d32', '000000000003000000000301010101010100'],
  [
    'assignment of a member, with epochs and standbys',
    '001600016700026d33',
    '000000000004000000010102023002000000000100050200000004020230030000000100000002000101010100',
  ],
  [
    'assignment of a member that gives tasks up',
    '001600016700026d31',
    '0000000000020000000202020230030000000000000001010009030000000200000002010102023002000000020100050200000002010100',
  ],
  ['deleted assignment', '001600016700026d31', null],
];

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

function decode(key: string, value: string | null): StreamsGroupRecord {
  return groupRecordSerde.decode(hex(key), value === null ? null : hex(value)) as StreamsGroupRecord;
}

describe('records of streams groups', () => {
  it.each(WRITTEN_BY_KAFKA)('%s: the bytes of Kafka, both ways', (_name, key, value) => {
    const record = decode(key, value);
    const encoded = groupRecordSerde.encode(record);
    expect(encoded.key.toString('hex')).toBe(key);
    expect(encoded.value?.toString('hex') ?? null).toBe(value);
    expect(replaysAtAppend(record)).toBe(true);
  });

  it('the group epoch is exact, its hash to 53 bits', () => {
    const value =
      '00000000000247aae934ef985a9e02000400000000011902156e756d2e7374616e6462792e7265706c69636173023000';
    expect(decode('0011000167', value).value).toMatchObject({
      epoch: 2,
      metadataHash: Number(0x47aae934ef985a9en),
      validatedTopologyEpoch: 0,
      lastAssignmentConfigs: [{ key: 'num.standby.replicas', value: '0' }],
    });
  });

  it('an epoch whose topics are not as they must be says so by leaving the topology out', () => {
    const value = '00000000000247aae934ef985a9e01011902156e756d2e7374616e6462792e7265706c69636173023000';
    const record = decode('0011000167', value);
    expect(record.value).toMatchObject({ validatedTopologyEpoch: -1 });
  });

  it('a group is what its records say, and is gone with their tombstones', () => {
    const groups = new StreamsGroups();
    for (const [, key, value] of WRITTEN_BY_KAFKA) if (value !== null) groups.replay(decode(key, value));
    const group = groups.get('g');
    expect(group?.topology?.subtopologies.get('0')?.stateChangelogTopics[0]?.name).toBe('t1');
    expect(group?.members.get('m1')).toMatchObject({
      memberEpoch: 2,
      state: MemberState.unrevokedTasks,
      userEndpoint: { host: 'h1', port: 65_535 },
    });
    expect(group?.targetOf('m1').standby.get('0')).toEqual(new Set([0, 2]));
    // What is being given up is not free yet.
    expect(group?.isActive('0', 2)).toBe(true);
    expect(group?.holds('p-m1', '0', 2)).toBe(true);
    expect(group?.holds('p-m1', '0', 3)).toBe(false);
    groups.replay(decode('0011000167', null));
    expect(groups.has('g')).toBe(false);
  });

  it('tombstones for what compaction has taken already do nothing', () => {
    const groups = new StreamsGroups();
    for (const [, key] of WRITTEN_BY_KAFKA) groups.replay(decode(key, null));
    expect(groups.has('g')).toBe(false);
  });
});
