import { array, int16, int32, int64, string, struct, uint16, uuid } from '../../schema/field.ts';
import { data, type Infer } from '../../schema/message-schema.ts';

export const controlRecordTypeSchema = data(
  'ControlRecordTypeSchema',
  { versions: '0', flexible: 'none' },
  () => ({
    type: int16('0+'),
  }),
);
export type ControlRecordTypeSchema = Infer<typeof controlRecordTypeSchema>;

export const endTxnMarker = data('EndTxnMarker', { versions: '0', flexible: 'none' }, () => ({
  coordinatorEpoch: int32('0+'),
}));
export type EndTxnMarker = Infer<typeof endTxnMarker>;

export const kRaftVersionRecord = data('KRaftVersionRecord', { versions: '0', flexible: '0+' }, () => ({
  version: int16('0+'),
  kRaftVersion: int16('0+'),
}));
export type KRaftVersionRecord = Infer<typeof kRaftVersionRecord>;

const voter = {
  voterId: int32('0+'),
  voterDirectoryId: uuid('1+'),
} as const;

export const leaderChangeMessage = data('LeaderChangeMessage', { versions: '0-1', flexible: '0+' }, () => ({
  version: int16('0+'),
  leaderId: int32('0+', { entity: 'brokerId' }),
  voters: array('0+', voter),
  grantingVoters: array('0+', voter),
}));
export type LeaderChangeMessage = Infer<typeof leaderChangeMessage>;

export const snapshotFooterRecord = data('SnapshotFooterRecord', { versions: '0', flexible: '0+' }, () => ({
  version: int16('0+'),
}));
export type SnapshotFooterRecord = Infer<typeof snapshotFooterRecord>;

export const snapshotHeaderRecord = data('SnapshotHeaderRecord', { versions: '0', flexible: '0+' }, () => ({
  version: int16('0+'),
  lastContainedLogTimestamp: int64('0+'),
}));
export type SnapshotHeaderRecord = Infer<typeof snapshotHeaderRecord>;

export const votersRecord = data('VotersRecord', { versions: '0', flexible: '0+' }, () => ({
  version: int16('0+'),
  voters: array('0+', {
    voterId: int32('0+', { entity: 'brokerId' }),
    voterDirectoryId: uuid('0+'),
    endpoints: array('0+', {
      name: string('0+', { mapKey: true }),
      host: string('0+'),
      port: uint16('0+'),
    }),
    kRaftVersionFeature: struct('0+', {
      minSupportedVersion: int16('0+'),
      maxSupportedVersion: int16('0+'),
    }),
  }),
}));
export type VotersRecord = Infer<typeof votersRecord>;
