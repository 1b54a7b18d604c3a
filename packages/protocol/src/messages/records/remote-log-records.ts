import { array, bool, bytes, int32, int64, int8, string, struct, uuid } from '../../schema/field.ts';
import { metadataRecord, type Infer } from '../../schema/message-schema.ts';

export const remoteLogSegmentMetadataRecord = metadataRecord(
  'RemoteLogSegmentMetadataRecord',
  { apiKey: 0, versions: '0', flexible: '0+' },
  () => ({
    remoteLogSegmentId: struct('0+', {
      topicIdPartition: struct('0+', {
        name: string('0+'),
        id: uuid('0+'),
        partition: int32('0+'),
      }),
      id: uuid('0+'),
    }),
    startOffset: int64('0+'),
    endOffset: int64('0+'),
    brokerId: int32('0+'),
    maxTimestampMs: int64('0+'),
    eventTimestampMs: int64('0+'),
    segmentLeaderEpochs: array('0+', {
      leaderEpoch: int32('0+'),
      offset: int64('0+'),
    }),
    segmentSizeInBytes: int32('0+'),
    customMetadata: bytes('0+', { nullable: '0+', default: null }),
    remoteLogSegmentState: int8('0+'),
    txnIndexEmpty: bool('0+', { tag: 0, tagged: '0+' }),
  }),
);
export type RemoteLogSegmentMetadataRecord = Infer<typeof remoteLogSegmentMetadataRecord>;

export const remoteLogSegmentMetadataUpdateRecord = metadataRecord(
  'RemoteLogSegmentMetadataUpdateRecord',
  { apiKey: 1, versions: '0', flexible: '0+' },
  () => ({
    remoteLogSegmentId: struct('0+', {
      topicIdPartition: struct('0+', {
        name: string('0+'),
        id: uuid('0+'),
        partition: int32('0+'),
      }),
      id: uuid('0+'),
    }),
    brokerId: int32('0+'),
    eventTimestampMs: int64('0+'),
    customMetadata: bytes('0+', { nullable: '0+', default: null }),
    remoteLogSegmentState: int8('0+'),
  }),
);
export type RemoteLogSegmentMetadataUpdateRecord = Infer<typeof remoteLogSegmentMetadataUpdateRecord>;

export const remotePartitionDeleteMetadataRecord = metadataRecord(
  'RemotePartitionDeleteMetadataRecord',
  { apiKey: 2, versions: '0', flexible: '0+' },
  () => ({
    topicIdPartition: struct('0+', {
      name: string('0+'),
      id: uuid('0+'),
      partition: int32('0+'),
    }),
    brokerId: int32('0+'),
    eventTimestampMs: int64('0+'),
    remotePartitionDeleteState: int8('0+'),
  }),
);
export type RemotePartitionDeleteMetadataRecord = Infer<typeof remotePartitionDeleteMetadataRecord>;

export const remoteLogSegmentMetadataSnapshotRecord = metadataRecord(
  'RemoteLogSegmentMetadataSnapshotRecord',
  { apiKey: 3, versions: '0', flexible: '0+' },
  () => ({
    segmentId: uuid('0+'),
    startOffset: int64('0+'),
    endOffset: int64('0+'),
    brokerId: int32('0+'),
    maxTimestampMs: int64('0+'),
    eventTimestampMs: int64('0+'),
    segmentLeaderEpochs: array('0+', {
      leaderEpoch: int32('0+'),
      offset: int64('0+'),
    }),
    segmentSizeInBytes: int32('0+'),
    customMetadata: bytes('0+', { nullable: '0+', default: null }),
    remoteLogSegmentState: int8('0+'),
    txnIndexEmpty: bool('0+', { tag: 0, tagged: '0+' }),
  }),
);
export type RemoteLogSegmentMetadataSnapshotRecord = Infer<typeof remoteLogSegmentMetadataSnapshotRecord>;
