import type { TopicPartition } from '../../admin/admin-requests.ts';
import { compareText } from './assignor.ts';
import { PartitionMovements } from './partition-movements.ts';
import type { StickyResult } from './sticky-constrained.ts';
import { NO_GENERATION, removeFrom, type StickyInput } from './sticky-input.ts';

interface Owner {
  readonly memberId: string;
  readonly generation: number;
}

/**
 * Members subscribed to different topics: what is owned stays, what is free goes to the member with the fewest partitions that may
 * have it, and then partitions move as long as that makes the assignment more even.
 */
export function assignGeneral(input: StickyInput): StickyResult {
  const assignment = new GeneralAssignment(input).build();
  return { assignment, transferring: null };
}

class GeneralAssignment {
  readonly #input: StickyInput;
  readonly #topicsOf = new Map<string, Set<string>>();
  readonly #consumersOf = new Map<string, string[]>();
  #assignment: Map<string, TopicPartition[]>;
  #ownerOf = new Map<TopicPartition, string>();
  /** Members that take part, fewest partitions first. */
  #active: string[] = [];
  readonly #movements = new PartitionMovements();
  #isRevocationRequired = false;

  constructor(input: StickyInput) {
    this.#input = input;
    for (const name of input.topics.keys()) this.#consumersOf.set(name, []);
    for (const { memberId, topics } of input.members) {
      const known = topics.filter((topic) => input.topics.has(topic));
      this.#topicsOf.set(memberId, new Set(known));
      for (const topic of known) this.#consumersOf.get(topic)!.push(memberId);
    }
    this.#assignment = input.owned;
    for (const [memberId, partitions] of input.owned)
      for (const partition of partitions) this.#ownerOf.set(partition, memberId);
  }

  build(): Map<string, TopicPartition[]> {
    const consumersOf = (topic: string): number => this.#consumersOf.get(topic)!.length;
    const names = [...this.#input.topics.keys()].sort(
      (a, b) => consumersOf(a) - consumersOf(b) || compareText(a, b),
    );
    const all = names.flatMap((name) => this.#input.topics.get(name)!);
    const previous = this.#previousOwners();
    const kept = this.#keepOwned();
    const open = all.filter((partition) => !kept.has(partition));
    this.#active = [...this.#assignment.keys()];
    this.#sortActive();
    this.#balance(all, open, previous);
    return this.#assignment;
  }

  /** Owners of earlier generations: partitions may go back to them. */
  #previousOwners(): Map<TopicPartition, Owner> {
    const previous = new Map<TopicPartition, Owner>();
    const { maxGeneration, memberData } = this.#input;
    for (const [memberId, data] of memberData) {
      const generation = data.generation ?? NO_GENERATION;
      if (generation >= maxGeneration) continue;
      for (const partition of data.partitions)
        if (generation > (previous.get(partition)?.generation ?? -Infinity))
          previous.set(partition, { memberId, generation });
    }
    return previous;
  }

  #keepOwned(): Set<TopicPartition> {
    const kept = new Set<TopicPartition>();
    for (const [memberId, partitions] of this.#assignment) {
      const topics = this.#topicsOf.get(memberId)!;
      const own = partitions.filter((partition) => {
        const stays = topics.has(partition.topic) && !this.#input.racks.isMismatch(memberId, partition);
        if (stays) kept.add(partition);
        else this.#isRevocationRequired = true;
        return stays;
      });
      this.#assignment.set(memberId, own);
    }
    return kept;
  }

  #balance(
    all: readonly TopicPartition[],
    open: readonly TopicPartition[],
    previous: ReadonlyMap<TopicPartition, Owner>,
  ): void {
    const isFirst = this.#assignment.get(this.#active.at(-1)!)!.length === 0;
    this.#assignOpen(open);
    const isMovable = ({ topic }: TopicPartition): boolean => this.#consumersOf.get(topic)!.length >= 2;
    const fixed = new Map<string, TopicPartition[]>();
    for (const memberId of this.#topicsOf.keys()) {
      if (this.#canTakePart(memberId)) continue;
      this.#active = this.#active.filter((id) => id !== memberId);
      fixed.set(memberId, this.#assignment.get(memberId)!);
      this.#assignment.delete(memberId);
    }
    const before = copyOf(this.#assignment);
    const ownersBefore = new Map(this.#ownerOf);
    if (!this.#isRevocationRequired) this.#reassign(open.filter(isMovable), previous);
    const hasMoved = this.#reassign(all.filter(isMovable), previous);
    if (!isFirst && hasMoved && unevenness(this.#assignment) >= unevenness(before)) {
      this.#assignment = before;
      this.#ownerOf = ownersBefore;
    }
    for (const [memberId, partitions] of fixed) this.#assignment.set(memberId, partitions);
  }

  #assignOpen(open: readonly TopicPartition[]): void {
    const { racks } = this.#input;
    let rest = open;
    if (racks.isUseful)
      rest = open.filter((partition) => !this.#assignTo(partition, (id) => !racks.isMismatch(id, partition)));
    for (const partition of rest) this.#assignTo(partition, () => true);
  }

  #assignTo(partition: TopicPartition, accepts: (memberId: string) => boolean): boolean {
    const memberId = this.#active.find((id) => this.#topicsOf.get(id)!.has(partition.topic) && accepts(id));
    if (memberId === undefined) return false;
    this.#assignment.get(memberId)!.push(partition);
    this.#ownerOf.set(partition, memberId);
    this.#resort(memberId);
    return true;
  }

  #canTakePart(memberId: string): boolean {
    const partitions = this.#assignment.get(memberId)!;
    if (partitions.length < this.#mostOf(memberId)) return true;
    return partitions.some(({ topic }) => this.#consumersOf.get(topic)!.length >= 2);
  }

  /** How many partitions the member's topics have. */
  #mostOf(memberId: string): number {
    let count = 0;
    for (const topic of this.#topicsOf.get(memberId)!) count += this.#input.topics.get(topic)!.length;
    return count;
  }

  #reassign(partitions: readonly TopicPartition[], previous: ReadonlyMap<TopicPartition, Owner>): boolean {
    let hasMoved = false;
    for (let isChanged = true; isChanged;) {
      isChanged = false;
      for (const partition of partitions) {
        if (this.#isBalanced()) break;
        const target = this.#betterOwner(partition, previous);
        if (target === null) continue;
        this.#moveTo(partition, target);
        isChanged = true;
        hasMoved = true;
      }
    }
    return hasMoved;
  }

  /** Who should have the partition rather than its owner: its owner of before, or the member with the fewest; null: it is well where it is. */
  #betterOwner(partition: TopicPartition, previous: ReadonlyMap<TopicPartition, Owner>): string | null {
    const owner = this.#ownerOf.get(partition)!;
    const size = this.#assignment.get(owner)!.length;
    const before = previous.get(partition)?.memberId;
    if (before !== undefined && size > (this.#assignment.get(before)?.length ?? Infinity) + 1) return before;
    const others = this.#consumersOf.get(partition.topic)!;
    const isBetter = others.some((other) => size > (this.#assignment.get(other)?.length ?? Infinity) + 1);
    if (!isBetter) return null;
    return this.#active.find((id) => this.#topicsOf.get(id)!.has(partition.topic)) ?? null;
  }

  #moveTo(wanted: TopicPartition, to: string): void {
    const partition = this.#movements.actualPartition(wanted, this.#ownerOf.get(wanted)!, to);
    const from = this.#ownerOf.get(partition)!;
    this.#movements.move(partition, from, to);
    removeFrom(this.#assignment.get(from)!, partition);
    this.#assignment.get(to)!.push(partition);
    this.#ownerOf.set(partition, to);
    this.#resort(from, to);
  }

  #isBalanced(): boolean {
    const sizeOf = (memberId: string): number => this.#assignment.get(memberId)!.length;
    const min = sizeOf(this.#active[0]!);
    const max = sizeOf(this.#active.at(-1)!);
    if (min >= max - 1) return true;
    for (const memberId of this.#active) {
      const size = sizeOf(memberId);
      if (size === this.#mostOf(memberId)) continue;
      for (const topic of this.#topicsOf.get(memberId)!) {
        for (const partition of this.#input.topics.get(topic)!) {
          const owner = this.#ownerOf.get(partition)!;
          if (owner !== memberId && this.#assignment.has(owner) && size + 1 < sizeOf(owner)) return false;
        }
      }
    }
    return true;
  }

  #compare(a: string, b: string): number {
    return this.#assignment.get(a)!.length - this.#assignment.get(b)!.length || compareText(a, b);
  }

  #sortActive(): void {
    this.#active.sort((a, b) => this.#compare(a, b));
  }

  /** Puts members whose sizes have changed at their places: all are taken out first, so that the rest is in order. */
  #resort(...memberIds: readonly string[]): void {
    const taken = memberIds.filter((memberId) => this.#active.includes(memberId));
    for (const memberId of taken) removeFrom(this.#active, memberId);
    for (const memberId of taken) this.#active.splice(this.#placeOf(memberId), 0, memberId);
  }

  #placeOf(memberId: string): number {
    let low = 0;
    let high = this.#active.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(this.#active[middle]!, memberId) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function copyOf(assignment: ReadonlyMap<string, readonly TopicPartition[]>): Map<string, TopicPartition[]> {
  return new Map([...assignment].map(([memberId, partitions]) => [memberId, [...partitions]]));
}

/** The sum of the differences between every two members. */
function unevenness(assignment: ReadonlyMap<string, readonly TopicPartition[]>): number {
  const sizes = [...assignment.values()].map(({ length }) => length);
  let score = 0;
  for (let i = 0; i < sizes.length; i += 1)
    for (let j = i + 1; j < sizes.length; j += 1) score += Math.abs(sizes[i]! - sizes[j]!);
  return score;
}
