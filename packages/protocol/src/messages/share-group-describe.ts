import { array, bool, int16, int32, string, struct, uuid } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const shareGroupDescribeRequest = request(
  'ShareGroupDescribeRequest',
  { apiKey: 77, versions: '1', flexible: '0+', listeners: ['broker'] },
  () => ({
    groupIds: array('0+', 'string', { entity: 'groupId' }),
    includeAuthorizedOperations: bool('0+'),
  }),
);
export type ShareGroupDescribeRequest = Infer<typeof shareGroupDescribeRequest>;

const topicPartitions = {
  topicId: uuid('0+'),
  topicName: string('0+', { entity: 'topicName' }),
  partitions: array('0+', 'int32'),
} as const;

const assignment = {
  topicPartitions: array('0+', topicPartitions),
} as const;

export const shareGroupDescribeResponse = response(
  'ShareGroupDescribeResponse',
  { apiKey: 77, versions: '1', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    groups: array('0+', {
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+', default: null }),
      groupId: string('0+', { entity: 'groupId' }),
      groupState: string('0+'),
      groupEpoch: int32('0+'),
      assignmentEpoch: int32('0+'),
      assignorName: string('0+'),
      members: array('0+', {
        memberId: string('0+'),
        rackId: string('0+', { nullable: '0+', default: null }),
        memberEpoch: int32('0+'),
        clientId: string('0+'),
        clientHost: string('0+'),
        subscribedTopicNames: array('0+', 'string', { entity: 'topicName' }),
        assignment: struct('0+', assignment),
      }),
      authorizedOperations: int32('0+', { default: -2147483648 }),
    }),
  }),
);
export type ShareGroupDescribeResponse = Infer<typeof shareGroupDescribeResponse>;
