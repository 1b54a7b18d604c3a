import { array, int16, int32, int64, int8, string, struct, uint16 } from '../../schema/field.ts';
import { coordinatorKey, coordinatorValue, type Infer } from '../../schema/message-schema.ts';

export const streamsGroupMetadataKey = coordinatorKey(
  'StreamsGroupMetadataKey',
  { apiKey: 17, versions: '0', flexible: 'none' },
  () => ({
    groupId: string('0'),
  }),
);
export type StreamsGroupMetadataKey = Infer<typeof streamsGroupMetadataKey>;

const lastAssignmentConfig = {
  key: string('0+'),
  value: string('0+'),
} as const;

export const streamsGroupMetadataValue = coordinatorValue(
  'StreamsGroupMetadataValue',
  { apiKey: 17, versions: '0', flexible: '0+' },
  () => ({
    epoch: int32('0+'),
    metadataHash: int64('0+'),
    validatedTopologyEpoch: int32('0+', { default: -1, tag: 0, tagged: '0+' }),
    lastAssignmentConfigs: array('0+', lastAssignmentConfig, { nullable: '0+', tag: 1, tagged: '0+' }),
    storedDescriptionTopologyEpoch: int32('0+', { default: -1, tag: 2, tagged: '0+' }),
    failedDescriptionTopologyEpoch: int32('0+', { default: -1, tag: 3, tagged: '0+' }),
  }),
);
export type StreamsGroupMetadataValue = Infer<typeof streamsGroupMetadataValue>;

export const streamsGroupMemberMetadataKey = coordinatorKey(
  'StreamsGroupMemberMetadataKey',
  { apiKey: 19, versions: '0', flexible: 'none' },
  () => ({
    groupId: string('0'),
    memberId: string('0'),
  }),
);
export type StreamsGroupMemberMetadataKey = Infer<typeof streamsGroupMemberMetadataKey>;

const endpoint = {
  host: string('0+'),
  port: uint16('0+'),
} as const;

const keyValue = {
  key: string('0+'),
  value: string('0+'),
} as const;

export const streamsGroupMemberMetadataValue = coordinatorValue(
  'StreamsGroupMemberMetadataValue',
  { apiKey: 19, versions: '0', flexible: '0+' },
  () => ({
    instanceId: string('0+', { nullable: '0+' }),
    rackId: string('0+', { nullable: '0+' }),
    clientId: string('0+'),
    clientHost: string('0+'),
    rebalanceTimeoutMs: int32('0+', { default: -1 }),
    topologyEpoch: int32('0+'),
    processId: string('0+'),
    userEndpoint: struct('0+', endpoint, { nullable: '0+', default: null }),
    clientTags: array('0+', keyValue),
  }),
);
export type StreamsGroupMemberMetadataValue = Infer<typeof streamsGroupMemberMetadataValue>;

export const streamsGroupTargetAssignmentMetadataKey = coordinatorKey(
  'StreamsGroupTargetAssignmentMetadataKey',
  { apiKey: 20, versions: '0', flexible: 'none' },
  () => ({
    groupId: string('0'),
  }),
);
export type StreamsGroupTargetAssignmentMetadataKey = Infer<typeof streamsGroupTargetAssignmentMetadataKey>;

export const streamsGroupTargetAssignmentMetadataValue = coordinatorValue(
  'StreamsGroupTargetAssignmentMetadataValue',
  { apiKey: 20, versions: '0', flexible: '0+' },
  () => ({
    assignmentEpoch: int32('0+'),
    assignmentTimestamp: int64('0+', { tag: 0, tagged: '0+', ignorable: true }),
  }),
);
export type StreamsGroupTargetAssignmentMetadataValue = Infer<
  typeof streamsGroupTargetAssignmentMetadataValue
>;

export const streamsGroupTargetAssignmentMemberKey = coordinatorKey(
  'StreamsGroupTargetAssignmentMemberKey',
  { apiKey: 21, versions: '0', flexible: 'none' },
  () => ({
    groupId: string('0'),
    memberId: string('0'),
  }),
);
export type StreamsGroupTargetAssignmentMemberKey = Infer<typeof streamsGroupTargetAssignmentMemberKey>;

const taskIds = {
  subtopologyId: string('0+'),
  partitions: array('0+', 'int32'),
} as const;

export const streamsGroupTargetAssignmentMemberValue = coordinatorValue(
  'StreamsGroupTargetAssignmentMemberValue',
  { apiKey: 21, versions: '0', flexible: '0+' },
  () => ({
    activeTasks: array('0+', taskIds),
    standbyTasks: array('0+', taskIds),
    warmupTasks: array('0+', taskIds),
  }),
);
export type StreamsGroupTargetAssignmentMemberValue = Infer<typeof streamsGroupTargetAssignmentMemberValue>;

export const streamsGroupCurrentMemberAssignmentKey = coordinatorKey(
  'StreamsGroupCurrentMemberAssignmentKey',
  { apiKey: 22, versions: '0', flexible: 'none' },
  () => ({
    groupId: string('0'),
    memberId: string('0'),
  }),
);
export type StreamsGroupCurrentMemberAssignmentKey = Infer<typeof streamsGroupCurrentMemberAssignmentKey>;

const streamsGroupCurrentMemberAssignmentValueTaskIds = {
  subtopologyId: string('0+'),
  partitions: array('0+', 'int32'),
  assignmentEpochs: array('0+', 'int32', { nullable: '0+', tag: 0, tagged: '0+' }),
} as const;

export const streamsGroupCurrentMemberAssignmentValue = coordinatorValue(
  'StreamsGroupCurrentMemberAssignmentValue',
  { apiKey: 22, versions: '0', flexible: '0+' },
  () => ({
    memberEpoch: int32('0+'),
    previousMemberEpoch: int32('0+'),
    state: int8('0+'),
    activeTasks: array('0+', streamsGroupCurrentMemberAssignmentValueTaskIds),
    standbyTasks: array('0+', streamsGroupCurrentMemberAssignmentValueTaskIds),
    warmupTasks: array('0+', streamsGroupCurrentMemberAssignmentValueTaskIds),
    activeTasksPendingRevocation: array('0+', streamsGroupCurrentMemberAssignmentValueTaskIds),
    standbyTasksPendingRevocation: array('0+', streamsGroupCurrentMemberAssignmentValueTaskIds),
    warmupTasksPendingRevocation: array('0+', streamsGroupCurrentMemberAssignmentValueTaskIds),
  }),
);
export type StreamsGroupCurrentMemberAssignmentValue = Infer<typeof streamsGroupCurrentMemberAssignmentValue>;

export const streamsGroupTopologyKey = coordinatorKey(
  'StreamsGroupTopologyKey',
  { apiKey: 23, versions: '0', flexible: 'none' },
  () => ({
    groupId: string('0'),
  }),
);
export type StreamsGroupTopologyKey = Infer<typeof streamsGroupTopologyKey>;

const topicConfig = {
  key: string('0+'),
  value: string('0+'),
} as const;

const topicInfo = {
  name: string('0+'),
  partitions: int32('0+'),
  replicationFactor: int16('0+'),
  topicConfigs: array('0+', topicConfig),
} as const;

export const streamsGroupTopologyValue = coordinatorValue(
  'StreamsGroupTopologyValue',
  { apiKey: 23, versions: '0', flexible: '0+' },
  () => ({
    epoch: int32('0+'),
    subtopologies: array('0+', {
      subtopologyId: string('0+'),
      sourceTopics: array('0+', 'string'),
      sourceTopicRegex: array('0+', 'string'),
      stateChangelogTopics: array('0+', topicInfo),
      repartitionSinkTopics: array('0+', 'string'),
      repartitionSourceTopics: array('0+', topicInfo),
      copartitionGroups: array('0+', {
        sourceTopics: array('0+', 'int16'),
        sourceTopicRegex: array('0+', 'int16'),
        repartitionSourceTopics: array('0+', 'int16'),
      }),
    }),
  }),
);
export type StreamsGroupTopologyValue = Infer<typeof streamsGroupTopologyValue>;
