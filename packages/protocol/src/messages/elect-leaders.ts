import { array, int16, int32, int8, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const electLeadersRequest = request(
  'ElectLeadersRequest',
  { apiKey: 43, versions: '0-2', flexible: '2+', listeners: ['broker', 'controller'] },
  () => ({
    electionType: int8('1+'),
    topicPartitions: array(
      '0+',
      {
        topic: string('0+', { mapKey: true, entity: 'topicName' }),
        partitions: array('0+', 'int32'),
      },
      { nullable: '0+' },
    ),
    timeoutMs: int32('0+', { default: 60000 }),
  }),
);
export type ElectLeadersRequest = Infer<typeof electLeadersRequest>;

export const electLeadersResponse = response(
  'ElectLeadersResponse',
  { apiKey: 43, versions: '0-2', flexible: '2+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('1+'),
    replicaElectionResults: array('0+', {
      topic: string('0+', { entity: 'topicName' }),
      partitionResult: array('0+', {
        partitionId: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+' }),
      }),
    }),
  }),
);
export type ElectLeadersResponse = Infer<typeof electLeadersResponse>;
