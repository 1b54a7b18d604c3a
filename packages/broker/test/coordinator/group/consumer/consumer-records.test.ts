import { describe, expect, it } from 'vitest';
import { ConsumerGroups } from '../../../../src/coordinator/group/consumer/consumer-groups.ts';
import type { ConsumerGroupRecord } from '../../../../src/coordinator/group/consumer/consumer-records.ts';
import { groupRecordSerde, replaysAtAppend } from '../../../../src/coordinator/group/group-records.ts';

/** Keys and values as Apache Kafka 4.3.1 wrote them to `__consumer_offsets`; the groups are called `g`. */
const WRITTEN_BY_KAFKA: readonly (readonly [name: string, key: string, value: string | null])[] = [
  ['deleted group epoch', '0003000167', null],
  ['deleted partition metadata', '0004000167', null],
  [
    'member',
    '000500016700026d31',
    '0000000007636c69656e740b2f3132372e302e302e310203743101000075300001000100',
  ],
  [
    'member of the classic protocol',
    '000500016700016d',
    '00000369310007636c69656e740b2f3132372e302e302e31020374310100007530000100210100007530020672616e67651300010000000100027431ffffffff000000000000',
  ],
  ['deleted member', '000500016700026d31', null],
  ['target epoch', '0006000167', '000000000002010008000001a21a0e1e99'],
  [
    'target of a member',
    '000700016700026d31',
    '00000243caae854c154830af3002fd94618eac040000000000000001000000020000',
  ],
  ['assignment of a member without partitions', '000800016700026d32', '0000000000030000000002010100'],
  [
    'assignment of a member, with epochs',
    '000800016700026d31',
    '00000000000200000000000243caae854c154830af3002fd94618eac0400000000000000010000000201000d040000000200000002000000020100',
  ],
  [
    'resolved regular expression',
    '0010000167000c74317c4067726f75702d2e2a',
    '0000020374310000000000000201000001a21a0cb41100',
  ],
];

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

function decode(key: string, value: string | null): ConsumerGroupRecord {
  return groupRecordSerde.decode(hex(key), value === null ? null : hex(value)) as ConsumerGroupRecord;
}

describe('records of consumer groups', () => {
  it.each(WRITTEN_BY_KAFKA)('%s: the bytes of Kafka, both ways', (_name, key, value) => {
    const record = decode(key, value);
    const encoded = groupRecordSerde.encode(record);
    expect(encoded.key.toString('hex')).toBe(key);
    expect(encoded.value?.toString('hex') ?? null).toBe(value);
    expect(replaysAtAppend(record)).toBe(true);
  });

  it('the group epoch is exact, its hash to 53 bits', () => {
    const record = decode('0003000167', '00000000000201000835bf834d1a27e23d');
    expect(record.value).toEqual({ epoch: 2, metadataHash: Number(0x35bf834d1a27e23dn) });
  });

  it('a group is what its records say, and is gone with their tombstones', () => {
    const groups = new ConsumerGroups();
    for (const [, key, value] of WRITTEN_BY_KAFKA) if (value !== null) groups.replay(decode(key, value));
    const group = groups.get('g');
    expect(group?.members.get('m1')).toMatchObject({ memberEpoch: 2, subscribedTopicNames: ['t1'] });
    expect(group?.members.get('m')?.classic?.sessionTimeoutMs).toBe(30_000);
    expect(group?.partitionEpoch('Q8quhUwVSDCvMAL9lGGOrA', 2)).toBe(2);
    expect(group?.target.ownerOf('Q8quhUwVSDCvMAL9lGGOrA', 0)).toBe('m1');
    expect(group?.subscriptions.has('t1')).toBe(true);
    groups.replay(decode('0003000167', null));
    expect(groups.has('g')).toBe(false);
  });

  it('tombstones for what compaction has taken already do nothing', () => {
    const groups = new ConsumerGroups();
    for (const [, key] of WRITTEN_BY_KAFKA) groups.replay(decode(key, null));
    expect(groups.has('g')).toBe(false);
  });
});
