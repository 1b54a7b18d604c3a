import { array, int16, int32, string, struct, uuid } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const shareGroupHeartbeatRequest = request(
  'ShareGroupHeartbeatRequest',
  { apiKey: 76, versions: '1', flexible: '0+', listeners: ['broker'] },
  () => ({
    groupId: string('0+', { entity: 'groupId' }),
    memberId: string('0+'),
    memberEpoch: int32('0+'),
    rackId: string('0+', { nullable: '0+', default: null }),
    subscribedTopicNames: array('0+', 'string', { nullable: '0+', default: null, entity: 'topicName' }),
  }),
);
export type ShareGroupHeartbeatRequest = Infer<typeof shareGroupHeartbeatRequest>;

const topicPartitions = {
  topicId: uuid('0+'),
  partitions: array('0+', 'int32'),
} as const;

export const shareGroupHeartbeatResponse = response(
  'ShareGroupHeartbeatResponse',
  { apiKey: 76, versions: '1', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+', default: null }),
    memberId: string('0+', { nullable: '0+', default: null }),
    memberEpoch: int32('0+'),
    heartbeatIntervalMs: int32('0+'),
    assignment: struct(
      '0+',
      {
        topicPartitions: array('0+', topicPartitions),
      },
      { nullable: '0+', default: null },
    ),
  }),
);
export type ShareGroupHeartbeatResponse = Infer<typeof shareGroupHeartbeatResponse>;
