import type { Random } from '@ottla/platform';
import { CompressionRatio } from './compression-ratio.ts';
import { StickyPartitioner, type PartitionLoads } from './partitioner.ts';
import type { ProducerBatch } from './producer-batch.ts';
import { newPartitionSequences } from './sequence-tracker.ts';

/** The batches of one partition that are not on the wire, oldest first; records go into the last one. */
export class PartitionQueue {
  readonly topic: TopicQueues;
  readonly partition: number;
  readonly batches: ProducerBatch[] = [];
  readonly sequences = newPartitionSequences<ProducerBatch>();
  /** Batches on the wire. */
  inFlightCount = 0;

  constructor(topic: TopicQueues, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  /** The batch that takes more records. */
  get open(): ProducerBatch | undefined {
    const last = this.batches[this.batches.length - 1];
    return last?.isClosed === false ? last : undefined;
  }

  /** Puts a batch back at its place in the order of creation. */
  putBack(batch: ProducerBatch): void {
    const { batches } = this;
    let at = 0;
    while (at < batches.length && batches[at]!.order < batch.order) at++;
    batches.splice(at, 0, batch);
  }

  /** Takes a batch out, wherever it stands. */
  remove(batch: ProducerBatch): void {
    const at = this.batches.indexOf(batch);
    if (at === 0) this.batches.shift();
    else if (at > 0) this.batches.splice(at, 1);
  }
}

/** The partitions of a topic, as far as is known, and what its records share. */
export class TopicQueues implements PartitionLoads {
  readonly name: string;
  /** Also those that are no more, until what is in them has failed. */
  readonly partitions: PartitionQueue[] = [];
  partitionCount = 0;
  /** When it is to be seen next whether its metadata is fresh; monotonic. */
  lookAtMs = 0;
  readonly sticky: StickyPartitioner;
  readonly ratio = new CompressionRatio();
  readonly #hasLeader: (topic: string, partition: number) => boolean;

  constructor(
    name: string,
    setup: {
      readonly random: Random;
      readonly stickyBytes: number;
      readonly isAdaptive: boolean;
      readonly hasLeader: (topic: string, partition: number) => boolean;
    },
  ) {
    this.name = name;
    this.sticky = new StickyPartitioner(setup.random, setup);
    this.#hasLeader = setup.hasLeader;
  }

  /** Takes note of how many partitions there are; a topic that was deleted and made anew may have fewer than before. */
  resize(partitionCount: number): void {
    for (let next = this.partitions.length; next < partitionCount; next++) {
      this.partitions.push(new PartitionQueue(this, next));
    }
    this.partitionCount = partitionCount;
  }

  queuedBatches(partition: number): number {
    return this.#hasLeader(this.name, partition) ? this.partitions[partition]!.batches.length : -1;
  }
}
