import { bool, int16, int32, int64, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const initProducerIdRequest = request(
  'InitProducerIdRequest',
  { apiKey: 22, versions: '0-6', flexible: '2+', listeners: ['broker'], unstable: true },
  () => ({
    transactionalId: string('0+', { nullable: '0+', entity: 'transactionalId' }),
    transactionTimeoutMs: int32('0+'),
    producerId: int64('3+', { default: -1, entity: 'producerId' }),
    producerEpoch: int16('3+', { default: -1 }),
    enable2Pc: bool('6+'),
    keepPreparedTxn: bool('6+'),
  }),
);
export type InitProducerIdRequest = Infer<typeof initProducerIdRequest>;

export const initProducerIdResponse = response(
  'InitProducerIdResponse',
  { apiKey: 22, versions: '0-6', flexible: '2+' },
  () => ({
    throttleTimeMs: int32('0+', { ignorable: true }),
    errorCode: int16('0+'),
    producerId: int64('0+', { default: -1, entity: 'producerId' }),
    producerEpoch: int16('0+'),
    ongoingTxnProducerId: int64('6+', { default: -1, entity: 'producerId' }),
    ongoingTxnProducerEpoch: int16('6+', { default: -1 }),
  }),
);
export type InitProducerIdResponse = Infer<typeof initProducerIdResponse>;
