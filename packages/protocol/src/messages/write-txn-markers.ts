import { array, bool, int16, int32, int64, int8, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const writeTxnMarkersRequest = request(
  'WriteTxnMarkersRequest',
  { apiKey: 27, versions: '1-2', flexible: '1+', listeners: ['broker'] },
  () => ({
    markers: array('0+', {
      producerId: int64('0+', { entity: 'producerId' }),
      producerEpoch: int16('0+'),
      transactionResult: bool('0+'),
      topics: array('0+', {
        name: string('0+', { entity: 'topicName' }),
        partitionIndexes: array('0+', 'int32'),
      }),
      coordinatorEpoch: int32('0+'),
      transactionVersion: int8('2+', { ignorable: true }),
    }),
  }),
);
export type WriteTxnMarkersRequest = Infer<typeof writeTxnMarkersRequest>;

export const writeTxnMarkersResponse = response(
  'WriteTxnMarkersResponse',
  { apiKey: 27, versions: '1-2', flexible: '1+' },
  () => ({
    markers: array('0+', {
      producerId: int64('0+', { entity: 'producerId' }),
      topics: array('0+', {
        name: string('0+', { entity: 'topicName' }),
        partitions: array('0+', {
          partitionIndex: int32('0+'),
          errorCode: int16('0+'),
        }),
      }),
    }),
  }),
);
export type WriteTxnMarkersResponse = Infer<typeof writeTxnMarkersResponse>;
