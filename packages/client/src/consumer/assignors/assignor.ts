import type { TopicPartition } from '../../admin/admin-requests.ts';

/** What a member of a classic group told the leader with its JoinGroup. */
export interface MemberSubscription {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly topics: readonly string[];
  readonly userData: Buffer | null;
  readonly ownedPartitions: readonly TopicPartition[];
  /** The generation in which it owned them; null when it did not say. */
  readonly generationId: number | null;
  readonly rackId: string | null;
}

/** A topic as the leader knows it. */
export interface AssignableTopic {
  readonly name: string;
  readonly partitionCount: number;
  /** The racks of each partition's replicas, by partition; null when no rack is known. */
  readonly racks: readonly (readonly string[])[] | null;
}

/** Which partitions each member gets, by member id. */
export type GroupAssignment = ReadonlyMap<string, readonly TopicPartition[]>;

/** How partitions move in a rebalance: all at once, or only those that change hands (KIP-429). */
export type RebalanceProtocol = 'eager' | 'cooperative';

/** What a member owned after its last rebalance. */
export interface PreviousAssignment {
  readonly partitions: readonly TopicPartition[];
  readonly generationId: number;
}

/**
 * Distributes the partitions of a classic group among its members. The same subscriptions give the same assignment as Kafka's Java
 * class of the same name, so that it does not matter who leads a group of many clients.
 */
export interface Assignor {
  /** The protocol name that members agree on: `range`. */
  readonly name: string;
  readonly rebalanceProtocol: RebalanceProtocol;
  /** What a member adds to its subscription for the leader; `previous` is null before its first assignment. */
  subscriptionUserData(previous: PreviousAssignment | null): Buffer | null;
  /** Members come in the order in which the coordinator listed them. */
  assign(topics: readonly AssignableTopic[], members: readonly MemberSubscription[]): GroupAssignment;
}

/** Orders members as Java does: static ones first, by instance id; the others by member id. */
export function compareMembers(a: MemberSubscription, b: MemberSubscription): number {
  if (a.groupInstanceId !== null && b.groupInstanceId !== null)
    return compareText(a.groupInstanceId, b.groupInstanceId);
  if (a.groupInstanceId !== null) return -1;
  if (b.groupInstanceId !== null) return 1;
  return compareText(a.memberId, b.memberId);
}

/** Orders text by UTF-16 units, as Java's `compareTo`. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Whether racks would make a difference (KIP-881): members and replicas share some, and not every partition has replicas in all of them. */
export function areRacksUseful(
  consumerRacks: ReadonlySet<string>,
  partitionRacks: readonly (readonly string[])[],
): boolean {
  const all = new Set(partitionRacks.flat());
  if (![...consumerRacks].some((rack) => all.has(rack))) return false;
  return !partitionRacks.every((racks) => new Set(racks).size === all.size);
}
