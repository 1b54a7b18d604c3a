import { int16, int32, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const unregisterControllerRequest = request(
  'UnregisterControllerRequest',
  { apiKey: 94, versions: '0', flexible: '0+', listeners: ['broker', 'controller'] },
  () => ({
    controllerId: int32('0+'),
  }),
);
export type UnregisterControllerRequest = Infer<typeof unregisterControllerRequest>;

export const unregisterControllerResponse = response(
  'UnregisterControllerResponse',
  { apiKey: 94, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
  }),
);
export type UnregisterControllerResponse = Infer<typeof unregisterControllerResponse>;
