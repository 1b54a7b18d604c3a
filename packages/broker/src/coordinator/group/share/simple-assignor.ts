import type { Assignment } from './share-group.ts';

/** A member as the assignor sees it. */
export interface AssignorMember {
  readonly memberId: string;
  readonly topicIds: ReadonlySet<string>;
  /** What it has now. */
  readonly assigned: Assignment;
}

interface Slot {
  readonly topicId: string;
  readonly partition: number;
  readonly members: Seat[];
}

interface Seat {
  readonly memberId: string;
  readonly old: Assignment;
  wanted: number;
  readonly slots: Slot[];
}

/**
 * Kafka's assignor `simple` for share groups (KIP-932): partitions are shared, so each gets as many members as are needed
 * to give every member its part. Balance first, then stickiness:
 *
 *     sharing = ceil(members / partitions)       each partition has that many members
 *     members differ by one partition at most
 *
 * When all members want the same topics, their partitions are dealt out together, otherwise each topic for itself.
 */
export function assignSimple(
  members: readonly AssignorMember[],
  assignable: ReadonlyMap<string, readonly number[]>,
): Map<string, Map<string, number[]>> {
  const result = new Map(members.map(({ memberId }) => [memberId, new Map<string, number[]>()]));
  const first = members[0];
  if (first === undefined) return result;
  if (members.every(({ topicIds }) => sameTopics(topicIds, first.topicIds))) {
    dealOut(members, [...first.topicIds], { assignable, result });
    return result;
  }
  for (const topicId of new Set(members.flatMap(({ topicIds }) => [...topicIds]))) {
    const subscribers = members.filter(({ topicIds }) => topicIds.has(topicId));
    dealOut(subscribers, [topicId], { assignable, result });
  }
  return result;
}

interface Deal {
  readonly assignable: ReadonlyMap<string, readonly number[]>;
  readonly result: Map<string, Map<string, number[]>>;
}

function dealOut(members: readonly AssignorMember[], topicIds: readonly string[], deal: Deal): void {
  const slots = topicIds.flatMap((topicId) =>
    (deal.assignable.get(topicId) ?? []).map((partition): Slot => ({ topicId, partition, members: [] })),
  );
  if (slots.length === 0) return;
  const sharing = Math.ceil(members.length / slots.length);
  const seats = seatsFor(members, sharing * slots.length);
  keepOld(seats, slots, sharing);
  // Partitions without anybody first: a dead end further on can then only cost a second reader.
  for (const slot of slots) if (slot.members.length === 0) fill(slot, seats, 1);
  for (const slot of slots) fill(slot, seats, sharing);
  for (const { memberId, slots: taken } of seats) {
    const assignment = deal.result.get(memberId)!;
    for (const { topicId, partition } of taken) {
      const partitions = assignment.get(topicId);
      if (partitions === undefined) assignment.set(topicId, [partition]);
      else partitions.push(partition);
    }
    for (const partitions of assignment.values()) partitions.sort((left, right) => left - right);
  }
}

/** How many partitions each member is to have: the whole count, cut as evenly as whole numbers allow. */
function seatsFor(members: readonly AssignorMember[], total: number): Seat[] {
  const precise = total / members.length;
  return members.map(({ memberId, assigned }, index) => ({
    memberId,
    old: assigned,
    wanted: Math.ceil(precise * (index + 1)) - Math.ceil(precise * index),
    slots: [],
  }));
}

function keepOld(seats: readonly Seat[], slots: readonly Slot[], sharing: number): void {
  const byPartition = new Map(slots.map((slot) => [`${slot.topicId}:${slot.partition}`, slot]));
  // Members with little keep it all; those with too much give up what others hold too.
  for (const seat of seats.toSorted((left, right) => sizeOf(left.old) - sizeOf(right.old))) {
    for (const [topicId, partitions] of seat.old) {
      for (const partition of partitions) {
        const slot = byPartition.get(`${topicId}:${partition}`);
        if (slot !== undefined && slot.members.length < sharing && seat.slots.length < seat.wanted)
          take(seat, slot);
      }
    }
  }
}

function fill(slot: Slot, seats: readonly Seat[], sharing: number): void {
  while (slot.members.length < sharing) {
    let neediest: Seat | null = null;
    for (const seat of seats) {
      const need = seat.wanted - seat.slots.length;
      if (need <= 0 || slot.members.includes(seat)) continue;
      if (neediest === null || need > neediest.wanted - neediest.slots.length) neediest = seat;
    }
    if (neediest === null) return;
    take(neediest, slot);
  }
}

function take(seat: Seat, slot: Slot): void {
  seat.slots.push(slot);
  slot.members.push(seat);
}

function sizeOf(assignment: Assignment): number {
  let size = 0;
  for (const partitions of assignment.values()) size += partitions.length;
  return size;
}

function sameTopics(left: ReadonlySet<string>, right: ReadonlySet<string>): boolean {
  return left.size === right.size && [...left].every((topicId) => right.has(topicId));
}
