import type { TopicPartition } from '../admin/admin-requests.ts';
import type { TopicPartitions } from './consumer-types.ts';

/** What a program has paused: whole topics, also their partitions to come, or single partitions. */
export class PausedPartitions {
  readonly #topics = new Set<string>();
  readonly #partitions = new Map<string, Set<number>>();

  pause(topics: readonly TopicPartitions[]): void {
    for (const { topic, partitions } of topics) {
      if (partitions === undefined) this.#topics.add(topic);
      else this.#partitions.set(topic, new Set([...(this.#partitions.get(topic) ?? []), ...partitions]));
    }
  }

  resume(topics: readonly TopicPartitions[]): void {
    for (const { topic, partitions } of topics) {
      if (partitions === undefined) {
        this.#topics.delete(topic);
        this.#partitions.delete(topic);
      } else for (const partition of partitions) this.#partitions.get(topic)?.delete(partition);
    }
  }

  has({ topic, partition }: TopicPartition): boolean {
    return this.#topics.has(topic) || this.#partitions.get(topic)?.has(partition) === true;
  }
}
