import { int16, int32, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const heartbeatRequest = request(
  'HeartbeatRequest',
  { apiKey: 12, versions: '0-4', flexible: '4+', listeners: ['broker'] },
  () => ({
    groupId: string('0+', { entity: 'groupId' }),
    generationId: int32('0+'),
    memberId: string('0+'),
    groupInstanceId: string('3+', { nullable: '3+', default: null }),
  }),
);
export type HeartbeatRequest = Infer<typeof heartbeatRequest>;

export const heartbeatResponse = response(
  'HeartbeatResponse',
  { apiKey: 12, versions: '0-4', flexible: '4+' },
  () => ({
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
  }),
);
export type HeartbeatResponse = Infer<typeof heartbeatResponse>;
