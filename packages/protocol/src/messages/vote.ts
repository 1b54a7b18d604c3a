import { array, bool, int16, int32, int64, string, uint16, uuid } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const voteRequest = request(
  'VoteRequest',
  { apiKey: 52, versions: '0-2', flexible: '0+', listeners: ['controller'] },
  () => ({
    clusterId: string('0+', { nullable: '0+', default: null }),
    voterId: int32('1+', { default: -1, ignorable: true, entity: 'brokerId' }),
    topics: array('0+', {
      topicName: string('0+', { entity: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        replicaEpoch: int32('0+'),
        replicaId: int32('0+', { entity: 'brokerId' }),
        replicaDirectoryId: uuid('1+', { ignorable: true }),
        voterDirectoryId: uuid('1+', { ignorable: true }),
        lastOffsetEpoch: int32('0+'),
        lastOffset: int64('0+'),
        preVote: bool('2+'),
      }),
    }),
  }),
);
export type VoteRequest = Infer<typeof voteRequest>;

export const voteResponse = response('VoteResponse', { apiKey: 52, versions: '0-2', flexible: '0+' }, () => ({
  errorCode: int16('0+'),
  topics: array('0+', {
    topicName: string('0+', { entity: 'topicName' }),
    partitions: array('0+', {
      partitionIndex: int32('0+'),
      errorCode: int16('0+'),
      leaderId: int32('0+', { entity: 'brokerId' }),
      leaderEpoch: int32('0+'),
      voteGranted: bool('0+'),
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
}));
export type VoteResponse = Infer<typeof voteResponse>;
