import { array, bool, float64, int32, int8, string, uuid } from '../../schema/field.ts';
import { metadataRecord, type Infer } from '../../schema/message-schema.ts';

export const topicRecord = metadataRecord(
  'TopicRecord',
  { apiKey: 2, versions: '0', flexible: '0+' },
  () => ({
    name: string('0+', { entity: 'topicName' }),
    topicId: uuid('0+'),
  }),
);
export type TopicRecord = Infer<typeof topicRecord>;

export const partitionRecord = metadataRecord(
  'PartitionRecord',
  { apiKey: 3, versions: '0-2', flexible: '0+' },
  () => ({
    partitionId: int32('0+', { default: -1 }),
    topicId: uuid('0+'),
    replicas: array('0+', 'int32', { entity: 'brokerId' }),
    isr: array('0+', 'int32'),
    removingReplicas: array('0+', 'int32', { entity: 'brokerId' }),
    addingReplicas: array('0+', 'int32', { entity: 'brokerId' }),
    leader: int32('0+', { default: -1, entity: 'brokerId' }),
    leaderRecoveryState: int8('0+', { tag: 0, tagged: '0+' }),
    leaderEpoch: int32('0+', { default: -1 }),
    partitionEpoch: int32('0+', { default: -1 }),
    directories: array('1+', 'uuid'),
    eligibleLeaderReplicas: array('2+', 'int32', {
      nullable: '2+',
      default: null,
      tag: 1,
      tagged: '2+',
      entity: 'brokerId',
    }),
    lastKnownElr: array('2+', 'int32', {
      nullable: '2+',
      default: null,
      tag: 2,
      tagged: '2+',
      entity: 'brokerId',
    }),
  }),
);
export type PartitionRecord = Infer<typeof partitionRecord>;

export const configRecord = metadataRecord(
  'ConfigRecord',
  { apiKey: 4, versions: '0', flexible: '0+' },
  () => ({
    resourceType: int8('0+'),
    resourceName: string('0+'),
    name: string('0+'),
    value: string('0+', { nullable: '0+' }),
  }),
);
export type ConfigRecord = Infer<typeof configRecord>;

export const partitionChangeRecord = metadataRecord(
  'PartitionChangeRecord',
  { apiKey: 5, versions: '0-2', flexible: '0+' },
  () => ({
    partitionId: int32('0+', { default: -1 }),
    topicId: uuid('0+'),
    isr: array('0+', 'int32', { nullable: '0+', default: null, tag: 0, tagged: '0+', entity: 'brokerId' }),
    leader: int32('0+', { default: -2, tag: 1, tagged: '0+', entity: 'brokerId' }),
    replicas: array('0+', 'int32', {
      nullable: '0+',
      default: null,
      tag: 2,
      tagged: '0+',
      entity: 'brokerId',
    }),
    removingReplicas: array('0+', 'int32', {
      nullable: '0+',
      default: null,
      tag: 3,
      tagged: '0+',
      entity: 'brokerId',
    }),
    addingReplicas: array('0+', 'int32', {
      nullable: '0+',
      default: null,
      tag: 4,
      tagged: '0+',
      entity: 'brokerId',
    }),
    leaderRecoveryState: int8('0+', { default: -1, tag: 5, tagged: '0+' }),
    directories: array('1+', 'uuid', { nullable: '1+', default: null, tag: 8, tagged: '1+' }),
    eligibleLeaderReplicas: array('2+', 'int32', {
      nullable: '2+',
      default: null,
      tag: 6,
      tagged: '2+',
      entity: 'brokerId',
    }),
    lastKnownElr: array('2+', 'int32', {
      nullable: '2+',
      default: null,
      tag: 7,
      tagged: '2+',
      entity: 'brokerId',
    }),
  }),
);
export type PartitionChangeRecord = Infer<typeof partitionChangeRecord>;

export const removeTopicRecord = metadataRecord(
  'RemoveTopicRecord',
  { apiKey: 9, versions: '0', flexible: '0+' },
  () => ({
    topicId: uuid('0+'),
  }),
);
export type RemoveTopicRecord = Infer<typeof removeTopicRecord>;

export const clientQuotaRecord = metadataRecord(
  'ClientQuotaRecord',
  { apiKey: 14, versions: '0', flexible: '0+' },
  () => ({
    entity: array('0+', {
      entityType: string('0+'),
      entityName: string('0+', { nullable: '0+' }),
    }),
    key: string('0+'),
    value: float64('0+'),
    remove: bool('0+'),
  }),
);
export type ClientQuotaRecord = Infer<typeof clientQuotaRecord>;

export const clearElrRecord = metadataRecord(
  'ClearElrRecord',
  { apiKey: 28, versions: '0', flexible: '0+' },
  () => ({
    topicName: string('0+', { entity: 'topicName' }),
  }),
);
export type ClearElrRecord = Infer<typeof clearElrRecord>;
