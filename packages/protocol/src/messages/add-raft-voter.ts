import { array, bool, int16, int32, string, uint16, uuid } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const addRaftVoterRequest = request(
  'AddRaftVoterRequest',
  { apiKey: 80, versions: '0-1', flexible: '0+', listeners: ['controller', 'broker'] },
  () => ({
    clusterId: string('0+', { nullable: '0+' }),
    timeoutMs: int32('0+'),
    voterId: int32('0+'),
    voterDirectoryId: uuid('0+'),
    listeners: array('0+', {
      name: string('0+', { mapKey: true }),
      host: string('0+'),
      port: uint16('0+'),
    }),
    ackWhenCommitted: bool('1+', { default: true }),
  }),
);
export type AddRaftVoterRequest = Infer<typeof addRaftVoterRequest>;

export const addRaftVoterResponse = response(
  'AddRaftVoterResponse',
  { apiKey: 80, versions: '0-1', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+', ignorable: true }),
  }),
);
export type AddRaftVoterResponse = Infer<typeof addRaftVoterResponse>;
