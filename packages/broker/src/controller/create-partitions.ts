import { ErrorCodes } from '@ottla/protocol';
import type { TopicImage } from '../metadata/image.ts';
import type { MetadataRecord } from '../metadata/records.ts';
import { MAX_RECORDS_PER_COMMAND, OK, OVER_QUOTA } from './command.ts';
import type { CommandResult, CommandState } from './command.ts';
import type { CreatePartitionsCommand, ItemResult } from './controller.ts';
import { checkManualAssignment, newPartitionRecord, placeReplicas, refuse } from './replica-placement.ts';
import type { Checked, Placement } from './replica-placement.ts';

type TopicToGrow = CreatePartitionsCommand['topics'][number];

/** Adds partitions to topics. Keys move to other partitions by it, which is why the new count must be asked for. */
export function createPartitions(
  state: CommandState,
  command: CreatePartitionsCommand,
): CommandResult<ItemResult[]> {
  const records: MetadataRecord[] = [];
  const reply = command.topics.map((request): ItemResult => {
    const topic = state.image.topics.byName.get(request.name);
    if (topic === undefined) {
      return { errorCode: ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: null };
    }
    const placed = placeAdditional(state, topic, request);
    if ('refusal' in placed) return placed.refusal;
    if (records.length + placed.value.length > MAX_RECORDS_PER_COMMAND) {
      return {
        errorCode: ErrorCodes.POLICY_VIOLATION,
        errorMessage: 'Excessively large number of partitions per request.',
      };
    }
    if (command.quota?.(placed.value.length) === false) return OVER_QUOTA;
    if (!command.validateOnly) {
      for (const [index, placement] of placed.value.entries()) {
        const partitionId = topic.partitions.length + index;
        records.push(newPartitionRecord(state.image, { topicId: topic.id, partitionId }, placement));
      }
    }
    return OK;
  });
  return { records, reply };
}

function placeAdditional(state: CommandState, topic: TopicImage, request: TopicToGrow): Checked<Placement[]> {
  const currentCount = topic.partitions.length;
  if (request.count === currentCount) {
    return refuse(ErrorCodes.INVALID_PARTITIONS, `Topic already has ${currentCount} partition(s).`);
  }
  if (request.count < currentCount) {
    return refuse(
      ErrorCodes.INVALID_PARTITIONS,
      `The topic ${topic.name} currently has ${currentCount} partition(s); ${request.count} would not be an increase.`,
    );
  }
  const additional = request.count - currentCount;
  const replicationFactor = topic.partitions[0]?.replicas.length ?? 1;
  if (additional > MAX_RECORDS_PER_COMMAND) {
    return refuse(ErrorCodes.POLICY_VIOLATION, 'Excessively large number of partitions per request.');
  }
  if (request.assignments === null) {
    const placed = placeReplicas(state.image, state.random, {
      firstPartition: currentCount,
      partitionCount: additional,
      replicationFactor,
    });
    if ('refusal' in placed || placed.value.every((placement) => placement.isr.length > 0)) return placed;
    return refuse(
      ErrorCodes.INVALID_REPLICATION_FACTOR,
      `Unable to replicate the partition ${replicationFactor} time(s): ` +
        'All brokers are currently fenced or in controlled shutdown.',
    );
  }
  if (request.assignments.length !== additional) {
    return refuse(
      ErrorCodes.INVALID_REPLICA_ASSIGNMENT,
      `Attempted to add ${additional} additional partition(s), but only ${request.assignments.length} ` +
        'assignment(s) were specified.',
    );
  }
  const placements: Placement[] = [];
  for (const [index, { brokerIds }] of request.assignments.entries()) {
    const checked = checkManualAssignment(
      state.image,
      { partitionIndex: currentCount + index, brokerIds },
      replicationFactor,
    );
    if ('refusal' in checked) return checked;
    placements.push(checked.value);
  }
  return { value: placements };
}
