import { encodeBatch, encodeRequest, fetchRequest, produceRequest } from '@ottla/protocol';
import type { GeneratorPlan } from './generator-plan.ts';

const header = { correlationId: 7, clientId: 'generator' };

/** Versions of 2022, with topic names instead of ids: the same bytes for every broker. */
export const PRODUCE_VERSION = 9;
export const FETCH_VERSION = 12;

/** A batch of records without keys, filled to `batchBytes`, and how many records it holds. */
export function fullBatch(plan: Pick<GeneratorPlan, 'batchBytes' | 'recordBytes'>): {
  batch: Buffer;
  count: number;
} {
  const value = Buffer.alloc(plan.recordBytes);
  for (let i = 0; i < value.length; i += 1) value[i] = 33 + ((i * 31) % 90);
  // A record costs about seven bytes beside its value, a batch 61.
  const count = Math.max(1, Math.floor((plan.batchBytes - 61) / (plan.recordBytes + 8)));
  const records = Array.from({ length: count }, () => ({ timestamp: Date.now(), value }));
  return { batch: encodeBatch({ records }), count };
}

/** Produce requests that together visit every partition; the same frames are sent over and over. */
export function produceFrames(plan: GeneratorPlan, batch: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let first = 0; first < plan.partitionCount; first += plan.batchesPerRequest) {
    const last = Math.min(first + plan.batchesPerRequest, plan.partitionCount);
    const partitionData = [];
    for (let index = first; index < last; index += 1) partitionData.push({ index, records: batch });
    const body = { acks: -1, timeoutMs: 30_000, topicData: [{ name: plan.topic, partitionData }] };
    frames.push(Buffer.concat(encodeRequest(produceRequest, PRODUCE_VERSION, header, body)));
  }
  return frames;
}

/** A fetch request whose offsets are written in place, one position for each partition it asks. */
export interface FetchTemplate {
  readonly frame: Buffer;
  readonly offsetPositions: readonly number[];
}

/** A sessionless fetch of the first `batchesPerRequest` partitions, at most `partitionMaxBytes` of each. */
export function fetchTemplate(
  plan: GeneratorPlan,
  limits: { partitionMaxBytes: number; maxWaitMs: number },
): FetchTemplate {
  // A number that no other field holds, to find the places of the offsets.
  const marker = 0x1122334455667;
  const partitions = [];
  for (let partition = 0; partition < plan.batchesPerRequest; partition += 1) {
    partitions.push({ partition, fetchOffset: marker, partitionMaxBytes: limits.partitionMaxBytes });
  }
  const body = {
    replicaId: -1,
    maxWaitMs: limits.maxWaitMs,
    minBytes: 1,
    maxBytes: 50 * 1024 * 1024,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [{ topic: plan.topic, partitions }],
  };
  const frame = Buffer.concat(encodeRequest(fetchRequest, FETCH_VERSION, header, body));
  const needle = Buffer.alloc(8);
  needle.writeBigInt64BE(BigInt(marker));
  const offsetPositions: number[] = [];
  for (let at = frame.indexOf(needle); at >= 0; at = frame.indexOf(needle, at + 8)) offsetPositions.push(at);
  return { frame, offsetPositions };
}

/** Writes one offset into every place of the template. */
export function setOffset(template: FetchTemplate, offset: number): void {
  for (const position of template.offsetPositions) {
    template.frame.writeInt32BE(Math.floor(offset / 2 ** 32), position);
    template.frame.writeUInt32BE(offset % 2 ** 32, position + 4);
  }
}
