import type { PartitionImage, TopicImage } from './image.ts';
import type { MetadataRecordData } from './records.ts';

/** A topic while a batch of records changes it: its partitions are a private copy, each partition stays immutable. */
export interface TopicDraft {
  readonly name: string;
  readonly id: string;
  readonly partitions: PartitionImage[];
}

/** A private copy of a topic for one builder. */
export function draftOf(topic: TopicImage): TopicDraft {
  return { name: topic.name, id: topic.id, partitions: [...topic.partitions] };
}

/** The partition that a PartitionRecord describes. */
export function partitionFromRecord(record: MetadataRecordData<'PartitionRecord'>): PartitionImage {
  return {
    partition: record.partitionId,
    leader: record.leader,
    leaderEpoch: record.leaderEpoch,
    partitionEpoch: record.partitionEpoch,
    replicas: record.replicas,
    isr: record.isr,
    removingReplicas: record.removingReplicas,
    addingReplicas: record.addingReplicas,
    elr: record.eligibleLeaderReplicas ?? [],
    lastKnownElr: record.lastKnownElr ?? [],
    // Records from before KIP-858 carry no directories; Kafka reads them as "unassigned".
    directories:
      record.directories.length > 0 ? record.directories : record.replicas.map(() => UNASSIGNED_DIRECTORY),
    leaderRecoveryState: record.leaderRecoveryState,
  };
}

/** Uuid of a replica whose log directory is not known yet (KIP-858). */
export const UNASSIGNED_DIRECTORY = 'AAAAAAAAAAAAAAAAAAAAAA';

/** In a PartitionChangeRecord: the leader stays as it was. */
const NO_LEADER_CHANGE = -2;

/**
 * The partition after a PartitionChangeRecord. Naming a leader, even the same one, starts a new leader epoch;
 * any change starts a new partition epoch.
 */
export function mergePartitionChange(
  partition: PartitionImage,
  change: MetadataRecordData<'PartitionChangeRecord'>,
): PartitionImage {
  const newLeader = change.leader !== NO_LEADER_CHANGE;
  return {
    partition: partition.partition,
    leader: newLeader ? change.leader : partition.leader,
    leaderEpoch: newLeader ? partition.leaderEpoch + 1 : partition.leaderEpoch,
    partitionEpoch: partition.partitionEpoch + 1,
    replicas: change.replicas ?? partition.replicas,
    isr: change.isr ?? partition.isr,
    removingReplicas: change.removingReplicas ?? partition.removingReplicas,
    addingReplicas: change.addingReplicas ?? partition.addingReplicas,
    elr: change.eligibleLeaderReplicas ?? partition.elr,
    lastKnownElr: change.lastKnownElr ?? partition.lastKnownElr,
    directories: mergedDirectories(partition, change),
    leaderRecoveryState:
      change.leaderRecoveryState === -1 ? (partition.leaderRecoveryState ?? 0) : change.leaderRecoveryState,
  };
}

/** Directories follow their replica when the replica set changes without naming them. */
function mergedDirectories(
  partition: PartitionImage,
  change: MetadataRecordData<'PartitionChangeRecord'>,
): readonly string[] {
  if (change.directories !== null) return change.directories;
  if (change.replicas === null) return partition.directories;
  return change.replicas.map(
    (replica) => partition.directories[partition.replicas.indexOf(replica)] ?? UNASSIGNED_DIRECTORY,
  );
}
