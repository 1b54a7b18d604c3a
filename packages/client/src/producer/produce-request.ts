import type { ProduceResponse } from '@ottla/protocol';
import type { PartitionQueue } from './partition-queue.ts';
import type { BatchFormat, ProducerBatch } from './producer-batch.ts';

/** A batch on its way, and the numbers it went under: they may change while it is on the wire. */
export interface SentBatch {
  readonly queue: PartitionQueue;
  readonly batch: ProducerBatch;
  readonly sentAs: {
    readonly producerId: number;
    readonly producerEpoch: number;
    readonly baseSequence: number;
  };
}

/** The answer for one batch. */
export type BatchAnswer = ProduceResponse['responses'][number]['partitionResponses'][number];

/** The topics of a Produce request: at most one batch of each partition. */
export function topicData(sent: readonly SentBatch[], format: BatchFormat) {
  const topics = new Map<string, { index: number; records: Buffer }[]>();
  for (const { queue, batch } of sent) {
    const partitions = topics.get(queue.topic.name);
    const entry = { index: queue.partition, records: batch.payload(format) };
    if (partitions === undefined) topics.set(queue.topic.name, [entry]);
    else partitions.push(entry);
  }
  return [...topics].map(([name, partitionData]) => ({ name, partitionData }));
}

/** The answers by batch; a broker that leaves one out is taken to have said nothing of it. */
export function answersOf(
  sent: readonly SentBatch[],
  response: ProduceResponse,
): { readonly each: SentBatch; readonly answer: BatchAnswer | undefined }[] {
  const byPlace = new Map<string, BatchAnswer>();
  for (const { name, partitionResponses } of response.responses) {
    for (const answer of partitionResponses) byPlace.set(`${answer.index}/${name}`, answer);
  }
  return sent.map((each) => ({
    each,
    answer: byPlace.get(`${each.queue.partition}/${each.queue.topic.name}`),
  }));
}
