import { describe, expect, test } from 'vitest';
import { emptyImage, MetadataImageBuilder } from '../../src/metadata/image-builder.ts';
import type { MetadataImage } from '../../src/metadata/image.ts';
import { decodeMetadataRecord, encodeMetadataRecord, metadataRecord } from '../../src/metadata/records.ts';
import type { MetadataRecord } from '../../src/metadata/records.ts';
import { snapshotRecords } from '../../src/metadata/snapshot-records.ts';

const ID = 'i2leW_9vRSWj7acxl-vEUg';
const OTHER_ID = 'CULXFn9vSoeTTUyQ76MY6g';
const DIRECTORY = 'd0Ddz1Y37jl8M96YP7Tw8A';

function replay(
  records: readonly MetadataRecord[],
  base: MetadataImage = emptyImage('cluster', 1),
): MetadataImage {
  const builder = new MetadataImageBuilder(base);
  for (const [index, record] of records.entries()) builder.apply(record, base.offset + 1 + index);
  return builder.build().image;
}

function partitionRecord(topicId: string, partitionId: number): MetadataRecord {
  const fields = {
    leader: 1,
    leaderEpoch: 0,
    partitionEpoch: 0,
    replicas: [1],
    isr: [1],
    directories: [DIRECTORY],
  };
  return metadataRecord('PartitionRecord', { topicId, partitionId, ...fields });
}

const topic = [
  metadataRecord('TopicRecord', { name: 'orders', topicId: ID }),
  metadataRecord('ConfigRecord', {
    resourceType: 2,
    resourceName: 'orders',
    name: 'retention.ms',
    value: '5',
  }),
  partitionRecord(ID, 0),
  partitionRecord(ID, 1),
];

/** Kinds of which the newest counts, with what removes each of them. */
const kept: readonly (readonly [MetadataRecord, MetadataRecord])[] = [
  [
    metadataRecord('AccessControlEntryRecord', { id: ID, principal: 'User:a', host: '*', resourceName: 'x' }),
    metadataRecord('RemoveAccessControlEntryRecord', { id: ID }),
  ],
  [
    metadataRecord('UserScramCredentialRecord', { name: 'ada', mechanism: 1, iterations: 4096 }),
    metadataRecord('RemoveUserScramCredentialRecord', { name: 'ada', mechanism: 1 }),
  ],
  [
    metadataRecord('DelegationTokenRecord', { owner: 'User:a', requester: 'User:a', tokenId: 't' }),
    metadataRecord('RemoveDelegationTokenRecord', { tokenId: 't' }),
  ],
  [
    metadataRecord('ClientQuotaRecord', {
      entity: [{ entityType: 'user', entityName: 'a' }],
      key: 'k',
      value: 1,
    }),
    metadataRecord('ClientQuotaRecord', {
      entity: [{ entityType: 'user', entityName: 'a' }],
      key: 'k',
      remove: true,
    }),
  ],
  [
    metadataRecord('RegisterControllerRecord', { controllerId: 7 }),
    metadataRecord('UnregisterControllerRecord', { controllerId: 7 }),
  ],
];

describe('replay', () => {
  test('naming a leader, even the same, begins a leader epoch; any change begins a partition epoch', () => {
    const change = (fields: object): MetadataRecord =>
      metadataRecord('PartitionChangeRecord', { topicId: ID, partitionId: 0, ...fields });
    const image = replay([...topic, change({ leader: 1 }), change({ isr: [] }), change({ leader: -1 })]);
    expect(image.topics.byName.get('orders')?.partitions[0]).toMatchObject({
      leader: -1,
      leaderEpoch: 2,
      partitionEpoch: 3,
      isr: [],
      replicas: [1],
    });
  });

  test('a topic takes its configs with it, and its name is free again', () => {
    const removed = replay([...topic, metadataRecord('RemoveTopicRecord', { topicId: ID })]);
    expect(removed.topics.byName.size).toBe(0);
    expect([...removed.configs.resources()]).toEqual([]);
    const again = replay([metadataRecord('TopicRecord', { name: 'orders', topicId: OTHER_ID })], removed);
    expect(again.topics.byName.get('orders')?.id).toBe(OTHER_ID);
  });

  test('a transaction takes effect at its end, an aborted one never', () => {
    const begin = metadataRecord('BeginTransactionRecord', { name: 'test' });
    expect(replay([begin, ...topic]).topics.byName.size).toBe(0);
    expect(replay([begin, ...topic, metadataRecord('EndTransactionRecord', {})]).topics.byName.size).toBe(1);
    const abort = metadataRecord('AbortTransactionRecord', { reason: 'test' });
    expect(replay([begin, ...topic, abort]).topics.byName.size).toBe(0);
  });

  test('an image shares what its records did not touch, and the old image stays as it was', () => {
    const before = replay([...topic, metadataRecord('TopicRecord', { name: 'other', topicId: OTHER_ID })]);
    const after = replay([partitionRecord(OTHER_ID, 0)], before);
    expect(after.topics.byId.get(ID)).toBe(before.topics.byId.get(ID));
    expect(after.configs).toBe(before.configs);
    expect(before.topics.byId.get(OTHER_ID)?.partitions).toEqual([]);
    expect(after.topics.byId.get(OTHER_ID)?.partitions).toHaveLength(1);
  });

  test.each([
    ['a partition', partitionRecord(OTHER_ID, 0)],
    ['a removal', metadataRecord('RemoveTopicRecord', { topicId: OTHER_ID })],
    ['a change', metadataRecord('PartitionChangeRecord', { topicId: ID, partitionId: 9 })],
    ['a broker change', metadataRecord('BrokerRegistrationChangeRecord', { brokerId: 9, brokerEpoch: 1 })],
    ['the end of a transaction', metadataRecord('EndTransactionRecord', {})],
  ])('%s of something that does not exist is an error, not a guess', (_, record) => {
    expect(() => replay([...topic, record])).toThrow(/which does not exist|not registered|none has begun/);
  });

  test.each(kept)('$type is kept until it is removed', (record, removal) => {
    expect([...snapshotRecords(replay([record]))]).toEqual([record]);
    expect([...snapshotRecords(replay([record, removal]))]).toEqual([]);
  });
});

test('the records of a snapshot rebuild the image', () => {
  const image = replay([
    metadataRecord('FeatureLevelRecord', { name: 'group.version', featureLevel: 1 }),
    metadataRecord('FeatureLevelRecord', { name: 'metadata.version', featureLevel: 30 }),
    metadataRecord('RegisterBrokerRecord', {
      brokerId: 1,
      brokerEpoch: 2,
      incarnationId: ID,
      logDirs: [DIRECTORY],
    }),
    ...topic,
    metadataRecord('PartitionChangeRecord', {
      topicId: ID,
      partitionId: 1,
      leader: -1,
      isr: [],
      eligibleLeaderReplicas: [1],
    }),
    metadataRecord('ProducerIdsRecord', { brokerId: 1, nextProducerId: 3000 }),
    ...kept.map(([record]) => record),
  ]);
  const records = [...snapshotRecords(image)].map((record) =>
    decodeMetadataRecord(encodeMetadataRecord(record)),
  );
  expect(records[0]).toMatchObject({ type: 'FeatureLevelRecord', data: { name: 'metadata.version' } });
  const rebuilt = replay(records);
  expect({ ...rebuilt, offset: 0 }).toEqual({ ...image, offset: 0 });
});

test('replaying the quotas and credentials of many users takes time in proportion to their number', () => {
  const bytes = Buffer.alloc(1);
  const records: MetadataRecord[] = [];
  for (let user = 0; user < 40_000; user++) {
    const name = `user-${user}`;
    const entity = [{ entityType: 'user', entityName: name }];
    records.push(metadataRecord('ClientQuotaRecord', { entity, key: 'producer_byte_rate', value: user + 1 }));
    const secrets = { salt: bytes, storedKey: bytes, serverKey: bytes, iterations: 4096 };
    records.push(metadataRecord('UserScramCredentialRecord', { name, mechanism: 1, ...secrets }));
  }
  const before = replay(records.slice(0, 2));
  const image = replay(records, before);
  expect([image.clientQuotas.size, image.scramCredentials.size]).toEqual([40_000, 40_000]);
  expect([before.clientQuotas.size, before.scramCredentials.size]).toEqual([1, 1]);
}, 10_000);
