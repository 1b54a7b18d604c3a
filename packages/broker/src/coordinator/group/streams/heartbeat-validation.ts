import { ErrorCodes, type StreamsGroupHeartbeatRequest } from '@ottla/protocol';
import { isInternalTopic, topicNameProblem } from '../../../controller/topic-names.ts';
import { CoordinatorError } from '../../runtime/coordinator-error.ts';
import { JOINING_EPOCH, STATIC_LEAVING_EPOCH } from './streams-member.ts';
import { invalidTopology, unexpected } from './topology/topology-error.ts';

type Topology = NonNullable<StreamsGroupHeartbeatRequest['topology']>;

/**
 * Refuses a StreamsGroupHeartbeat that makes no sense whatever the state of its group, or asks for what Kafka 4.3 does not
 * have yet, in Kafka's order.
 * @throws CoordinatorError INVALID_REQUEST, STREAMS_INVALID_TOPOLOGY with Kafka's messages
 */
export function requireValidHeartbeat(request: StreamsGroupHeartbeatRequest): void {
  if (request.topology !== null) requireTopicNames(request.topology);
  requireKnownFeatures(request);
  requireText(request.memberId, 'MemberId');
  requireText(request.groupId, 'GroupId');
  requireText(request.rackId, 'RackId');
  const { memberEpoch, topology } = request;
  if (memberEpoch === JOINING_EPOCH) requireJoining(request);
  // No request gets here with an instance id.
  else if (memberEpoch === STATIC_LEAVING_EPOCH) throw invalid("InstanceId can't be null.");
  else if (memberEpoch < STATIC_LEAVING_EPOCH) {
    throw invalid(`MemberEpoch is ${memberEpoch}, but must be greater than or equal to -2.`);
  }
  const tasks = [request.activeTasks, request.standbyTasks, request.warmupTasks];
  if (tasks.some((each) => each !== null) && tasks.includes(null)) {
    throw invalid('If one task-type is non-null, all must be non-null.');
  }
  if (memberEpoch !== JOINING_EPOCH && topology !== null) {
    throw invalid('Topology can only be provided when (re-)joining.');
  }
  requireDistinct(request);
}

/** Kafka looks at the names of a topology's topics before anything else. */
function requireTopicNames({ subtopologies }: Topology): void {
  const names = new Set<string>();
  for (const subtopology of subtopologies) {
    const { sourceTopics, repartitionSinkTopics, repartitionSourceTopics, stateChangelogTopics } =
      subtopology;
    for (const name of sourceTopics) names.add(name);
    for (const name of repartitionSinkTopics) names.add(name);
    for (const { name } of repartitionSourceTopics) names.add(name);
    for (const { name } of stateChangelogTopics) names.add(name);
  }
  const internal = [...names].filter(isInternalTopic);
  if (internal.length > 0) {
    throw invalidTopology(
      `Use of Kafka internal topics ${internal.join(',')} in a Kafka Streams topology is prohibited.`,
    );
  }
  const wrong = [...names].filter((name) => topicNameProblem(name) !== null);
  if (wrong.length > 0) throw invalidTopology(`Topic names ${wrong.join(',')} are not valid topic names.`);
}

function requireKnownFeatures(request: StreamsGroupHeartbeatRequest): void {
  if (request.instanceId !== null) throw invalid('Static membership is not yet supported.');
  if (request.taskOffsets !== null) throw invalid('TaskOffsets are not supported yet.');
  if (request.taskEndOffsets !== null) throw invalid('TaskEndOffsets are not supported yet.');
  if ((request.warmupTasks?.length ?? 0) > 0) throw invalid('WarmupTasks are not supported yet.');
  if (request.topology?.subtopologies.some(({ sourceTopicRegex }) => sourceTopicRegex.length > 0) === true) {
    throw invalid('Regular expressions for source topics are not supported yet.');
  }
}

function requireJoining(request: StreamsGroupHeartbeatRequest): void {
  if (request.rebalanceTimeoutMs === -1) {
    throw invalid('RebalanceTimeoutMs must be provided in first request.');
  }
  requireNone(request.activeTasks, 'ActiveTasks');
  requireNone(request.standbyTasks, 'StandbyTasks');
  requireNone(request.warmupTasks, 'WarmupTasks');
  if (request.topology === null) throw invalid('Topology must be non-null when (re-)joining.');
  for (const { stateChangelogTopics } of request.topology.subtopologies) {
    for (const { name, partitions } of stateChangelogTopics) {
      if (partitions === 0) continue;
      throw invalidTopology(
        `Changelog topic ${name} must have an undefined partition count, but it is set to ${partitions}.`,
      );
    }
  }
}

function requireNone(tasks: readonly unknown[] | null, name: string): void {
  if (tasks?.length !== 0) throw invalid(`${name} must be empty when (re-)joining.`);
}

function requireText(value: string | null, name: string): void {
  if (value !== null && value.trim() === '') throw invalid(`${name} can't be empty.`);
}

/** What Kafka makes maps of, and fails on when a key comes twice. */
function requireDistinct({ topology, clientTags, ...request }: StreamsGroupHeartbeatRequest): void {
  if (topology !== null && topology.epoch < 0) throw unexpected('Topology epoch must be non-negative.');
  requireOnce(
    topology?.subtopologies.map(({ subtopologyId }) => subtopologyId),
    'Subtopology',
  );
  requireOnce(
    clientTags?.map(({ key }) => key),
    'Client tag',
  );
  for (const tasks of [request.activeTasks, request.standbyTasks, request.warmupTasks]) {
    requireOnce(
      tasks?.map(({ subtopologyId }) => subtopologyId),
      'Tasks of subtopology',
    );
  }
}

function requireOnce(names: readonly string[] | undefined, what: string): void {
  const seen = new Set<string>();
  for (const name of names ?? []) {
    if (seen.has(name)) throw unexpected(`${what} "${name}" is given twice`);
    seen.add(name);
  }
}

function invalid(message: string): CoordinatorError {
  return new CoordinatorError(ErrorCodes.INVALID_REQUEST, message);
}
