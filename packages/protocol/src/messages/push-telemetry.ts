import { bool, bytes, int16, int32, int8, uuid } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const pushTelemetryRequest = request(
  'PushTelemetryRequest',
  { apiKey: 72, versions: '0', flexible: '0+', listeners: ['broker'] },
  () => ({
    clientInstanceId: uuid('0+'),
    subscriptionId: int32('0+'),
    terminating: bool('0+'),
    compressionType: int8('0+'),
    metrics: bytes('0+'),
  }),
);
export type PushTelemetryRequest = Infer<typeof pushTelemetryRequest>;

export const pushTelemetryResponse = response(
  'PushTelemetryResponse',
  { apiKey: 72, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
  }),
);
export type PushTelemetryResponse = Infer<typeof pushTelemetryResponse>;
