import { int16, int32, int64 } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const allocateProducerIdsRequest = request(
  'AllocateProducerIdsRequest',
  { apiKey: 67, versions: '0', flexible: '0+', listeners: ['controller'] },
  () => ({
    brokerId: int32('0+', { entity: 'brokerId' }),
    brokerEpoch: int64('0+', { default: -1 }),
  }),
);
export type AllocateProducerIdsRequest = Infer<typeof allocateProducerIdsRequest>;

export const allocateProducerIdsResponse = response(
  'AllocateProducerIdsResponse',
  { apiKey: 67, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    producerIdStart: int64('0+', { entity: 'producerId' }),
    producerIdLen: int32('0+'),
  }),
);
export type AllocateProducerIdsResponse = Infer<typeof allocateProducerIdsResponse>;
