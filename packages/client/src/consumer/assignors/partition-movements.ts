import type { TopicPartition } from '../../admin/admin-requests.ts';
import { inJavaOrder, javaPartitionHash } from './java-order.ts';

interface Movement {
  readonly from: string;
  readonly to: string;
}

/**
 * Remembers which partitions moved between which members while an assignment is balanced. Moving one partition from A to B and
 * another of the same topic from B to A is undone by moving the first one back, so that fewer partitions change hands.
 */
export class PartitionMovements {
  readonly #movements = new Map<TopicPartition, Movement>();
  /** By topic, then by `from` and `to`. */
  readonly #byTopic = new Map<string, Map<string, Set<TopicPartition>>>();

  /** The partition to move in place of `partition`: one that went the other way before, if there is one. */
  actualPartition(partition: TopicPartition, from: string, to: string): TopicPartition {
    const pairs = this.#byTopic.get(partition.topic);
    if (pairs === undefined) return partition;
    const origin = this.#movements.get(partition)?.from ?? from;
    const reverse = pairs.get(pairKey(to, origin));
    if (reverse === undefined) return partition;
    return inJavaOrder([...reverse], javaPartitionHash)[0]!;
  }

  move(partition: TopicPartition, from: string, to: string): void {
    const before = this.#movements.get(partition);
    if (before === undefined) {
      this.#add(partition, { from, to });
      return;
    }
    this.#remove(partition, before);
    if (before.from !== to) this.#add(partition, { from: before.from, to });
  }

  #add(partition: TopicPartition, movement: Movement): void {
    this.#movements.set(partition, movement);
    const pairs = this.#byTopic.get(partition.topic) ?? new Map<string, Set<TopicPartition>>();
    this.#byTopic.set(partition.topic, pairs);
    const key = pairKey(movement.from, movement.to);
    const partitions = pairs.get(key) ?? new Set();
    pairs.set(key, partitions.add(partition));
  }

  #remove(partition: TopicPartition, { from, to }: Movement): void {
    this.#movements.delete(partition);
    const pairs = this.#byTopic.get(partition.topic)!;
    const partitions = pairs.get(pairKey(from, to))!;
    partitions.delete(partition);
    if (partitions.size === 0) pairs.delete(pairKey(from, to));
    if (pairs.size === 0) this.#byTopic.delete(partition.topic);
  }
}

function pairKey(from: string, to: string): string {
  return JSON.stringify([from, to]);
}
