import { bytes, int16 } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const envelopeRequest = request(
  'EnvelopeRequest',
  { apiKey: 58, versions: '0', flexible: '0+', listeners: ['controller'] },
  () => ({
    requestData: bytes('0+'),
    requestPrincipal: bytes('0+', { nullable: '0+' }),
    clientHostAddress: bytes('0+'),
  }),
);
export type EnvelopeRequest = Infer<typeof envelopeRequest>;

export const envelopeResponse = response(
  'EnvelopeResponse',
  { apiKey: 58, versions: '0', flexible: '0+' },
  () => ({
    responseData: bytes('0+', { nullable: '0+', default: null }),
    errorCode: int16('0+'),
  }),
);
export type EnvelopeResponse = Infer<typeof envelopeResponse>;
