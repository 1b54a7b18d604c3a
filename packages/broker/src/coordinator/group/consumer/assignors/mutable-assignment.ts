import type { TopicPartitions } from '../../modern/topic-partitions.ts';

/** Assignments of members on their way from the old to the new: a member's partitions are copied when it first changes. */
export class MutableAssignment {
  readonly #assignments = new Map<string, TopicPartitions>();
  readonly #own = new Map<string, Map<string, Set<number>>>();

  /** Starts a member with its old assignment. */
  start(memberId: string, assignment: TopicPartitions): void {
    this.#assignments.set(memberId, assignment);
  }

  add(memberId: string, topicId: string, partition: number): void {
    const own = this.#ownOf(memberId);
    const partitions = own.get(topicId);
    if (partitions === undefined) own.set(topicId, new Set([partition]));
    else partitions.add(partition);
  }

  remove(memberId: string, topicId: string, partition: number): void {
    const own = this.#ownOf(memberId);
    const partitions = own.get(topicId);
    partitions?.delete(partition);
    if (partitions?.size === 0) own.delete(topicId);
  }

  removeTopic(memberId: string, topicId: string): void {
    this.#ownOf(memberId).delete(topicId);
  }

  /** Every member that was started, with what it has now. */
  result(): Map<string, TopicPartitions> {
    return this.#assignments as Map<string, TopicPartitions>;
  }

  #ownOf(memberId: string): Map<string, Set<number>> {
    let own = this.#own.get(memberId);
    if (own === undefined) {
      own = new Map(
        Array.from(this.#assignments.get(memberId) ?? [], ([topicId, partitions]) => [
          topicId,
          new Set(partitions),
        ]),
      );
      this.#own.set(memberId, own);
      this.#assignments.set(memberId, own);
    }
    return own;
  }
}
