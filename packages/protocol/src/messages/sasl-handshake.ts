import { array, int16, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const saslHandshakeRequest = request(
  'SaslHandshakeRequest',
  { apiKey: 17, versions: '0-1', flexible: 'none', listeners: ['broker', 'controller'] },
  () => ({
    mechanism: string('0+'),
  }),
);
export type SaslHandshakeRequest = Infer<typeof saslHandshakeRequest>;

export const saslHandshakeResponse = response(
  'SaslHandshakeResponse',
  { apiKey: 17, versions: '0-1', flexible: 'none' },
  () => ({
    errorCode: int16('0+'),
    mechanisms: array('0+', 'string'),
  }),
);
export type SaslHandshakeResponse = Infer<typeof saslHandshakeResponse>;
