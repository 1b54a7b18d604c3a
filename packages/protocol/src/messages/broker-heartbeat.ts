import { array, bool, int16, int32, int64 } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const brokerHeartbeatRequest = request(
  'BrokerHeartbeatRequest',
  { apiKey: 63, versions: '0-2', flexible: '0+', listeners: ['controller'] },
  () => ({
    brokerId: int32('0+', { entity: 'brokerId' }),
    brokerEpoch: int64('0+', { default: -1 }),
    currentMetadataOffset: int64('0+'),
    wantFence: bool('0+'),
    wantShutDown: bool('0+'),
    offlineLogDirs: array('1+', 'uuid', { tag: 0, tagged: '1+' }),
    cordonedLogDirs: array('2+', 'uuid', { nullable: '2+', default: null, tag: 1, tagged: '2+' }),
  }),
);
export type BrokerHeartbeatRequest = Infer<typeof brokerHeartbeatRequest>;

export const brokerHeartbeatResponse = response(
  'BrokerHeartbeatResponse',
  { apiKey: 63, versions: '0-2', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    isCaughtUp: bool('0+'),
    isFenced: bool('0+', { default: true }),
    shouldShutDown: bool('0+'),
  }),
);
export type BrokerHeartbeatResponse = Infer<typeof brokerHeartbeatResponse>;
