import { ErrorCodes } from '@ottla/protocol';
import type { MetadataImage, PartitionImage } from '../metadata/image.ts';
import { metadataRecord } from '../metadata/records.ts';
import type { MetadataRecord } from '../metadata/records.ts';
import { bounded, OK, refusedPartitions, type CommandResult, type CommandState } from './command.ts';
import type { ElectLeadersCommand, ItemResult, TopicPartitionResults } from './controller.ts';
import { isActive } from './replica-placement.ts';

/** Kafka's ElectionType. */
export const ElectionType = { preferred: 0, unclean: 1 } as const;

/** Some of a partition's PartitionChangeRecord fields. */
interface Election {
  readonly leader: number;
  readonly isr?: readonly number[];
  readonly isUnclean?: boolean;
}

/**
 * ElectLeaders (KIP-183, KIP-460): gives partitions their preferred leader, or one that may have lost records where no replica
 * in sync is left. Asked about every partition, it leaves out those where there is nothing to elect.
 */
export function electLeaders(
  state: CommandState,
  command: ElectLeadersCommand,
): CommandResult<TopicPartitionResults[]> {
  const { image } = state;
  const records: MetadataRecord[] = [];
  const elect = (topic: string, partitionIndex: number) => ({
    partitionIndex,
    ...electLeader(image, { topic, partitionIndex, electionType: command.electionType }, records),
  });
  if (command.topics !== null) {
    const reply = command.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map((partitionIndex) => elect(topic, partitionIndex)),
    }));
    return bounded({ records, reply }, () => refusedPartitions(reply));
  }
  const reply = [...image.topics.byName.values()].map((topic) => ({
    topic: topic.name,
    partitions: topic.partitions
      .map(({ partition }) => elect(topic.name, partition))
      .filter(({ errorCode }) => errorCode !== ErrorCodes.ELECTION_NOT_NEEDED),
  }));
  return bounded({ records, reply }, () => refusedPartitions(reply));
}

function electLeader(
  image: MetadataImage,
  asked: { readonly topic: string; readonly partitionIndex: number; readonly electionType: number },
  records: MetadataRecord[],
): ItemResult {
  const { topic: name, partitionIndex, electionType } = asked;
  const topic = image.topics.byName.get(name);
  if (topic === undefined) return refusal('UNKNOWN_TOPIC_OR_PARTITION', `No such topic as ${name}`);
  const partition = topic.partitions[partitionIndex];
  if (partition === undefined) {
    return refusal('UNKNOWN_TOPIC_OR_PARTITION', `No such partition as ${name}-${partitionIndex}`);
  }
  const isPreferred = electionType === ElectionType.preferred;
  const hasLeader = isPreferred ? partition.leader === partition.replicas[0] : partition.leader !== -1;
  if (hasLeader) {
    return refusal('ELECTION_NOT_NEEDED', 'Leader election not needed for topic partition.');
  }
  const election = isPreferred ? preferredLeader(image, partition) : anyLeader(image, partition);
  if (election === null) {
    return isPreferred
      ? refusal('PREFERRED_LEADER_NOT_AVAILABLE', 'The preferred leader was not available.')
      : refusal('ELIGIBLE_LEADERS_NOT_AVAILABLE', 'Eligible topic partition leaders are not available.');
  }
  records.push(...electionRecords(topic.id, partition, election));
  return OK;
}

/** The preferred replica if it may lead; else, where there is no leader at all, another replica in sync. */
function preferredLeader(image: MetadataImage, partition: PartitionImage): Election | null {
  const preferred = partition.replicas[0];
  if (preferred !== undefined && mayLead(image, partition, preferred)) return { leader: preferred };
  if (mayLead(image, partition, partition.leader)) return null;
  const leader = partition.replicas.find((id) => mayLead(image, partition, id));
  return leader === undefined ? null : { leader };
}

/** A replica in sync, else any whose broker is there: it begins alone, with what it has. */
function anyLeader(image: MetadataImage, partition: PartitionImage): Election | null {
  const clean = partition.replicas.find((id) => mayLead(image, partition, id));
  if (clean !== undefined) return { leader: clean };
  const unclean = partition.replicas.find((id) => isActive(image.brokers.get(id)));
  return unclean === undefined ? null : { leader: unclean, isr: [unclean], isUnclean: true };
}

function mayLead(image: MetadataImage, partition: PartitionImage, id: number): boolean {
  return (partition.isr.includes(id) || partition.elr.includes(id)) && isActive(image.brokers.get(id));
}

/**
 * A leader from outside the replicas in sync recovers first, which Kafka's broker reports as done in a second change. The leader
 * of a single node has nobody to recover from, so the second change follows at once.
 */
function electionRecords(topicId: string, partition: PartitionImage, election: Election): MetadataRecord[] {
  const { leader, isUnclean = false } = election;
  const isFromElr = !partition.isr.includes(leader) && partition.elr.includes(leader);
  const isr = election.isr ?? (isFromElr ? [...partition.isr, leader] : null);
  const where = { topicId, partitionId: partition.partition };
  const records = [
    metadataRecord('PartitionChangeRecord', {
      ...where,
      leader,
      ...(isr !== null && { isr: [...isr] }),
      ...(isFromElr && { eligibleLeaderReplicas: partition.elr.filter((id) => id !== leader) }),
      ...(isUnclean && { leaderRecoveryState: 1 }),
      ...(isUnclean && partition.elr.length > 0 && { eligibleLeaderReplicas: [] }),
      ...((isUnclean || isFromElr) && partition.lastKnownElr.length > 0 && { lastKnownElr: [] }),
    }),
  ];
  if (isUnclean) records.push(metadataRecord('PartitionChangeRecord', { ...where, leaderRecoveryState: 0 }));
  return records;
}

function refusal(name: keyof typeof ErrorCodes, errorMessage: string): ItemResult {
  return { errorCode: ErrorCodes[name], errorMessage };
}
