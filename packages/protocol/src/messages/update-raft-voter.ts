import { array, int16, int32, string, struct, uint16, uuid } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const updateRaftVoterRequest = request(
  'UpdateRaftVoterRequest',
  { apiKey: 82, versions: '0', flexible: '0+', listeners: ['controller'] },
  () => ({
    clusterId: string('0+', { nullable: '0+' }),
    currentLeaderEpoch: int32('0+'),
    voterId: int32('0+'),
    voterDirectoryId: uuid('0+'),
    listeners: array('0+', {
      name: string('0+', { mapKey: true }),
      host: string('0+'),
      port: uint16('0+'),
    }),
    kRaftVersionFeature: struct('0+', {
      minSupportedVersion: int16('0+'),
      maxSupportedVersion: int16('0+'),
    }),
  }),
);
export type UpdateRaftVoterRequest = Infer<typeof updateRaftVoterRequest>;

export const updateRaftVoterResponse = response(
  'UpdateRaftVoterResponse',
  { apiKey: 82, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    currentLeader: struct(
      '0+',
      {
        leaderId: int32('0+', { default: -1, entity: 'brokerId' }),
        leaderEpoch: int32('0+', { default: -1 }),
        host: string('0+'),
        port: int32('0+'),
      },
      { tag: 0, tagged: '0+' },
    ),
  }),
);
export type UpdateRaftVoterResponse = Infer<typeof updateRaftVoterResponse>;
