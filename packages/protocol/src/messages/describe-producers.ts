import { array, int16, int32, int64, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const describeProducersRequest = request(
  'DescribeProducersRequest',
  { apiKey: 61, versions: '0', flexible: '0+', listeners: ['broker'] },
  () => ({
    topics: array('0+', {
      name: string('0+', { mapKey: true, entity: 'topicName' }),
      partitionIndexes: array('0+', 'int32'),
    }),
  }),
);
export type DescribeProducersRequest = Infer<typeof describeProducersRequest>;

export const describeProducersResponse = response(
  'DescribeProducersResponse',
  { apiKey: 61, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    topics: array('0+', {
      name: string('0+', { entity: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+', default: null }),
        activeProducers: array('0+', {
          producerId: int64('0+', { entity: 'producerId' }),
          producerEpoch: int32('0+'),
          lastSequence: int32('0+', { default: -1 }),
          lastTimestamp: int64('0+', { default: -1 }),
          coordinatorEpoch: int32('0+'),
          currentTxnStartOffset: int64('0+', { default: -1 }),
        }),
      }),
    }),
  }),
);
export type DescribeProducersResponse = Infer<typeof describeProducersResponse>;
