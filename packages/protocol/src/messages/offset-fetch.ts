import { array, bool, int16, int32, int64, string, uuid } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const offsetFetchRequest = request(
  'OffsetFetchRequest',
  { apiKey: 9, versions: '1-10', flexible: '6+', listeners: ['broker'] },
  () => ({
    groupId: string('0-7', { entity: 'groupId' }),
    topics: array(
      '0-7',
      {
        name: string('0-7', { entity: 'topicName' }),
        partitionIndexes: array('0-7', 'int32'),
      },
      { nullable: '2-7' },
    ),
    groups: array('8+', {
      groupId: string('8+', { entity: 'groupId' }),
      memberId: string('9+', { nullable: '9+', default: null, ignorable: true }),
      memberEpoch: int32('9+', { default: -1, ignorable: true }),
      topics: array(
        '8+',
        {
          name: string('8-9', { ignorable: true, entity: 'topicName' }),
          topicId: uuid('10+', { ignorable: true }),
          partitionIndexes: array('8+', 'int32'),
        },
        { nullable: '8+' },
      ),
    }),
    requireStable: bool('7+'),
  }),
);
export type OffsetFetchRequest = Infer<typeof offsetFetchRequest>;

export const offsetFetchResponse = response(
  'OffsetFetchResponse',
  { apiKey: 9, versions: '1-10', flexible: '6+' },
  () => ({
    throttleTimeMs: int32('3+', { ignorable: true }),
    topics: array('0-7', {
      name: string('0-7', { entity: 'topicName' }),
      partitions: array('0-7', {
        partitionIndex: int32('0-7'),
        committedOffset: int64('0-7'),
        committedLeaderEpoch: int32('5-7', { default: -1, ignorable: true }),
        metadata: string('0-7', { nullable: '0-7' }),
        errorCode: int16('0-7'),
      }),
    }),
    errorCode: int16('2-7', { ignorable: true }),
    groups: array('8+', {
      groupId: string('8+', { entity: 'groupId' }),
      topics: array('8+', {
        name: string('8-9', { ignorable: true, entity: 'topicName' }),
        topicId: uuid('10+', { ignorable: true }),
        partitions: array('8+', {
          partitionIndex: int32('8+'),
          committedOffset: int64('8+'),
          committedLeaderEpoch: int32('8+', { default: -1, ignorable: true }),
          metadata: string('8+', { nullable: '8+' }),
          errorCode: int16('8+'),
        }),
      }),
      errorCode: int16('8+'),
    }),
  }),
);
export type OffsetFetchResponse = Infer<typeof offsetFetchResponse>;
