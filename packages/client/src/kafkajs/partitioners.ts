import type { ICustomPartitioner, PartitionerArgs } from './producer-types.ts';
import { partitionForKey } from '@ottla/protocol';

const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;

function bytesOf(key: Buffer | string): Buffer {
  return typeof key === 'string' ? Buffer.from(key) : key;
}

/**
 * The hash of kafkajs before version 2: murmur2 in the arithmetic of JavaScript's numbers, which loses bits that Java's keeps. For
 * topics that were written with it, since a key must go on to the same partition.
 */
function legacyHash(data: Buffer): number {
  const { length } = data;
  let hash = SEED ^ length;
  for (let i = 0; i < length / 4; i++) {
    const at = i * 4;
    let word =
      byteAt(data, at) +
      (byteAt(data, at + 1) << 8) +
      (byteAt(data, at + 2) << 16) +
      (byteAt(data, at + 3) << 24);
    word *= MULTIPLIER;
    word ^= word >>> 24;
    word *= MULTIPLIER;
    hash *= MULTIPLIER;
    hash ^= word;
  }
  const rest = length & ~3;
  const left = length % 4;
  if (left >= 3) hash ^= byteAt(data, rest + 2) << 16;
  if (left >= 2) hash ^= byteAt(data, rest + 1) << 8;
  if (left >= 1) {
    hash ^= byteAt(data, rest);
    hash *= MULTIPLIER;
  }
  hash ^= hash >>> 13;
  hash *= MULTIPLIER;
  hash ^= hash >>> 15;
  return hash;
}

function byteAt(data: Buffer, at: number): number {
  return (data[at] ?? 0) & 0xff;
}

function byKey(partitionOf: (key: Buffer, count: number) => number): ICustomPartitioner {
  return () => {
    const turns = new Map<string, number>();
    return ({ topic, partitionMetadata, message }: PartitionerArgs) => {
      if (message.partition !== undefined) return message.partition;
      const { key } = message;
      if (key !== undefined && key !== null) return partitionOf(bytesOf(key), partitionMetadata.length);
      const available = partitionMetadata.filter(({ leader }) => leader >= 0);
      const turn = turns.get(topic) ?? 0;
      turns.set(topic, turn + 1);
      const choice = available.length > 0 ? available : partitionMetadata;
      return choice[turn % choice.length]!.partitionId;
    };
  };
}

const DefaultPartitioner: ICustomPartitioner = byKey(partitionForKey);

/** kafkajs's partitioners. The default one gives a key the partition that Java gives it. */
export const Partitioners = {
  DefaultPartitioner,
  LegacyPartitioner: byKey((key, count) => (legacyHash(key) & 0x7fffffff) % count),
  JavaCompatiblePartitioner: DefaultPartitioner,
};
