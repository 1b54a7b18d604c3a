import { bytes, int16, int64, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const saslAuthenticateRequest = request(
  'SaslAuthenticateRequest',
  { apiKey: 36, versions: '0-2', flexible: '2+', listeners: ['broker', 'controller'] },
  () => ({
    authBytes: bytes('0+'),
  }),
);
export type SaslAuthenticateRequest = Infer<typeof saslAuthenticateRequest>;

export const saslAuthenticateResponse = response(
  'SaslAuthenticateResponse',
  { apiKey: 36, versions: '0-2', flexible: '2+' },
  () => ({
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    authBytes: bytes('0+'),
    sessionLifetimeMs: int64('1+', { ignorable: true }),
  }),
);
export type SaslAuthenticateResponse = Infer<typeof saslAuthenticateResponse>;
