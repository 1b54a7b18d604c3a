import { array, bytes, int32, int64, string, uuid } from '../../schema/field.ts';
import { coordinatorKey, coordinatorValue, type Infer } from '../../schema/message-schema.ts';

export const legacyOffsetCommitKey = coordinatorKey(
  'LegacyOffsetCommitKey',
  { apiKey: 0, versions: '0', flexible: 'none' },
  () => ({
    group: string('0'),
    topic: string('0'),
    partition: int32('0'),
  }),
);
export type LegacyOffsetCommitKey = Infer<typeof legacyOffsetCommitKey>;

export const legacyOffsetCommitValue = coordinatorValue(
  'LegacyOffsetCommitValue',
  { apiKey: 0, versions: '0', flexible: 'none' },
  () => ({
    offset: int64('0'),
    metadata: string('0'),
    commitTimestamp: int64('0'),
  }),
);
export type LegacyOffsetCommitValue = Infer<typeof legacyOffsetCommitValue>;

export const offsetCommitKey = coordinatorKey(
  'OffsetCommitKey',
  { apiKey: 1, versions: '0', flexible: 'none' },
  () => ({
    group: string('0'),
    topic: string('0'),
    partition: int32('0'),
  }),
);
export type OffsetCommitKey = Infer<typeof offsetCommitKey>;

export const offsetCommitValue = coordinatorValue(
  'OffsetCommitValue',
  { apiKey: 1, versions: '0-4', flexible: '4+' },
  () => ({
    offset: int64('0+'),
    leaderEpoch: int32('3+', { default: -1, ignorable: true }),
    metadata: string('0+'),
    commitTimestamp: int64('0+'),
    expireTimestamp: int64('1', { default: -1, ignorable: true }),
    topicId: uuid('4+', { tag: 0, tagged: '4+', ignorable: true }),
  }),
);
export type OffsetCommitValue = Infer<typeof offsetCommitValue>;

export const groupMetadataKey = coordinatorKey(
  'GroupMetadataKey',
  { apiKey: 2, versions: '0', flexible: 'none' },
  () => ({
    group: string('0'),
  }),
);
export type GroupMetadataKey = Infer<typeof groupMetadataKey>;

const memberMetadata = {
  memberId: string('0+'),
  groupInstanceId: string('3+', { nullable: '3+', default: null, ignorable: true }),
  clientId: string('0+'),
  clientHost: string('0+'),
  rebalanceTimeout: int32('1+', { default: -1, ignorable: true }),
  sessionTimeout: int32('0+'),
  subscription: bytes('0+'),
  assignment: bytes('0+'),
} as const;

export const groupMetadataValue = coordinatorValue(
  'GroupMetadataValue',
  { apiKey: 2, versions: '0-4', flexible: '4+' },
  () => ({
    protocolType: string('0+'),
    generation: int32('0+'),
    protocol: string('0+', { nullable: '0+' }),
    leader: string('0+', { nullable: '0+' }),
    currentStateTimestamp: int64('2+', { default: -1, ignorable: true }),
    members: array('0+', memberMetadata),
  }),
);
export type GroupMetadataValue = Infer<typeof groupMetadataValue>;
