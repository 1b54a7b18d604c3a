import { encodeBatch, type BatchInput, type RecordInput } from '@ottla/protocol';
import { Cluster } from '../../src/cluster/cluster.ts';
import { apis } from '../../src/network/apis.ts';
import { resolveOptions } from '../../src/options/resolve-options.ts';

/** Writes batches as they are given, so that a test decides what stands in the log. */
export async function writeBatches(
  bootstrap: string,
  place: { readonly topic: string; readonly partition: number },
  batches: readonly BatchInput[],
): Promise<void> {
  const cluster = new Cluster(resolveOptions({ bootstrap, clientId: 'writer' }));
  try {
    await cluster.topics([place.topic], { timeoutMs: 10_000 });
    const leader = cluster.partition(place.topic, place.partition)!.leaderId;
    for (const batch of batches) {
      const answer = await cluster.request(
        leader,
        apis.produce,
        {
          acks: -1,
          timeoutMs: 10_000,
          topicData: [
            { name: place.topic, partitionData: [{ index: place.partition, records: encodeBatch(batch) }] },
          ],
        },
        { maxVersion: 12 },
      );
      const { errorCode } = answer.responses[0]!.partitionResponses[0]!;
      if (errorCode !== 0)
        throw new Error(`Writing to ${place.topic}-${place.partition} failed with ${errorCode}`);
    }
  } finally {
    cluster.close();
  }
}

/** Records with these values and the keys `k0`, `k1`, ... */
export function textRecords(values: readonly string[], keys?: readonly (string | null)[]): RecordInput[] {
  return values.map((value, index) => {
    const key = keys?.[index] === undefined ? `k${index}` : keys[index];
    return {
      timestamp: 1_000 + index,
      key: key === null ? null : Buffer.from(key),
      value: Buffer.from(value),
      headers: [{ key: 'n', value: Buffer.from(String(index)) }],
    };
  });
}

/** `count` values that tell where they are: `p0-17`. */
export function numbered(prefix: string, count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${from + index}`);
}
