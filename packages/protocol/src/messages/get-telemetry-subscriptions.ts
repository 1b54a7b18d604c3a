import { array, bool, int16, int32, uuid } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const getTelemetrySubscriptionsRequest = request(
  'GetTelemetrySubscriptionsRequest',
  { apiKey: 71, versions: '0', flexible: '0+', listeners: ['broker'] },
  () => ({
    clientInstanceId: uuid('0+'),
  }),
);
export type GetTelemetrySubscriptionsRequest = Infer<typeof getTelemetrySubscriptionsRequest>;

export const getTelemetrySubscriptionsResponse = response(
  'GetTelemetrySubscriptionsResponse',
  { apiKey: 71, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    clientInstanceId: uuid('0+'),
    subscriptionId: int32('0+'),
    acceptedCompressionTypes: array('0+', 'int8'),
    pushIntervalMs: int32('0+'),
    telemetryMaxBytes: int32('0+'),
    deltaTemporality: bool('0+'),
    requestedMetrics: array('0+', 'string'),
  }),
);
export type GetTelemetrySubscriptionsResponse = Infer<typeof getTelemetrySubscriptionsResponse>;
