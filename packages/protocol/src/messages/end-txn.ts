import { bool, int16, int32, int64, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const endTxnRequest = request(
  'EndTxnRequest',
  { apiKey: 26, versions: '0-5', flexible: '3+', listeners: ['broker'] },
  () => ({
    transactionalId: string('0+', { entity: 'transactionalId' }),
    producerId: int64('0+', { entity: 'producerId' }),
    producerEpoch: int16('0+'),
    committed: bool('0+'),
  }),
);
export type EndTxnRequest = Infer<typeof endTxnRequest>;

export const endTxnResponse = response(
  'EndTxnResponse',
  { apiKey: 26, versions: '0-5', flexible: '3+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    producerId: int64('5+', { default: -1, ignorable: true, entity: 'producerId' }),
    producerEpoch: int16('5+', { default: -1, ignorable: true }),
  }),
);
export type EndTxnResponse = Infer<typeof endTxnResponse>;
