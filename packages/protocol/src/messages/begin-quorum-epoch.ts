import { array, int16, int32, string, uint16, uuid } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const beginQuorumEpochRequest = request(
  'BeginQuorumEpochRequest',
  { apiKey: 53, versions: '0-1', flexible: '1+', listeners: ['controller'] },
  () => ({
    clusterId: string('0+', { nullable: '0+', default: null }),
    voterId: int32('1+', { default: -1, ignorable: true, entity: 'brokerId' }),
    topics: array('0+', {
      topicName: string('0+', { entity: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        voterDirectoryId: uuid('1+', { ignorable: true }),
        leaderId: int32('0+', { entity: 'brokerId' }),
        leaderEpoch: int32('0+'),
      }),
    }),
    leaderEndpoints: array(
      '1+',
      {
        name: string('1+', { mapKey: true }),
        host: string('1+'),
        port: uint16('1+'),
      },
      { ignorable: true },
    ),
  }),
);
export type BeginQuorumEpochRequest = Infer<typeof beginQuorumEpochRequest>;

export const beginQuorumEpochResponse = response(
  'BeginQuorumEpochResponse',
  { apiKey: 53, versions: '0-1', flexible: '1+' },
  () => ({
    errorCode: int16('0+'),
    topics: array('0+', {
      topicName: string('0+', { entity: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        leaderId: int32('0+', { entity: 'brokerId' }),
        leaderEpoch: int32('0+'),
      }),
    }),
    nodeEndpoints: array(
      '1+',
      {
        nodeId: int32('1+', { mapKey: true, entity: 'brokerId' }),
        host: string('1+'),
        port: uint16('1+'),
      },
      { tag: 0, tagged: '1+' },
    ),
  }),
);
export type BeginQuorumEpochResponse = Infer<typeof beginQuorumEpochResponse>;
