import { ZERO_UUID } from '@ottla/protocol';
import { describe, expect, it } from 'vitest';
import { groupRecordSerde, type GroupRecord } from '../../../src/coordinator/group/group-records.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** Keys and values as Apache Kafka 4.3.1 wrote them to `__consumer_offsets`. */
const WRITTEN_BY_KAFKA: readonly { name: string; key: string; value: string; record: GroupRecord }[] = [
  {
    name: 'an offset with its topic id',
    key: '0001 0002 6731 0002 7431 00000001',
    value: '0004 0000000000000003 00000000 01 000001a20bb766e5 01 00 10 b82f4891cb3b471c9863b1a9cb63eb27',
    record: {
      type: 'offset-commit',
      key: { group: 'g1', topic: 't1', partition: 1 },
      value: {
        offset: 3,
        leaderEpoch: 0,
        metadata: '',
        commitTimestamp: 0x1a20bb766e5,
        expireTimestamp: -1,
        topicId: hex('b82f4891cb3b471c9863b1a9cb63eb27').toString('base64url'),
      },
    },
  },
  {
    name: 'a new group',
    key: '0002 0002 6731',
    value: '0003 0000 00000000 ffff ffff 000001a20bb76512 00000000',
    record: {
      type: 'group-metadata',
      key: { group: 'g1' },
      value: {
        protocolType: '',
        generation: 0,
        protocol: null,
        leader: null,
        currentStateTimestamp: 0x1a20bb76512,
        members: [],
      },
    },
  },
];

describe('records of __consumer_offsets', () => {
  it.each(WRITTEN_BY_KAFKA)('$name: the bytes of Kafka, both ways', ({ key, value, record }) => {
    expect(groupRecordSerde.decode(hex(key), hex(value))).toEqual(record);
    const encoded = groupRecordSerde.encode(record);
    expect(encoded.key.toString('hex')).toBe(hex(key).toString('hex'));
    expect(encoded.value?.toString('hex')).toBe(hex(value).toString('hex'));
  });

  it('an offset with an expiry of its own is written in the one version that has it', () => {
    const value = {
      offset: 1,
      leaderEpoch: -1,
      metadata: 'm',
      commitTimestamp: 5,
      expireTimestamp: 9,
      topicId: ZERO_UUID,
    };
    const encoded = groupRecordSerde.encode({
      type: 'offset-commit',
      key: { group: 'g', topic: 't', partition: 0 },
      value,
    });
    expect(encoded.value?.readInt16BE(0)).toBe(1);
    expect(groupRecordSerde.decode(encoded.key, encoded.value)).toMatchObject({ value });
  });

  it('reads tombstones, and skips records of kinds that it does not know', () => {
    expect(groupRecordSerde.decode(hex('0002 0002 6731'), null)).toEqual({
      type: 'group-metadata',
      key: { group: 'g1' },
      value: null,
    });
    expect(groupRecordSerde.decode(hex('7003 0002 6731'), hex('0000'))).toBeNull();
  });

  it.each(['', '00', '0001', '0001 0009 6731'])('malformed key %j is a protocol error', (key) => {
    expect(() => groupRecordSerde.decode(hex(key), null)).toThrow(/byte/);
  });
});
