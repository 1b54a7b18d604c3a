import { ErrorCodes } from '@ottla/protocol';
import { ConfigResourceType } from '../metadata/image.ts';
import type { PartitionImage, TopicImage } from '../metadata/image.ts';
import { metadataRecord } from '../metadata/records.ts';
import type { MetadataRecord } from '../metadata/records.ts';
import { bounded, OK, refusedPartitions, type CommandResult, type CommandState } from './command.ts';
import type { ReassignmentCommand, TopicPartitionResults } from './controller.ts';
import { checkManualAssignment, directoriesFor, isActive, refuse } from './replica-placement.ts';
import type { Checked } from './replica-placement.ts';

/** What a reassignment makes of a partition. */
interface Target {
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly adding: readonly number[];
  readonly removing: readonly number[];
}

/**
 * AlterPartitionReassignments (KIP-455): moves partitions to other replicas, or takes such a move back. What can be done at
 * once (another order, fewer replicas) is done; replicas on brokers that have to fetch first stay in progress until they
 * are in sync.
 */
export function reassignPartitions(
  state: CommandState,
  command: ReassignmentCommand,
): CommandResult<TopicPartitionResults[]> {
  const records: MetadataRecord[] = [];
  const reply = command.topics.map(({ topic: name, partitions }) => ({
    topic: name,
    partitions: partitions.map(({ partitionIndex, replicas }) => {
      const found = find(state, name, partitionIndex);
      if ('refusal' in found) return { partitionIndex, ...found.refusal };
      const { topic, partition } = found.value;
      const target =
        replicas === null
          ? cancelled(state, topic, partition)
          : moved(state, partition, { replicas, mayChangeFactor: command.allowReplicationFactorChange });
      if ('refusal' in target) return { partitionIndex, ...target.refusal };
      records.push(...changeRecords(state, { topicId: topic.id, partition, target: target.value }));
      return { partitionIndex, ...OK };
    }),
  }));
  return bounded({ records, reply }, () => refusedPartitions(reply));
}

function find(
  { image }: CommandState,
  name: string,
  partitionIndex: number,
): Checked<{ topic: TopicImage; partition: PartitionImage }> {
  const unknown = (message: string) => refuse(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION, message);
  const topic = image.topics.byName.get(name);
  if (topic === undefined) return unknown(`Unable to find a topic named ${name}.`);
  const partition = topic.partitions[partitionIndex];
  if (partition === undefined) return unknown(`Unable to find partition ${name}:${partitionIndex}.`);
  return { value: { topic, partition } };
}

/** Back to the replicas from before a move that is in progress. */
function cancelled(state: CommandState, topic: TopicImage, partition: PartitionImage): Checked<Target> {
  const { adding, removing } = { adding: partition.addingReplicas, removing: partition.removingReplicas };
  if (adding.length === 0 && removing.length === 0) {
    return refuse(ErrorCodes.NO_REASSIGNMENT_IN_PROGRESS, null);
  }
  const replicas = partition.replicas.filter((id) => !adding.includes(id));
  const isr = partition.isr.filter((id) => !adding.includes(id));
  if (isr.length > 0) return { value: { replicas, isr, adding: [], removing: [] } };
  if (isUncleanElectionEnabled(state, topic.name)) {
    const first = replicas.find((id) => isActive(state.image.brokers.get(id))) ?? replicas[0];
    return { value: { replicas, isr: first === undefined ? [] : [first], adding: [], removing: [] } };
  }
  return refuse(
    ErrorCodes.INVALID_REPLICA_ASSIGNMENT,
    `Unable to revert partition assignment for ${topic.name}:${partition.partition} because ` +
      'it would require an unclean leader election.',
  );
}

function isUncleanElectionEnabled({ image, rules }: CommandState, topic: string): boolean {
  const name = 'unclean.leader.election.enable';
  const own = image.configs.get(ConfigResourceType.topic, topic).get(name);
  return (own ?? rules.configs.inheritedValue(ConfigResourceType.topic, topic, name)) === 'true';
}

function moved(
  { image }: CommandState,
  partition: PartitionImage,
  asked: { readonly replicas: readonly number[]; readonly mayChangeFactor: boolean },
): Checked<Target> {
  const { replicas } = asked;
  const checked = checkManualAssignment(
    image,
    { partitionIndex: partition.partition, brokerIds: replicas },
    null,
  );
  if ('refusal' in checked) return checked;
  // A move that is in progress already counts by what it began with.
  const current = partition.replicas.filter((id) => !partition.addingReplicas.includes(id));
  if (!asked.mayChangeFactor && current.length !== replicas.length) {
    return refuse(
      ErrorCodes.INVALID_REPLICATION_FACTOR,
      `The replication factor is changed from ${current.length} to ${replicas.length}`,
    );
  }
  const adding = replicas.filter((id) => !current.includes(id)).toSorted((a, b) => a - b);
  const removing = current.filter((id) => !replicas.includes(id)).toSorted((a, b) => a - b);
  const isr = partition.isr.filter((id) => replicas.includes(id));
  if (isr.length > 0 && adding.every((id) => isr.includes(id))) {
    return { value: { replicas, isr, adding: [], removing: [] } };
  }
  return { value: { replicas: [...replicas, ...removing], isr: partition.isr, adding, removing } };
}

/** The change from the partition as it is; none when nothing differs. */
function changeRecords(
  { image }: CommandState,
  change: { readonly topicId: string; readonly partition: PartitionImage; readonly target: Target },
): MetadataRecord[] {
  const { partition, target } = change;
  const fields = {
    ...(!sameIds(target.replicas, partition.replicas) && {
      replicas: [...target.replicas],
      directories: directoriesFor(image, target.replicas, partition),
    }),
    ...(!sameIds(target.isr, partition.isr) && { isr: [...target.isr] }),
    ...(!sameIds(target.adding, partition.addingReplicas) && { addingReplicas: [...target.adding] }),
    ...(!sameIds(target.removing, partition.removingReplicas) && { removingReplicas: [...target.removing] }),
  };
  if (Object.keys(fields).length === 0) return [];
  const mayLead = (id: number): boolean => target.isr.includes(id) && isActive(image.brokers.get(id));
  const leader = mayLead(partition.leader) ? partition.leader : (target.replicas.find(mayLead) ?? -1);
  // Who fetches from the leader learns by a new epoch that its replica is gone.
  const losesReplica = partition.replicas.some((id) => !target.replicas.includes(id));
  const isNewEpoch = leader !== partition.leader || losesReplica;
  return [
    metadataRecord('PartitionChangeRecord', {
      topicId: change.topicId,
      partitionId: partition.partition,
      ...fields,
      ...(isNewEpoch && { leader }),
    }),
  ];
}

function sameIds(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((id, index) => id === right[index]);
}
