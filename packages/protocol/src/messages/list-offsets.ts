import { array, int16, int32, int64, int8, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const listOffsetsRequest = request(
  'ListOffsetsRequest',
  { apiKey: 2, versions: '1-11', flexible: '6+', listeners: ['broker'] },
  () => ({
    replicaId: int32('0+', { entity: 'brokerId' }),
    isolationLevel: int8('2+'),
    topics: array('0+', {
      name: string('0+', { entity: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        currentLeaderEpoch: int32('4+', { default: -1, ignorable: true }),
        timestamp: int64('0+'),
      }),
    }),
    timeoutMs: int32('10+', { ignorable: true }),
  }),
);
export type ListOffsetsRequest = Infer<typeof listOffsetsRequest>;

export const listOffsetsResponse = response(
  'ListOffsetsResponse',
  { apiKey: 2, versions: '1-11', flexible: '6+' },
  () => ({
    throttleTimeMs: int32('2+', { ignorable: true }),
    topics: array('0+', {
      name: string('0+', { entity: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        timestamp: int64('1+', { default: -1 }),
        offset: int64('1+', { default: -1 }),
        leaderEpoch: int32('4+', { default: -1 }),
      }),
    }),
  }),
);
export type ListOffsetsResponse = Infer<typeof listOffsetsResponse>;
