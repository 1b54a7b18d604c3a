import {
  SubscriptionCounts,
  subscriptionTypeByName,
  type SubscriptionType,
} from '../modern/subscription-counts.ts';
import { TargetAssignment } from '../modern/target-assignment.ts';
import type { AssignedPartitions } from '../modern/topic-partitions.ts';
import { isReconciledTo, type ConsumerMember } from './consumer-member.ts';

/** The states of a consumer group, by Kafka's names. */
export type ConsumerGroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable';

/** The topics that a regular expression matched when it was last resolved. */
export interface ResolvedRegex {
  readonly topics: ReadonlySet<string>;
  /** Offset of the metadata image that it was matched against. */
  readonly version: number;
  readonly timestampMs: number;
}

/**
 * A consumer group (KIP-848). Its members take three steps to what they own, each with an epoch of its own that only grows:
 *
 *     group epoch    who is there and what they subscribe to      bumped by every change
 *          v         (at most once an assignment interval)
 *     target epoch   who should own what, as the assignor says    follows the group epoch
 *          v         (each member at its own pace)
 *     member epoch   what the member owns                         follows the target epoch
 *
 * A partition has one owner at a time: `partitionEpoch` knows until when the old one has not let go of it. Changed by replay
 * only; counts are kept so that a heartbeat need not look at every member.
 */
export class ConsumerGroup {
  readonly groupId: string;
  /** As in Kafka, a new group begins with 1 and its first member makes it 2. */
  groupEpoch = 1;
  metadataHash = 0;
  /** There is a partition metadata record of Kafka 4.0 that is to be deleted. */
  hasPartitionMetadata = false;
  readonly target = new TargetAssignment();
  readonly subscriptions = new SubscriptionCounts();
  readonly #members = new Map<string, ConsumerMember>();
  readonly #staticMembers = new Map<string, string>();
  readonly #assignors = new Map<string, number>();
  readonly #regexes = new Map<string, number>();
  readonly #resolved = new Map<string, ResolvedRegex>();
  readonly #classicProtocols = new Map<string, number>();
  readonly #partitionEpochs = new Map<string, Map<number, number>>();
  #classicMembers = 0;

  constructor(groupId: string) {
    this.groupId = groupId;
  }

  get members(): ReadonlyMap<string, ConsumerMember> {
    return this.#members;
  }

  /** Member id by group instance id. */
  get staticMembers(): ReadonlyMap<string, string> {
    return this.#staticMembers;
  }

  /** How many members subscribe to each regular expression. */
  get regexes(): ReadonlyMap<string, number> {
    return this.#regexes;
  }

  get resolvedRegexes(): ReadonlyMap<string, ResolvedRegex> {
    return this.#resolved;
  }

  /** How many members use the classic protocol. */
  get classicMembers(): number {
    return this.#classicMembers;
  }

  /** How many members of the classic protocol support each embedded protocol. */
  get classicProtocols(): ReadonlyMap<string, number> {
    return this.#classicProtocols;
  }

  /** How many members prefer each assignor. */
  get assignors(): ReadonlyMap<string, number> {
    return this.#assignors;
  }

  get state(): ConsumerGroupState {
    if (this.#members.size === 0) return 'Empty';
    if (this.groupEpoch > this.target.epoch) return 'Assigning';
    for (const member of this.#members.values()) {
      if (!isReconciledTo(member, this.target.epoch)) return 'Reconciling';
    }
    return 'Stable';
  }

  get subscriptionType(): SubscriptionType {
    return subscriptionType(this.#regexes, this.subscriptions, this.#members.size);
  }

  staticMember(instanceId: string | null): ConsumerMember | undefined {
    const memberId = instanceId === null ? undefined : this.#staticMembers.get(instanceId);
    return memberId === undefined ? undefined : this.#members.get(memberId);
  }

  /** The epoch of the member that owns a partition or has not let go of it yet; -1 when it is free. */
  partitionEpoch(topicId: string, partition: number): number {
    return this.#partitionEpochs.get(topicId)?.get(partition) ?? -1;
  }

  /** Adds a member or replaces the one of the same id. */
  setMember(member: ConsumerMember): void {
    const old = this.#members.get(member.memberId);
    if (old !== undefined) this.#count(old, -1);
    this.#members.set(member.memberId, member);
    this.#count(member, 1);
    this.#releasePartitions(old);
    this.#own(member.assigned, member.memberEpoch);
    this.#own(member.pendingRevocation, member.memberEpoch);
    if (member.instanceId !== null) this.#staticMembers.set(member.instanceId, member.memberId);
  }

  removeMember(memberId: string): void {
    const member = this.#members.get(memberId);
    if (member === undefined) return;
    this.#members.delete(memberId);
    this.#count(member, -1);
    this.#releasePartitions(member);
    if (member.instanceId !== null) this.#staticMembers.delete(member.instanceId);
  }

  /** Installs what a regular expression matches; null: nobody subscribes to it any more. */
  setResolved(regex: string, resolved: ResolvedRegex | null): void {
    this.subscriptions.addRegex(this.#resolved.get(regex)?.topics ?? [], -1);
    if (resolved === null) this.#resolved.delete(regex);
    else {
      this.#resolved.set(regex, resolved);
      this.subscriptions.addRegex(resolved.topics, 1);
    }
  }

  #count(member: ConsumerMember, change: 1 | -1): void {
    this.subscriptions.addNames(member.subscribedTopicNames, change);
    if (member.serverAssignor !== null) addTo(this.#assignors, member.serverAssignor, change);
    if (member.subscribedTopicRegex !== '') addTo(this.#regexes, member.subscribedTopicRegex, change);
    if (member.classic === null) return;
    this.#classicMembers += change;
    for (const { name } of member.classic.supportedProtocols) addTo(this.#classicProtocols, name, change);
  }

  #releasePartitions(member: ConsumerMember | undefined): void {
    if (member === undefined) return;
    for (const partitions of [member.assigned, member.pendingRevocation]) {
      for (const [topicId, epochs] of partitions) {
        const owned = this.#partitionEpochs.get(topicId);
        if (owned === undefined) continue;
        // A static member that was replaced may have its partitions owned under the new id already.
        for (const index of epochs.keys()) if (owned.get(index) === member.memberEpoch) owned.delete(index);
        if (owned.size === 0) this.#partitionEpochs.delete(topicId);
      }
    }
  }

  #own(partitions: AssignedPartitions, memberEpoch: number): void {
    for (const [topicId, epochs] of partitions) {
      let owned = this.#partitionEpochs.get(topicId);
      if (owned === undefined) this.#partitionEpochs.set(topicId, (owned = new Map()));
      for (const index of epochs.keys()) {
        const current = owned.get(index);
        if (current !== undefined && current >= memberEpoch) {
          throw new Error(
            `Partition ${index} of topic "${topicId}" is owned at epoch ${current} in group "${this.groupId}", so that nobody gets it at epoch ${memberEpoch}`,
          );
        }
        owned.set(index, memberEpoch);
      }
    }
  }
}

/** The subscription type of a group in which members name topics, or subscribe to regular expressions, or both. */
export function subscriptionType(
  regexes: ReadonlyMap<string, number>,
  subscriptions: SubscriptionCounts,
  members: number,
): SubscriptionType {
  const [count] = regexes.values();
  if (count === undefined) return subscriptionTypeByName(subscriptions, members);
  if (count !== members) return 'heterogeneous';
  for (const { byName, byRegex } of subscriptions.counts()) {
    if (byRegex !== 1 || byName > 0) return 'heterogeneous';
  }
  return 'homogeneous';
}

/** Adds to a count; one that falls to 0 is no longer in the map. */
export function addTo(counts: Map<string, number>, key: string, change: number): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count <= 0) counts.delete(key);
  else counts.set(key, count);
}
