import { array, int16, int32, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const alterReplicaLogDirsRequest = request(
  'AlterReplicaLogDirsRequest',
  { apiKey: 34, versions: '1-2', flexible: '2+', listeners: ['broker'] },
  () => ({
    dirs: array('0+', {
      path: string('0+', { mapKey: true }),
      topics: array('0+', {
        name: string('0+', { mapKey: true, entity: 'topicName' }),
        partitions: array('0+', 'int32'),
      }),
    }),
  }),
);
export type AlterReplicaLogDirsRequest = Infer<typeof alterReplicaLogDirsRequest>;

export const alterReplicaLogDirsResponse = response(
  'AlterReplicaLogDirsResponse',
  { apiKey: 34, versions: '1-2', flexible: '2+' },
  () => ({
    throttleTimeMs: int32('0+'),
    results: array('0+', {
      topicName: string('0+', { entity: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
      }),
    }),
  }),
);
export type AlterReplicaLogDirsResponse = Infer<typeof alterReplicaLogDirsResponse>;
