import { NO_PARTITIONS, type TopicPartitions } from './topic-partitions.ts';

/** Who should own what: the target assignment of a group, by member and by partition. Changed by replay only. */
export class TargetAssignment {
  /** The group epoch that it was computed for. */
  epoch = 0;
  /** When it was computed; 0 when unknown. */
  timestampMs = 0;
  readonly #byMember = new Map<string, TopicPartitions>();
  readonly #owners = new Map<string, Map<number, string>>();

  get size(): number {
    return this.#byMember.size;
  }

  of(memberId: string): TopicPartitions {
    return this.#byMember.get(memberId) ?? NO_PARTITIONS;
  }

  has(memberId: string): boolean {
    return this.#byMember.has(memberId);
  }

  /** The member that should own a partition. */
  ownerOf(topicId: string, partition: number): string | undefined {
    return this.#owners.get(topicId)?.get(partition);
  }

  set(memberId: string, partitions: TopicPartitions): void {
    this.#disown(memberId, partitions);
    this.#byMember.set(memberId, partitions);
    for (const [topicId, indexes] of partitions) {
      let owners = this.#owners.get(topicId);
      if (owners === undefined) this.#owners.set(topicId, (owners = new Map()));
      for (const index of indexes) owners.set(index, memberId);
    }
  }

  delete(memberId: string): void {
    this.#disown(memberId, NO_PARTITIONS);
    this.#byMember.delete(memberId);
  }

  /** Partitions that are no longer the member's; one that has gone to another member meanwhile is that one's. */
  #disown(memberId: string, next: TopicPartitions): void {
    for (const [topicId, indexes] of this.of(memberId)) {
      const owners = this.#owners.get(topicId);
      if (owners === undefined) continue;
      for (const index of indexes) {
        if (next.get(topicId)?.has(index) !== true && owners.get(index) === memberId) owners.delete(index);
      }
      if (owners.size === 0) this.#owners.delete(topicId);
    }
  }
}

/** Whether the assignment interval allows to compute the next target assignment (`*.assignment.interval.ms`). */
export function mayComputeNextTarget(
  { timestampMs }: { readonly timestampMs: number },
  intervalMs: number,
  nowMs: number,
): boolean {
  return timestampMs === 0 || intervalMs === 0 || nowMs >= timestampMs + intervalMs;
}
