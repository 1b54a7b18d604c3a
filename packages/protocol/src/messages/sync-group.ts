import { array, bytes, int16, int32, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const syncGroupRequest = request(
  'SyncGroupRequest',
  { apiKey: 14, versions: '0-5', flexible: '4+', listeners: ['broker'] },
  () => ({
    groupId: string('0+', { entity: 'groupId' }),
    generationId: int32('0+'),
    memberId: string('0+'),
    groupInstanceId: string('3+', { nullable: '3+', default: null }),
    protocolType: string('5+', { nullable: '5+', default: null, ignorable: true }),
    protocolName: string('5+', { nullable: '5+', default: null, ignorable: true }),
    assignments: array('0+', {
      memberId: string('0+'),
      assignment: bytes('0+'),
    }),
  }),
);
export type SyncGroupRequest = Infer<typeof syncGroupRequest>;

export const syncGroupResponse = response(
  'SyncGroupResponse',
  { apiKey: 14, versions: '0-5', flexible: '4+' },
  () => ({
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
    protocolType: string('5+', { nullable: '5+', default: null, ignorable: true }),
    protocolName: string('5+', { nullable: '5+', default: null, ignorable: true }),
    assignment: bytes('0+'),
  }),
);
export type SyncGroupResponse = Infer<typeof syncGroupResponse>;
