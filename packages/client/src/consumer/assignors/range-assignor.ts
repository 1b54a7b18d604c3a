import type { TopicPartition } from '../../admin/admin-requests.ts';
import { groupBy } from '../../admin/per-item.ts';
import {
  areRacksUseful,
  compareMembers,
  compareText,
  type AssignableTopic,
  type Assignor,
  type GroupAssignment,
  type MemberSubscription,
} from './assignor.ts';

type Assignment = Map<string, TopicPartition[]>;

/** Each topic on its own: the members in order get runs of consecutive partitions, the first ones one more. */
export const rangeAssignor: Assignor = {
  name: 'range',
  rebalanceProtocol: 'eager',
  subscriptionUserData: () => null,
  assign(topics, members): GroupAssignment {
    const assignment: Assignment = new Map(members.map(({ memberId }) => [memberId, []]));
    const ranges = topics
      .filter(({ partitionCount }) => partitionCount > 0)
      .map((topic) => new TopicRange(topic, members));
    const byRack = ranges.some(({ needsRacks }) => needsRacks);
    if (byRack) assignByRack(ranges, assignment);
    for (const range of ranges) range.assign(assignment, () => true);
    if (byRack)
      for (const list of assignment.values())
        list.sort((a, b) => compareText(a.topic, b.topic) || a.partition - b.partition);
    return assignment;
  },
};

/** First the partitions that have a replica in their member's rack; topics with equal partitions and members stay aligned. */
function assignByRack(ranges: readonly TopicRange[], assignment: Assignment): void {
  const alike = groupBy(ranges, (range) => JSON.stringify([range.members, range.rackedPartitionCount]));
  for (const group of alike.values()) {
    if (group.length > 1) assignAligned(group, assignment);
    else if (group[0]!.needsRacks)
      group[0]!.assign(assignment, (member, partition) => group[0]!.racksMatch(member, partition));
  }
}

function assignAligned(ranges: readonly TopicRange[], assignment: Assignment): void {
  const remaining = new Set(ranges[0]!.members.map(([memberId]) => memberId));
  for (let partition = 0; partition < ranges[0]!.rackedPartitionCount; partition += 1) {
    const memberId = [...remaining].find((id) =>
      ranges.every((range) => range.racksMatch(id, partition) && range.roomOf(id) > 0),
    );
    if (memberId === undefined) continue;
    for (const range of ranges) range.give(assignment, memberId, [partition]);
    if (!ranges.some((range) => range.roomOf(memberId) > 0)) remaining.delete(memberId);
    if (remaining.size === 0) return;
  }
}

/** One topic while it is being distributed. */
class TopicRange {
  /** Member ids in order, with their racks. */
  readonly members: readonly (readonly [string, string | null])[];
  readonly needsRacks: boolean;
  /** Partitions whose racks are looked at; 0 when no member has one. */
  readonly rackedPartitionCount: number;
  readonly #topic: AssignableTopic;
  readonly #rackOf: ReadonlyMap<string, string | null>;
  readonly #unassigned: Set<number>;
  readonly #counts = new Map<string, number>();
  readonly #quota: number;
  #extra: number;

  constructor(topic: AssignableTopic, members: readonly MemberSubscription[]) {
    this.#topic = topic;
    const subscribed = members.filter(({ topics }) => topics.includes(topic.name)).toSorted(compareMembers);
    this.members = subscribed.map(({ memberId, rackId }) => [memberId, rackId === '' ? null : rackId]);
    this.#rackOf = new Map(this.members);
    this.#unassigned = new Set(Array.from({ length: topic.partitionCount }, (_, index) => index));
    this.#quota = subscribed.length === 0 ? 0 : Math.floor(topic.partitionCount / subscribed.length);
    this.#extra = subscribed.length === 0 ? 0 : topic.partitionCount % subscribed.length;
    const racks = new Set(this.members.map(([, rack]) => rack).filter((rack) => rack !== null));
    this.rackedPartitionCount = racks.size === 0 ? 0 : topic.partitionCount;
    this.needsRacks = topic.racks !== null && areRacksUseful(racks, topic.racks);
  }

  racksMatch(memberId: string, partition: number): boolean {
    const rack = this.#rackOf.get(memberId) ?? null;
    return rack === null || (this.#topic.racks?.[partition]?.includes(rack) ?? false);
  }

  /** How many more partitions the member may get. */
  roomOf(memberId: string): number {
    const most = this.#quota + (this.#extra > 0 ? 1 : 0);
    return Math.max(0, most - (this.#counts.get(memberId) ?? 0));
  }

  assign(assignment: Assignment, mayAssign: (memberId: string, partition: number) => boolean): void {
    for (const [memberId] of this.members) {
      if (this.#unassigned.size === 0) return;
      const free = [...this.#unassigned].filter((partition) => mayAssign(memberId, partition));
      const partitions = free.slice(0, this.roomOf(memberId));
      if (partitions.length > 0) this.give(assignment, memberId, partitions);
    }
  }

  give(assignment: Assignment, memberId: string, partitions: readonly number[]): void {
    for (const partition of partitions) {
      assignment.get(memberId)!.push({ topic: this.#topic.name, partition });
      this.#unassigned.delete(partition);
    }
    const count = (this.#counts.get(memberId) ?? 0) + partitions.length;
    this.#counts.set(memberId, count);
    if (count > this.#quota) this.#extra -= 1;
  }
}
