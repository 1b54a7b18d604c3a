import { UsageError, type ClusterAccess } from '../cluster/run-on-cluster.ts';
import { counted } from '../terminal/counted.ts';
import { findTopic } from './find-topic.ts';

/**
 * Refuses partitions that a topic does not have. A producer waits for such a one as long as it may, since somebody might add it;
 * whoever types a command has mistyped it, or copies from a topic with more partitions.
 */
export class PartitionCheck {
  readonly #access: Pick<ClusterAccess, 'admin' | 'limits'>;
  readonly #topic: string;
  readonly #remedy: string;
  #count = 0;

  constructor(access: Pick<ClusterAccess, 'admin' | 'limits'>, topic: string, remedy: string) {
    this.#access = access;
    this.#topic = topic;
    this.#remedy = remedy;
  }

  /** Whether the partition is known to be there, without asking anybody. */
  isKnown(partition: number): boolean {
    return partition < this.#count;
  }

  /** Asks the cluster; false when the topic is not there (yet). @throws UsageError when the partition is not */
  async ask(partition: number): Promise<boolean> {
    const found = await findTopic(this.#access, this.#topic);
    if (found === null) return false;
    this.#count = found.partitions.length;
    if (this.isKnown(partition)) return true;
    throw new UsageError(
      `Topic "${this.#topic}" has ${counted(this.#count, 'partition')}, and so none with the number ${partition}; ${this.#remedy}`,
    );
  }
}
