import { int16, int32, int64, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const addOffsetsToTxnRequest = request(
  'AddOffsetsToTxnRequest',
  { apiKey: 25, versions: '0-4', flexible: '3+', listeners: ['broker'] },
  () => ({
    transactionalId: string('0+', { entity: 'transactionalId' }),
    producerId: int64('0+', { entity: 'producerId' }),
    producerEpoch: int16('0+'),
    groupId: string('0+', { entity: 'groupId' }),
  }),
);
export type AddOffsetsToTxnRequest = Infer<typeof addOffsetsToTxnRequest>;

export const addOffsetsToTxnResponse = response(
  'AddOffsetsToTxnResponse',
  { apiKey: 25, versions: '0-4', flexible: '3+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
  }),
);
export type AddOffsetsToTxnResponse = Infer<typeof addOffsetsToTxnResponse>;
