import { int16, int32, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const unregisterBrokerRequest = request(
  'UnregisterBrokerRequest',
  { apiKey: 64, versions: '0', flexible: '0+', listeners: ['broker', 'controller'] },
  () => ({
    brokerId: int32('0+', { entity: 'brokerId' }),
  }),
);
export type UnregisterBrokerRequest = Infer<typeof unregisterBrokerRequest>;

export const unregisterBrokerResponse = response(
  'UnregisterBrokerResponse',
  { apiKey: 64, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
  }),
);
export type UnregisterBrokerResponse = Infer<typeof unregisterBrokerResponse>;
