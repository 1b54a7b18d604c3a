import { array, int16, int32, int8, string, struct } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

const topologyDescriptionNode = {
  name: string('0+'),
  nodeType: int8('0+'),
  sourceTopics: array('0+', 'string', { entity: 'topicName' }),
  sinkTopic: string('0+', { nullable: '0+', default: null, entity: 'topicName' }),
  stores: array('0+', 'string'),
  successors: array('0+', 'string'),
} as const;

const topologyDescriptionSubtopology = {
  subtopologyId: string('0+'),
  nodes: array('0+', topologyDescriptionNode),
} as const;

const topologyDescriptionGlobalStore = {
  source: struct('0+', topologyDescriptionNode),
  processor: struct('0+', topologyDescriptionNode),
} as const;

const topologyDescription = {
  subtopologies: array('0+', topologyDescriptionSubtopology),
  globalStores: array('0+', topologyDescriptionGlobalStore),
} as const;

export const streamsGroupTopologyDescriptionUpdateRequest = request(
  'StreamsGroupTopologyDescriptionUpdateRequest',
  { apiKey: 93, versions: '0', flexible: '0+', listeners: ['broker'] },
  () => ({
    groupId: string('0+', { entity: 'groupId' }),
    memberId: string('0+'),
    topologyEpoch: int32('0+'),
    topologyDescription: struct('0+', topologyDescription),
  }),
);
export type StreamsGroupTopologyDescriptionUpdateRequest = Infer<
  typeof streamsGroupTopologyDescriptionUpdateRequest
>;

export const streamsGroupTopologyDescriptionUpdateResponse = response(
  'StreamsGroupTopologyDescriptionUpdateResponse',
  { apiKey: 93, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+', default: null }),
  }),
);
export type StreamsGroupTopologyDescriptionUpdateResponse = Infer<
  typeof streamsGroupTopologyDescriptionUpdateResponse
>;
