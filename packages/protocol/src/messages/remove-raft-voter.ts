import { int16, int32, string, uuid } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const removeRaftVoterRequest = request(
  'RemoveRaftVoterRequest',
  { apiKey: 81, versions: '0', flexible: '0+', listeners: ['controller', 'broker'] },
  () => ({
    clusterId: string('0+', { nullable: '0+' }),
    voterId: int32('0+'),
    voterDirectoryId: uuid('0+'),
  }),
);
export type RemoveRaftVoterRequest = Infer<typeof removeRaftVoterRequest>;

export const removeRaftVoterResponse = response(
  'RemoveRaftVoterResponse',
  { apiKey: 81, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+', ignorable: true }),
  }),
);
export type RemoveRaftVoterResponse = Infer<typeof removeRaftVoterResponse>;
