import { ErrorCodes, metadataResponse, type MetadataResponse } from '@ottla/protocol';
import { decodeMessage, encodeMessage, type MessageInput } from '@ottla/protocol';
import { describe, expect, test } from 'vitest';
import { applyLeaderHints, mergeMetadata } from '../../src/cluster/merge-metadata.ts';
import { EMPTY_METADATA } from '../../src/cluster/metadata.ts';

/** An answer as it comes from the wire: absent fields have their defaults. */
function answer(value: MessageInput<MetadataResponse>): MetadataResponse {
  return decodeMessage(metadataResponse, 12, encodeMessage(metadataResponse, 12, value));
}

const brokers = [
  { nodeId: 1, host: 'a', port: 1 },
  { nodeId: 2, host: 'b', port: 2 },
];

function topicAnswer(
  name: string,
  leaderId: number,
  leaderEpoch: number,
  topicId = 'aaaaaaaaaaaaaaaaaaaaaQ',
) {
  return { name, topicId, partitions: [{ partitionIndex: 0, leaderId, leaderEpoch }] };
}

const known = mergeMetadata(
  EMPTY_METADATA,
  answer({ brokers, topics: [topicAnswer('t', 1, 5)] }),
  new Set(['t']),
  10,
);

describe('merging metadata', () => {
  test('a leader of an older epoch does not replace a newer one, unless the topic is another', () => {
    const older = mergeMetadata(
      known,
      answer({ brokers, topics: [topicAnswer('t', 2, 4)] }),
      new Set(['t']),
      20,
    );
    expect(older.topics.get('t')!.partitions[0]).toMatchObject({ leaderId: 1, leaderEpoch: 5 });
    const recreated = topicAnswer('t', 2, 0, 'bbbbbbbbbbbbbbbbbbbbbQ');
    const after = mergeMetadata(known, answer({ brokers, topics: [recreated] }), new Set(['t']), 20);
    expect(after.topics.get('t')!.partitions[0]).toMatchObject({ leaderId: 2, leaderEpoch: 0 });
    expect(after.topicNames.get('bbbbbbbbbbbbbbbbbbbbbQ')).toBe('t');
  });

  test('topics that were not asked for stay; those that were and are gone are forgotten, with the reason', () => {
    const other = mergeMetadata(
      known,
      answer({ brokers, topics: [topicAnswer('u', 1, 0)] }),
      new Set(['u']),
      20,
    );
    expect([...other.topics.keys()]).toEqual(['t', 'u']);
    const missing = { name: 't', errorCode: ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION };
    const gone = mergeMetadata(other, answer({ brokers, topics: [missing] }), new Set(['t']), 30);
    expect([...gone.topics.keys()]).toEqual(['u']);
    expect(gone.topicErrors.get('t')).toBe(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION);
    expect([...mergeMetadata(other, answer({ brokers, topics: [] }), 'all', 30).topics.keys()]).toEqual([]);
  });

  test('a partition number that the answer has no room for allocates nothing', () => {
    const partitions = [{ partitionIndex: 2_000_000_000, leaderId: 1 }];
    const merged = mergeMetadata(
      known,
      answer({ brokers, topics: [{ name: 'x', partitions }] }),
      new Set(['x']),
      20,
    );
    expect(merged.topics.get('x')!.partitions).toHaveLength(1);
  });
});

describe('leader hints (KIP-951)', () => {
  const hint = { topic: 't', partition: 0, leaderId: 2, leaderEpoch: 6 };

  test('a newer leader is taken, an older one and one of the same epoch are not', () => {
    expect(applyLeaderHints(known, [hint], []).topics.get('t')!.partitions[0]).toMatchObject({
      leaderId: 2,
      leaderEpoch: 6,
    });
    expect(applyLeaderHints(known, [{ ...hint, leaderEpoch: 5 }], [])).toBe(known);
    expect(applyLeaderHints(known, [{ ...hint, topic: 'nowhere' }], [])).toBe(known);
  });

  test('a leader that nobody knows the address of is of no use, unless the answer brings it', () => {
    const stranger = { ...hint, leaderId: 9 };
    expect(applyLeaderHints(known, [stranger], [])).toBe(known);
    const after = applyLeaderHints(known, [stranger], [{ nodeId: 9, host: 'c', port: 3, rack: null }]);
    expect(after.brokers.get(9)).toMatchObject({ host: 'c', port: 3 });
    expect(after.topics.get('t')!.partitions[0]!.leaderId).toBe(9);
  });
});
