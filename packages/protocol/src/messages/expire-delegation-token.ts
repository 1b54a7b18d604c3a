import { bytes, int16, int32, int64 } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const expireDelegationTokenRequest = request(
  'ExpireDelegationTokenRequest',
  { apiKey: 40, versions: '1-2', flexible: '2+', listeners: ['broker', 'controller'] },
  () => ({
    hmac: bytes('0+'),
    expiryTimePeriodMs: int64('0+'),
  }),
);
export type ExpireDelegationTokenRequest = Infer<typeof expireDelegationTokenRequest>;

export const expireDelegationTokenResponse = response(
  'ExpireDelegationTokenResponse',
  { apiKey: 40, versions: '1-2', flexible: '2+' },
  () => ({
    errorCode: int16('0+'),
    expiryTimestampMs: int64('0+'),
    throttleTimeMs: int32('0+'),
  }),
);
export type ExpireDelegationTokenResponse = Infer<typeof expireDelegationTokenResponse>;
