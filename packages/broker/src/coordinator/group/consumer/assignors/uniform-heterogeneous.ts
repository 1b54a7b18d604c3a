import type { AssignorGroup } from '../../modern/assignor.ts';
import type { TopicPartitions } from '../../modern/topic-partitions.ts';
import { compareTopicIds } from '../../modern/java-hash-order.ts';
import { MemberBalancer } from './member-balancer.ts';
import { MutableAssignment } from './mutable-assignment.ts';

/** A perfect balance may need many rounds over the topics; after these it is good enough. */
const MAX_ROUNDS = 16;
const NOBODY = -1;

/**
 * The uniform assignment of a group whose members subscribe to different topics. Everybody keeps what it still subscribes
 * to; partitions of nobody go to the least loaded subscriber, topics with most partitions for each subscriber first; then
 * topic by topic partitions move from the most to the least loaded subscribers, until no topic gains from it.
 */
export function assignHeterogeneous(group: AssignorGroup): Map<string, TopicPartitions> {
  const builder = new HeterogeneousAssignment(group);
  return builder.isSubscribed ? builder.build() : new Map();
}

class HeterogeneousAssignment {
  readonly #group: AssignorGroup;
  readonly #memberIds: readonly string[];
  /** Positions of members in `#memberIds`, by topic id. */
  readonly #subscribers = new Map<string, number[]>();
  /** Position of the owner of each partition, by topic id. */
  readonly #owners = new Map<string, Int32Array>();
  readonly #loads: Int32Array;
  readonly #assignment = new MutableAssignment();

  constructor(group: AssignorGroup) {
    this.#group = group;
    this.#memberIds = [...group.members.keys()];
    this.#loads = new Int32Array(this.#memberIds.length);
    let position = 0;
    for (const { subscribedTopicIds } of group.members.values()) {
      for (const topicId of subscribedTopicIds) {
        const subscribers = this.#subscribers.get(topicId);
        if (subscribers === undefined) this.#subscribers.set(topicId, [position]);
        else subscribers.push(position);
      }
      position++;
    }
    for (const topicId of this.#subscribers.keys()) {
      this.#owners.set(topicId, new Int32Array(Math.max(0, group.partitionCount(topicId))).fill(NOBODY));
    }
  }

  get isSubscribed(): boolean {
    return this.#subscribers.size > 0;
  }

  build(): Map<string, TopicPartitions> {
    this.#keep();
    this.#assignUnassigned();
    this.#balance();
    return this.#assignment.result();
  }

  #keep(): void {
    let position = 0;
    for (const [memberId, { assignment, subscribedTopicIds }] of this.#group.members) {
      this.#assignment.start(memberId, assignment);
      for (const [topicId, partitions] of assignment) {
        if (!subscribedTopicIds.has(topicId)) {
          this.#assignment.removeTopic(memberId, topicId);
          continue;
        }
        this.#loads[position] = (this.#loads[position] ?? 0) + partitions.size;
        const owners = this.#ownersOf(topicId);
        for (const partition of partitions) owners[partition] = position;
      }
      position++;
    }
  }

  #assignUnassigned(): void {
    const balancer = new MemberBalancer(this.#loads);
    const topics = [...this.#owners.keys()].filter((topicId) => this.#ownersOf(topicId).includes(NOBODY));
    for (const topicId of this.#sortTopics(topics)) {
      balancer.initialize(this.#subscribersOf(topicId));
      this.#ownersOf(topicId).forEach((owner, partition) => {
        if (owner === NOBODY) this.#move(topicId, partition, balancer.nextLeastLoaded());
      });
    }
  }

  #balance(): void {
    const topics = this.#sortTopics(
      [...this.#owners.keys()].filter((topicId) => this.#subscribersOf(topicId).length >= 2),
    );
    if (topics.length === 0) return;
    const balancer = new MemberBalancer(this.#loads);
    let lastChanged: string | null = null;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      for (const topicId of topics) {
        // Once around without a change: there is nothing left to gain.
        if (topicId === lastChanged) return;
        const moved = this.#balanceTopic(topicId, balancer);
        if (moved > 0 || lastChanged === null) lastChanged = topicId;
      }
    }
  }

  /** Moves partitions of one topic from its most to its least loaded subscribers; returns how many. */
  #balanceTopic(topicId: string, balancer: MemberBalancer): number {
    if (balancer.initialize(this.#subscribersOf(topicId)) <= 1) return 0;
    const available = this.#partitionsByOwner(topicId);
    let moved = 0;
    while (!balancer.isBalanced()) {
      let most = balancer.nextMostLoaded();
      while (most !== NOBODY && (available.get(most)?.length ?? 0) === 0) {
        balancer.excludeMostLoaded();
        most = balancer.nextMostLoaded();
      }
      const partition = available.get(most)?.pop();
      if (partition === undefined) break;
      const least = balancer.nextLeastLoaded();
      // Finding them may have shown that they differ by one at most.
      if (balancer.isBalanced()) break;
      this.#move(topicId, partition, least);
      moved++;
    }
    return moved;
  }

  #partitionsByOwner(topicId: string): Map<number, number[]> {
    const byOwner = new Map<number, number[]>();
    this.#ownersOf(topicId).forEach((owner, partition) => {
      const partitions = byOwner.get(owner);
      if (partitions === undefined) byOwner.set(owner, [partition]);
      else partitions.push(partition);
    });
    return byOwner;
  }

  #move(topicId: string, partition: number, member: number): void {
    const owners = this.#ownersOf(topicId);
    const previous = owners[partition] ?? NOBODY;
    if (previous !== NOBODY) {
      this.#assignment.remove(this.#memberIds[previous] ?? '', topicId, partition);
      this.#loads[previous] = (this.#loads[previous] ?? 0) - 1;
    }
    this.#assignment.add(this.#memberIds[member] ?? '', topicId, partition);
    owners[partition] = member;
    this.#loads[member] = (this.#loads[member] ?? 0) + 1;
  }

  /** Most partitions for each subscriber first, then fewest subscribers, then by id. */
  #sortTopics(topicIds: readonly string[]): string[] {
    return topicIds.toSorted((left, right) => {
      const [leftCount, rightCount] = [this.#subscribersOf(left).length, this.#subscribersOf(right).length];
      const perSubscriber =
        this.#ownersOf(right).length / rightCount - this.#ownersOf(left).length / leftCount;
      return perSubscriber || leftCount - rightCount || compareTopicIds(left, right);
    });
  }

  #ownersOf(topicId: string): Int32Array {
    return this.#owners.get(topicId) ?? NO_OWNERS;
  }

  #subscribersOf(topicId: string): readonly number[] {
    return this.#subscribers.get(topicId) ?? [];
  }
}

const NO_OWNERS = new Int32Array(0);
