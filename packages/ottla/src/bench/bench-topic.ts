import { NodeRandom } from '@ottla/platform';
import type { ClusterAccess } from '../cluster/run-on-cluster.ts';

/** How a topic is made that was not there. */
export interface BenchTopicOptions {
  /** Absent: one is made under a name of its own. */
  readonly name?: string;
  readonly partitions: number;
  /** Absent: the broker's default. */
  readonly replicationFactor?: number;
  /** Leaves a topic that was made where it is. */
  readonly keep: boolean;
}

/** The topic of a benchmark, made for it when it was not there, and removed at the end. */
export class BenchTopic implements AsyncDisposable {
  readonly name: string;
  readonly partitions: number;
  /** It was not there before. */
  readonly isNew: boolean;
  readonly #access: ClusterAccess;
  readonly #keep: boolean;

  private constructor(
    access: ClusterAccess,
    topic: {
      readonly name: string;
      readonly partitions: number;
      readonly isNew: boolean;
      readonly keep: boolean;
    },
  ) {
    this.name = topic.name;
    this.partitions = topic.partitions;
    this.isNew = topic.isNew;
    this.#access = access;
    this.#keep = topic.keep;
  }

  /** Finds the topic or makes it. @throws KafkaError when that is refused */
  static async open(access: ClusterAccess, options: BenchTopicOptions): Promise<BenchTopic> {
    const { admin, limits } = access;
    const name = options.name ?? `ottla-bench-${new NodeRandom().uuid()}`;
    const { keep } = options;
    if (options.name !== undefined) {
      const found = (await admin.topics.list(limits)).find((topic) => topic.name === name);
      if (found !== undefined)
        return new BenchTopic(access, { name, partitions: found.partitions, isNew: false, keep });
    }
    const { partitions, replicationFactor } = options;
    await admin.topics.create({ name, partitions, replicationFactor }, limits);
    return new BenchTopic(access, { name, partitions, isNew: true, keep });
  }

  /** Removes it when it was made here. A failure is told of: the measurement holds all the same. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.isNew || this.#keep) return;
    const { admin, limits } = this.#access;
    try {
      await admin.topics.delete(this.name, limits);
    } catch (error) {
      process.stderr.write(
        `ottla: Topic "${this.name}" could not be removed (${(error as Error).message}): "ottla topics delete ${this.name}" does it\n`,
      );
    }
  }
}
