import type { TopicPartition } from '../../admin/admin-requests.ts';
import { groupBy } from '../../admin/per-item.ts';
import { areRacksUseful, type AssignableTopic, type MemberSubscription } from './assignor.ts';

const NO_RACKS: readonly string[] = [];

/** Racks of members and replicas, empty when they make no difference (KIP-881). */
export class RackInfo {
  readonly #consumerRacks: ReadonlyMap<string, string>;
  readonly #partitionRacks = new Map<TopicPartition, readonly string[]>();
  readonly #consumerCounts = new Map<TopicPartition, number>();

  constructor(
    topics: readonly AssignableTopic[],
    partitions: ReadonlyMap<string, readonly TopicPartition[]>,
    members: readonly MemberSubscription[],
  ) {
    const racked = members.filter(({ rackId }) => rackId !== null && rackId !== '');
    this.#consumerRacks = new Map();
    if (racked.length === 0) return;
    const byRack = groupBy(racked, ({ rackId }) => rackId!);
    const racks = topics.flatMap((topic) =>
      partitions.get(topic.name)!.map((partition) => {
        const own = [...new Set(topic.racks?.[partition.partition] ?? NO_RACKS)];
        this.#consumerCounts.set(
          partition,
          own.reduce((sum, rack) => sum + (byRack.get(rack)?.length ?? 0), 0),
        );
        return [partition, own] as const;
      }),
    );
    if (
      !areRacksUseful(
        new Set(byRack.keys()),
        racks.map(([, own]) => own),
      )
    )
      return;
    this.#consumerRacks = new Map(racked.map(({ memberId, rackId }) => [memberId, rackId!]));
    for (const [partition, own] of racks) this.#partitionRacks.set(partition, own);
  }

  get isUseful(): boolean {
    return this.#consumerRacks.size > 0;
  }

  /** The member has a rack, and no replica of the partition is in it. */
  isMismatch(memberId: string, partition: TopicPartition): boolean {
    const rack = this.#consumerRacks.get(memberId);
    return rack !== undefined && !this.racksOf(partition).includes(rack);
  }

  rackOf(memberId: string): string | undefined {
    return this.#consumerRacks.get(memberId);
  }

  racksOf(partition: TopicPartition): readonly string[] {
    return this.#partitionRacks.get(partition) ?? NO_RACKS;
  }

  /** Those that few members have in their rack come first, so that they get one of them. */
  sortByConsumers(partitions: readonly TopicPartition[]): TopicPartition[] {
    const countOf = (partition: TopicPartition): number => this.#consumerCounts.get(partition) ?? 0;
    return partitions.toSorted((a, b) => countOf(a) - countOf(b));
  }

  /** The index of the next member from `first` on, in a circle, that shares a rack with the partition; -1 when there is none. */
  nextMember(partition: TopicPartition, memberIds: readonly string[], first: number): number {
    const racks = this.racksOf(partition);
    for (let step = 0; step < memberIds.length && racks.length > 0; step += 1) {
      const index = (first + step) % memberIds.length;
      const rack = this.rackOf(memberIds[index]!);
      if (rack !== undefined && racks.includes(rack)) return index;
    }
    return -1;
  }
}
