import { array, int16, int32, int64, int8, uuid } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const alterPartitionRequest = request(
  'AlterPartitionRequest',
  { apiKey: 56, versions: '2-3', flexible: '0+', listeners: ['controller'] },
  () => ({
    brokerId: int32('0+', { entity: 'brokerId' }),
    brokerEpoch: int64('0+', { default: -1 }),
    topics: array('0+', {
      topicId: uuid('2+', { ignorable: true }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        leaderEpoch: int32('0+'),
        newIsr: array('0-2', 'int32', { entity: 'brokerId' }),
        newIsrWithEpochs: array('3+', {
          brokerId: int32('3+', { entity: 'brokerId' }),
          brokerEpoch: int64('3+', { default: -1 }),
        }),
        leaderRecoveryState: int8('1+'),
        partitionEpoch: int32('0+'),
      }),
    }),
  }),
);
export type AlterPartitionRequest = Infer<typeof alterPartitionRequest>;

export const alterPartitionResponse = response(
  'AlterPartitionResponse',
  { apiKey: 56, versions: '2-3', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    topics: array('0+', {
      topicId: uuid('2+', { ignorable: true }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        leaderId: int32('0+', { entity: 'brokerId' }),
        leaderEpoch: int32('0+'),
        isr: array('0+', 'int32', { entity: 'brokerId' }),
        leaderRecoveryState: int8('1+', { ignorable: true }),
        partitionEpoch: int32('0+'),
      }),
    }),
  }),
);
export type AlterPartitionResponse = Infer<typeof alterPartitionResponse>;
