import { ErrorCodes, ZERO_UUID } from '@ottla/protocol';
import { ConfigResourceType } from '../metadata/image.ts';
import { metadataRecord } from '../metadata/records.ts';
import type { MetadataRecord } from '../metadata/records.ts';
import { bounded, MAX_RECORDS_PER_COMMAND, OVER_QUOTA, TOO_MANY_RECORDS } from './command.ts';
import type { CommandResult, CommandState } from './command.ts';
import type { CreateTopicResult, CreateTopicsCommand, ItemResult, NewTopic } from './controller.ts';
import { checkManualAssignment, newPartitionRecord, placeReplicas, refuse } from './replica-placement.ts';
import type { Checked, Placement } from './replica-placement.ts';
import { CLUSTER_METADATA_TOPIC, collidingTopic, topicNameProblem } from './topic-names.ts';

/** Creates topics; each gets its own answer, and what is valid is created even if others are not. */
export function createTopics(
  state: CommandState,
  command: CreateTopicsCommand,
): CommandResult<CreateTopicResult[]> {
  const records: MetadataRecord[] = [];
  if (totalPartitions(state, command) > MAX_RECORDS_PER_COMMAND) {
    const refusal = {
      errorCode: ErrorCodes.POLICY_VIOLATION,
      errorMessage: 'Excessively large number of partitions per request.',
    };
    return { records, reply: command.topics.map((topic) => failed(topic, refusal)) };
  }
  const reply = command.topics.map((topic) => {
    const created = createTopic(state, topic);
    if ('refusal' in created) return failed(topic, created.refusal);
    if (command.quota?.(created.value.reply.numPartitions) === false) return failed(topic, OVER_QUOTA);
    for (const record of created.value.records) records.push(record);
    return created.value.reply;
  });
  return bounded(
    { records, reply },
    () => command.topics.map((topic) => failed(topic, TOO_MANY_RECORDS)),
    command.validateOnly,
  );
}

/** A count that makes no sense counts as none: it must not make room for others before it is refused. */
function totalPartitions(state: CommandState, command: CreateTopicsCommand): number {
  let total = 0;
  for (const { assignments, numPartitions } of command.topics) {
    if (assignments.length > 0) total += assignments.length;
    else total += numPartitions === -1 ? state.rules.numPartitions : Math.max(0, numPartitions);
  }
  return total;
}

function failed(topic: NewTopic, refusal: ItemResult): CreateTopicResult {
  return { name: topic.name, topicId: ZERO_UUID, numPartitions: -1, replicationFactor: -1, ...refusal };
}

function createTopic(
  state: CommandState,
  topic: NewTopic,
): Checked<{ records: MetadataRecord[]; reply: CreateTopicResult }> {
  const { image } = state;
  const refusal = nameRefusal(state, topic.name) ?? configRefusal(state, topic);
  if (refusal !== null) return { refusal };
  const placed =
    topic.assignments.length > 0 ? placeManually(state, topic) : placeAutomatically(state, topic);
  if ('refusal' in placed) return placed;
  const placements = placed.value;

  const topicId = state.random.uuid();
  const records = [
    metadataRecord('TopicRecord', { name: topic.name, topicId }),
    ...topic.configs.map(({ name, value }) =>
      metadataRecord('ConfigRecord', {
        resourceType: ConfigResourceType.topic,
        resourceName: topic.name,
        name,
        value,
      }),
    ),
    ...placements.map((placement, partitionId) =>
      newPartitionRecord(image, { topicId, partitionId }, placement),
    ),
  ];
  const reply: CreateTopicResult = {
    name: topic.name,
    topicId,
    numPartitions: placements.length,
    replicationFactor: placements[0]?.replicas.length ?? 0,
    errorCode: ErrorCodes.NONE,
    errorMessage: null,
  };
  return { value: { records, reply } };
}

function nameRefusal(state: CommandState, name: string): ItemResult | null {
  // Not only clients ask: a topology's internal topics and topics made on demand come straight here, and a second
  // topic with the folder of the metadata log would end the broker for good.
  if (name === CLUSTER_METADATA_TOPIC) {
    return {
      errorCode: ErrorCodes.INVALID_REQUEST,
      errorMessage: `Creation of internal topic ${CLUSTER_METADATA_TOPIC} is prohibited.`,
    };
  }
  const problem = topicNameProblem(name);
  if (state.image.topics.byName.has(name)) {
    return { errorCode: ErrorCodes.TOPIC_ALREADY_EXISTS, errorMessage: `Topic '${name}' already exists.` };
  }
  if (problem !== null) {
    return {
      errorCode: ErrorCodes.INVALID_TOPIC_EXCEPTION,
      errorMessage: `Topic name is invalid: ${problem}`,
    };
  }
  const colliding = collidingTopic(state.image, name);
  if (colliding === null) return null;
  return {
    errorCode: ErrorCodes.INVALID_TOPIC_EXCEPTION,
    errorMessage: `Topic '${name}' collides with existing topic: ${colliding}`,
  };
}

function configRefusal(state: CommandState, topic: NewTopic): ItemResult | null {
  const nulls = topic.configs.filter((config) => config.value === null);
  if (nulls.length > 0) {
    const names = nulls.map((config) => config.name).join(',');
    return {
      errorCode: ErrorCodes.INVALID_CONFIG,
      errorMessage: `Null value not supported for topic configs: ${names}`,
    };
  }
  const overrides = new Map(topic.configs.map((config) => [config.name, config.value ?? '']));
  return state.rules.configs.validate(ConfigResourceType.topic, topic.name, overrides);
}

function placeManually(state: CommandState, topic: NewTopic): Checked<Placement[]> {
  const specified = 'A manual partition assignment was specified, but ';
  if (topic.replicationFactor !== -1) {
    return refuse(ErrorCodes.INVALID_REQUEST, `${specified}replication factor was not set to -1.`);
  }
  if (topic.numPartitions !== -1) {
    return refuse(ErrorCodes.INVALID_REQUEST, `${specified}numPartitions was not set to -1.`);
  }
  const placements = new Map<number, Placement>();
  let replicaCount: number | null = null;
  for (const assignment of topic.assignments) {
    if (placements.has(assignment.partitionIndex)) {
      return refuse(
        ErrorCodes.INVALID_REPLICA_ASSIGNMENT,
        `Found multiple manual partition assignments for partition ${assignment.partitionIndex}`,
      );
    }
    const checked = checkManualAssignment(state.image, assignment, replicaCount);
    if ('refusal' in checked) return checked;
    replicaCount = assignment.brokerIds.length;
    placements.set(assignment.partitionIndex, checked.value);
  }
  const inOrder: Placement[] = [];
  for (let partition = 0; partition < placements.size; partition += 1) {
    const placement = placements.get(partition);
    if (placement === undefined) {
      return refuse(
        ErrorCodes.INVALID_REPLICA_ASSIGNMENT,
        'partitions should be a consecutive 0-based integer sequence',
      );
    }
    inOrder.push(placement);
  }
  return { value: inOrder };
}

function placeAutomatically(state: CommandState, topic: NewTopic): Checked<Placement[]> {
  if (topic.replicationFactor < -1 || topic.replicationFactor === 0) {
    return refuse(
      ErrorCodes.INVALID_REPLICATION_FACTOR,
      'Replication factor must be larger than 0, or -1 to use the default value.',
    );
  }
  if (topic.numPartitions < -1 || topic.numPartitions === 0) {
    return refuse(
      ErrorCodes.INVALID_PARTITIONS,
      'Number of partitions was set to an invalid non-positive value.',
    );
  }
  const partitionCount = topic.numPartitions === -1 ? state.rules.numPartitions : topic.numPartitions;
  const replicationFactor =
    topic.replicationFactor === -1 ? state.rules.defaultReplicationFactor : topic.replicationFactor;
  const unable = `Unable to replicate the partition ${replicationFactor} time(s): `;
  const placed = placeReplicas(state.image, state.random, {
    firstPartition: 0,
    partitionCount,
    replicationFactor,
  });
  if ('refusal' in placed) return refuse(placed.refusal.errorCode, unable + placed.refusal.errorMessage);
  if (placed.value.some((placement) => placement.isr.length === 0)) {
    return refuse(
      ErrorCodes.INVALID_REPLICATION_FACTOR,
      `${unable}All brokers are currently fenced or in controlled shutdown.`,
    );
  }
  return placed;
}
