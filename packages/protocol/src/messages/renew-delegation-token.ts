import { bytes, int16, int32, int64 } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const renewDelegationTokenRequest = request(
  'RenewDelegationTokenRequest',
  { apiKey: 39, versions: '1-2', flexible: '2+', listeners: ['broker', 'controller'] },
  () => ({
    hmac: bytes('0+'),
    renewPeriodMs: int64('0+'),
  }),
);
export type RenewDelegationTokenRequest = Infer<typeof renewDelegationTokenRequest>;

export const renewDelegationTokenResponse = response(
  'RenewDelegationTokenResponse',
  { apiKey: 39, versions: '1-2', flexible: '2+' },
  () => ({
    errorCode: int16('0+'),
    expiryTimestampMs: int64('0+'),
    throttleTimeMs: int32('0+'),
  }),
);
export type RenewDelegationTokenResponse = Infer<typeof renewDelegationTokenResponse>;
