import { ErrorCodes } from '@ottla/protocol';
import type { Random } from '@ottla/platform';
import type { BrokerImage, MetadataImage, PartitionImage } from '../metadata/image.ts';
import { metadataRecord } from '../metadata/records.ts';
import type { MetadataRecord } from '../metadata/records.ts';
import { UNASSIGNED_DIRECTORY } from '../metadata/topic-draft.ts';
import type { ItemResult } from './controller.ts';

/** Replicas of one new partition in preferred order, and those of them that start in sync. */
export interface Placement {
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
}

/** A refusal with Kafka's code, or the thing asked for. */
export type Checked<T> = { readonly value: T } | { readonly refusal: ItemResult };

/** Builds a refusal. */
export function refuse(errorCode: number, errorMessage: string | null): { readonly refusal: ItemResult } {
  return { refusal: { errorCode, errorMessage } };
}

/** A broker may lead and be in sync when it is neither fenced nor on its way out. */
export function isActive(broker: BrokerImage | undefined): boolean {
  return broker !== undefined && !broker.fenced && !broker.inControlledShutdown;
}

/** How many partitions with how many replicas to place, and the number of the first of them. */
export interface PlacementSpec {
  readonly firstPartition: number;
  readonly partitionCount: number;
  readonly replicationFactor: number;
}

/**
 * Spreads new partitions over the brokers: leaders go round robin from a random start, followers take the brokers after
 * the leader with a shift that grows by round, so that one broker's followers differ. Fenced brokers come last.
 */
export function placeReplicas(
  image: MetadataImage,
  random: Random,
  spec: PlacementSpec,
): Checked<Placement[]> {
  const all = [...image.brokers.values()];
  const active = all.filter((broker) => !broker.fenced);
  const fenced = all.filter((broker) => broker.fenced);
  if (active.length === 0)
    return refuse(ErrorCodes.INVALID_REPLICATION_FACTOR, 'All brokers are currently fenced.');
  if (spec.replicationFactor > all.length) {
    return refuse(
      ErrorCodes.INVALID_REPLICATION_FACTOR,
      `The target replication factor of ${spec.replicationFactor} cannot be reached because only ` +
        `${all.length} broker(s) are registered or some brokers have all their log directories cordoned.`,
    );
  }
  const start = random.nextInt(active.length);
  const placements: Placement[] = [];
  for (let index = 0; index < spec.partitionCount; index += 1) {
    const partition = spec.firstPartition + index;
    placements.push(placeOne({ active, fenced }, start + partition, spec.replicationFactor));
  }
  return { value: placements };
}

function placeOne(
  brokers: { active: readonly BrokerImage[]; fenced: readonly BrokerImage[] },
  slot: number,
  replicationFactor: number,
): Placement {
  const { active, fenced } = brokers;
  const leader = slot % active.length;
  const round = Math.floor(slot / active.length);
  const replicas = [(active[leader] as BrokerImage).id];
  const others = active.length - 1;
  for (let index = 0; index < others && replicas.length < replicationFactor; index += 1) {
    const step = 1 + ((round + index) % others);
    replicas.push((active[(leader + step) % active.length] as BrokerImage).id);
  }
  for (const broker of fenced) if (replicas.length < replicationFactor) replicas.push(broker.id);
  const activeIds = new Set(active.filter(isActive).map((broker) => broker.id));
  return { replicas, isr: replicas.filter((id) => activeIds.has(id)) };
}

/**
 * Checks one partition of a manual assignment. `expectedReplicas` is the replica count of the partitions before it,
 * or null for the first.
 */
export function checkManualAssignment(
  image: MetadataImage,
  assignment: { readonly partitionIndex: number; readonly brokerIds: readonly number[] },
  expectedReplicas: number | null,
): Checked<Placement> {
  const { brokerIds, partitionIndex } = assignment;
  const refuseAssignment = (message: string) =>
    refuse(ErrorCodes.INVALID_REPLICA_ASSIGNMENT, `The manual partition assignment includes ${message}`);
  if (brokerIds.length === 0) return refuseAssignment('an empty replica list.');
  let previous: number | null = null;
  for (const id of [...brokerIds].sort((a, b) => a - b)) {
    if (!image.brokers.has(id)) return refuseAssignment(`broker ${id}, but no such broker is registered.`);
    if (id === previous) return refuseAssignment(`the broker ${id} more than once.`);
    previous = id;
  }
  if (expectedReplicas !== null && brokerIds.length !== expectedReplicas) {
    return refuseAssignment(
      `a partition with ${brokerIds.length} replica(s), but this is not consistent with previous ` +
        `partitions, which have ${expectedReplicas} replica(s).`,
    );
  }
  const isr = brokerIds.filter((id) => isActive(image.brokers.get(id)));
  if (isr.length === 0) {
    return refuse(
      ErrorCodes.INVALID_REPLICA_ASSIGNMENT,
      `All brokers specified in the manual partition assignment for partition ${partitionIndex} ` +
        'are fenced or in controlled shutdown.',
    );
  }
  return { value: { replicas: brokerIds, isr } };
}

/** The record of a new partition. A broker with one log directory has only one place for it; else it chooses itself. */
export function newPartitionRecord(
  image: MetadataImage,
  partition: { readonly topicId: string; readonly partitionId: number },
  placement: Placement,
): MetadataRecord {
  return metadataRecord('PartitionRecord', {
    ...partition,
    replicas: [...placement.replicas],
    isr: [...placement.isr],
    leader: placement.isr[0] ?? -1,
    leaderEpoch: 0,
    partitionEpoch: 0,
    directories: directoriesFor(image, placement.replicas),
  });
}

/** The log directory of each replica, as far as it is known: those of a partition that is there already stay. */
export function directoriesFor(
  image: MetadataImage,
  replicas: readonly number[],
  existing?: PartitionImage,
): string[] {
  return replicas.map((id) => {
    const known = existing?.directories[existing.replicas.indexOf(id)];
    if (known !== undefined) return known;
    const logDirs = image.brokers.get(id)?.logDirs ?? [];
    return logDirs.length === 1 ? (logDirs[0] as string) : UNASSIGNED_DIRECTORY;
  });
}
