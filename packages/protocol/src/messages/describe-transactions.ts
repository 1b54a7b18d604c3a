import { array, int16, int32, int64, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const describeTransactionsRequest = request(
  'DescribeTransactionsRequest',
  { apiKey: 65, versions: '0', flexible: '0+', listeners: ['broker'] },
  () => ({
    transactionalIds: array('0+', 'string', { entity: 'transactionalId' }),
  }),
);
export type DescribeTransactionsRequest = Infer<typeof describeTransactionsRequest>;

export const describeTransactionsResponse = response(
  'DescribeTransactionsResponse',
  { apiKey: 65, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    transactionStates: array('0+', {
      errorCode: int16('0+'),
      transactionalId: string('0+', { entity: 'transactionalId' }),
      transactionState: string('0+'),
      transactionTimeoutMs: int32('0+'),
      transactionStartTimeMs: int64('0+'),
      producerId: int64('0+', { entity: 'producerId' }),
      producerEpoch: int16('0+'),
      topics: array('0+', {
        topic: string('0+', { mapKey: true, entity: 'topicName' }),
        partitions: array('0+', 'int32'),
      }),
    }),
  }),
);
export type DescribeTransactionsResponse = Infer<typeof describeTransactionsResponse>;
