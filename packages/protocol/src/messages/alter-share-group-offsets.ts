import { array, int16, int32, int64, string, uuid } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const alterShareGroupOffsetsRequest = request(
  'AlterShareGroupOffsetsRequest',
  { apiKey: 91, versions: '0', flexible: '0+', listeners: ['broker'] },
  () => ({
    groupId: string('0+', { entity: 'groupId' }),
    topics: array('0+', {
      topicName: string('0+', { mapKey: true, entity: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        startOffset: int64('0+'),
      }),
    }),
  }),
);
export type AlterShareGroupOffsetsRequest = Infer<typeof alterShareGroupOffsetsRequest>;

export const alterShareGroupOffsetsResponse = response(
  'AlterShareGroupOffsetsResponse',
  { apiKey: 91, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+', default: null }),
    responses: array('0+', {
      topicName: string('0+', { mapKey: true, entity: 'topicName' }),
      topicId: uuid('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+', default: null }),
      }),
    }),
  }),
);
export type AlterShareGroupOffsetsResponse = Infer<typeof alterShareGroupOffsetsResponse>;
