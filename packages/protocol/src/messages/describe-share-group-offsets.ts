import { array, int16, int32, int64, string, uuid } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const describeShareGroupOffsetsRequest = request(
  'DescribeShareGroupOffsetsRequest',
  { apiKey: 90, versions: '0-1', flexible: '0+', listeners: ['broker'] },
  () => ({
    groups: array('0+', {
      groupId: string('0+', { entity: 'groupId' }),
      topics: array(
        '0+',
        {
          topicName: string('0+', { entity: 'topicName' }),
          partitions: array('0+', 'int32'),
        },
        { nullable: '0+' },
      ),
    }),
  }),
);
export type DescribeShareGroupOffsetsRequest = Infer<typeof describeShareGroupOffsetsRequest>;

export const describeShareGroupOffsetsResponse = response(
  'DescribeShareGroupOffsetsResponse',
  { apiKey: 90, versions: '0-1', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    groups: array('0+', {
      groupId: string('0+', { entity: 'groupId' }),
      topics: array('0+', {
        topicName: string('0+', { entity: 'topicName' }),
        topicId: uuid('0+'),
        partitions: array('0+', {
          partitionIndex: int32('0+'),
          startOffset: int64('0+'),
          leaderEpoch: int32('0+'),
          lag: int64('1+', { default: -1, ignorable: true }),
          errorCode: int16('0+'),
          errorMessage: string('0+', { nullable: '0+', default: null }),
        }),
      }),
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+', default: null }),
    }),
  }),
);
export type DescribeShareGroupOffsetsResponse = Infer<typeof describeShareGroupOffsetsResponse>;
