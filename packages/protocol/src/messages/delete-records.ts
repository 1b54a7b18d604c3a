import { array, int16, int32, int64, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const deleteRecordsRequest = request(
  'DeleteRecordsRequest',
  { apiKey: 21, versions: '0-2', flexible: '2+', listeners: ['broker'] },
  () => ({
    topics: array('0+', {
      name: string('0+', { entity: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        offset: int64('0+'),
      }),
    }),
    timeoutMs: int32('0+'),
  }),
);
export type DeleteRecordsRequest = Infer<typeof deleteRecordsRequest>;

export const deleteRecordsResponse = response(
  'DeleteRecordsResponse',
  { apiKey: 21, versions: '0-2', flexible: '2+' },
  () => ({
    throttleTimeMs: int32('0+'),
    topics: array('0+', {
      name: string('0+', { mapKey: true, entity: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+', { mapKey: true }),
        lowWatermark: int64('0+'),
        errorCode: int16('0+'),
      }),
    }),
  }),
);
export type DeleteRecordsResponse = Infer<typeof deleteRecordsResponse>;
