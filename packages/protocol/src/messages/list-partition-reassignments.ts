import { array, int16, int32, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const listPartitionReassignmentsRequest = request(
  'ListPartitionReassignmentsRequest',
  { apiKey: 46, versions: '0', flexible: '0+', listeners: ['broker', 'controller'] },
  () => ({
    timeoutMs: int32('0+', { default: 60000 }),
    topics: array(
      '0+',
      {
        name: string('0+', { entity: 'topicName' }),
        partitionIndexes: array('0+', 'int32'),
      },
      { nullable: '0+', default: null },
    ),
  }),
);
export type ListPartitionReassignmentsRequest = Infer<typeof listPartitionReassignmentsRequest>;

export const listPartitionReassignmentsResponse = response(
  'ListPartitionReassignmentsResponse',
  { apiKey: 46, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    topics: array('0+', {
      name: string('0+', { entity: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        replicas: array('0+', 'int32', { entity: 'brokerId' }),
        addingReplicas: array('0+', 'int32', { entity: 'brokerId' }),
        removingReplicas: array('0+', 'int32', { entity: 'brokerId' }),
      }),
    }),
  }),
);
export type ListPartitionReassignmentsResponse = Infer<typeof listPartitionReassignmentsResponse>;
