import { ErrorCodes } from '@ottla/protocol';
import type { CommandContext } from '../command-context.ts';
import type { StreamsGroup } from './streams-group.ts';
import type { StreamsMember } from './streams-member.ts';
import type { DescribedStreamsGroup } from './streams-types.ts';
import { toTaskIds, type AssignedTasks, type Tasks } from './tasks.ts';
import { configureTopology, type InternalTopic } from './topology/configured-topology.ts';
import type { Subtopology } from './topology/streams-topology.ts';

type DescribedTopology = NonNullable<DescribedStreamsGroup['topology']>;
type DescribedSubtopology = NonNullable<DescribedTopology['subtopologies']>[number];
type DescribedTopic = DescribedSubtopology['stateChangelogTopics'][number];
type DescribedMember = DescribedStreamsGroup['members'][number];

/** A streams group with its members; one that does not exist, or is of another kind, has GROUP_ID_NOT_FOUND. */
export function describeStreamsGroup(groupId: string, context: CommandContext): DescribedStreamsGroup {
  const group = context.state.streams.get(groupId);
  if (group === undefined) {
    const isOfOtherKind = context.state.kindOf(groupId) !== undefined;
    return {
      ...streamsGroupError(groupId, ErrorCodes.GROUP_ID_NOT_FOUND),
      errorMessage: `Group ${groupId} ${isOfOtherKind ? 'is not a streams group' : 'not found'}.`,
    };
  }
  return {
    ...streamsGroupError(groupId, ErrorCodes.NONE),
    groupState: group.state,
    groupEpoch: group.groupEpoch,
    assignmentEpoch: group.targetEpoch,
    topology: describeTopology(group, context),
    members: Array.from(group.members.values(), (member) => describeMember(group, member)),
  };
}

/** What StreamsGroupDescribe says of a group that could not be looked up. */
export function streamsGroupError(groupId: string, errorCode: number): DescribedStreamsGroup {
  return {
    errorCode,
    errorMessage: null,
    groupId,
    groupState: '',
    groupEpoch: 0,
    assignmentEpoch: 0,
    topology: null,
    members: [],
    topologyDescription: null,
    topologyDescriptionStatus: 0,
    assignorName: null,
  };
}

/** With the partitions of internal topics once everything is there; before, as the application gave it. */
function describeTopology({ topology }: StreamsGroup, context: CommandContext): DescribedTopology | null {
  if (topology === null) return null;
  const { problem, subtopologies } = configureTopology(topology, context.image().topics);
  const isReady = problem === null && subtopologies !== null;
  return {
    epoch: topology.epoch,
    subtopologies: Array.from(topology.subtopologies, ([id, subtopology]): DescribedSubtopology => {
      const configured = isReady ? subtopologies.get(id) : undefined;
      const { stateChangelogTopics, repartitionSourceTopics } = subtopology;
      return {
        subtopologyId: id,
        sourceTopics: subtopology.sourceTopics.toSorted(),
        repartitionSinkTopics: subtopology.repartitionSinkTopics.toSorted(),
        stateChangelogTopics: describeTopics(stateChangelogTopics, configured?.stateChangelogTopics),
        repartitionSourceTopics: describeTopics(repartitionSourceTopics, configured?.repartitionSourceTopics),
      };
    }),
  };
}

function describeTopics(
  topics: Subtopology['stateChangelogTopics'],
  configured: ReadonlyMap<string, InternalTopic> | undefined,
): DescribedTopic[] {
  return topics
    .map(({ name, partitions, replicationFactor, topicConfigs }) => ({
      name,
      partitions: configured?.get(name)?.partitionCount ?? partitions,
      replicationFactor,
      topicConfigs: topicConfigs.map(({ key, value }) => ({ key, value })),
    }))
    .toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

function describeMember(group: StreamsGroup, member: StreamsMember): DescribedMember {
  const { memberId, memberEpoch, instanceId, rackId, clientId, clientHost } = member;
  const { topologyEpoch, processId, userEndpoint, clientTags, assigned } = member;
  return {
    memberId,
    memberEpoch,
    instanceId,
    rackId,
    clientId,
    clientHost,
    topologyEpoch,
    processId,
    userEndpoint,
    clientTags: Array.from(clientTags, ([key, value]) => ({ key, value })),
    taskOffsets: [],
    taskEndOffsets: [],
    assignment: describeTasks(assigned),
    targetAssignment: describeTasks(group.targetOf(memberId)),
    isClassic: false,
  };
}

function describeTasks({ active, standby, warmup }: Tasks | AssignedTasks): DescribedMember['assignment'] {
  return {
    activeTasks: toTaskIds(active),
    standbyTasks: toTaskIds(standby),
    warmupTasks: toTaskIds(warmup),
  };
}
