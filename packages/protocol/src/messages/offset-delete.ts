import { array, int16, int32, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const offsetDeleteRequest = request(
  'OffsetDeleteRequest',
  { apiKey: 47, versions: '0', flexible: 'none', listeners: ['broker'] },
  () => ({
    groupId: string('0+', { entity: 'groupId' }),
    topics: array('0+', {
      name: string('0+', { mapKey: true, entity: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
      }),
    }),
  }),
);
export type OffsetDeleteRequest = Infer<typeof offsetDeleteRequest>;

export const offsetDeleteResponse = response(
  'OffsetDeleteResponse',
  { apiKey: 47, versions: '0', flexible: 'none' },
  () => ({
    errorCode: int16('0+'),
    throttleTimeMs: int32('0+', { ignorable: true }),
    topics: array('0+', {
      name: string('0+', { mapKey: true, entity: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+', { mapKey: true }),
        errorCode: int16('0+'),
      }),
    }),
  }),
);
export type OffsetDeleteResponse = Infer<typeof offsetDeleteResponse>;
