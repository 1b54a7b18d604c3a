import { array, int16, int32, int64, int8, string, uuid } from '../../schema/field.ts';
import { coordinatorKey, coordinatorValue, type Infer } from '../../schema/message-schema.ts';

export const shareSnapshotKey = coordinatorKey(
  'ShareSnapshotKey',
  { apiKey: 0, versions: '0', flexible: 'none' },
  () => ({
    groupId: string('0'),
    topicId: uuid('0'),
    partition: int32('0'),
  }),
);
export type ShareSnapshotKey = Infer<typeof shareSnapshotKey>;

export const shareSnapshotValue = coordinatorValue(
  'ShareSnapshotValue',
  { apiKey: 0, versions: '0', flexible: '0+' },
  () => ({
    snapshotEpoch: int32('0+'),
    stateEpoch: int32('0+'),
    leaderEpoch: int32('0+'),
    startOffset: int64('0+'),
    deliveryCompleteCount: int32('0+', { default: -1, tag: 0, tagged: '0+' }),
    createTimestamp: int64('0+'),
    writeTimestamp: int64('0+'),
    stateBatches: array('0+', {
      firstOffset: int64('0+'),
      lastOffset: int64('0+'),
      deliveryState: int8('0+'),
      deliveryCount: int16('0+'),
    }),
  }),
);
export type ShareSnapshotValue = Infer<typeof shareSnapshotValue>;

export const shareUpdateKey = coordinatorKey(
  'ShareUpdateKey',
  { apiKey: 1, versions: '0', flexible: 'none' },
  () => ({
    groupId: string('0'),
    topicId: uuid('0'),
    partition: int32('0'),
  }),
);
export type ShareUpdateKey = Infer<typeof shareUpdateKey>;

export const shareUpdateValue = coordinatorValue(
  'ShareUpdateValue',
  { apiKey: 1, versions: '0', flexible: '0+' },
  () => ({
    snapshotEpoch: int32('0+'),
    leaderEpoch: int32('0+'),
    startOffset: int64('0+'),
    deliveryCompleteCount: int32('0+', { default: -1, tag: 0, tagged: '0+' }),
    stateBatches: array('0+', {
      firstOffset: int64('0+'),
      lastOffset: int64('0+'),
      deliveryState: int8('0+'),
      deliveryCount: int16('0+'),
    }),
  }),
);
export type ShareUpdateValue = Infer<typeof shareUpdateValue>;
