import type { BrokerImage, MetadataImage, TopicImage } from '../../../metadata/image.ts';
import { xxh3 } from './xxh3.ts';

/**
 * The hash by which a group notices that its topics have changed (KIP-1101), as Kafka 4.3 computes it: over the hashes of the
 * subscribed topics that exist, in the order of their names; 0 without any. Signed, as the records have it, and rounded to
 * the 53 bits that an int64 of a message has here: enough to notice a change, and what Kafka wrote rounds to the same.
 */
export function metadataHash(topicNames: Iterable<string>, image: MetadataImage): number {
  const hashes: (readonly [name: string, hash: bigint])[] = [];
  for (const name of topicNames) {
    const topic = image.topics.byName.get(name);
    if (topic !== undefined) hashes.push([name, topicHash(topic, image.brokers)]);
  }
  if (hashes.length === 0) return 0;
  hashes.sort(([left], [right]) => (left < right ? -1 : 1));
  const bytes = Buffer.allocUnsafe(8 * hashes.length);
  hashes.forEach(([, hash], i) => bytes.writeBigUInt64LE(hash, 8 * i));
  return Number(BigInt.asIntN(64, xxh3(bytes)));
}

interface CheckedImage {
  readonly topics: MetadataImage['topics'];
  readonly brokers: MetadataImage['brokers'];
  readonly hash: number;
}

/** A memory of comparisons made, not state: an image that was compared with a group's hash need not be compared again. */
const checked = new WeakMap<object, CheckedImage>();

/** Whether the topics of a group are as they were when its epoch was last looked at. */
export function isMetadataChecked(
  group: { readonly metadataHash: number },
  { topics, brokers }: MetadataImage,
): boolean {
  const last = checked.get(group);
  return last?.topics === topics && last.brokers === brokers && last.hash === group.metadataHash;
}

/** Notes that a group's hash for an image is this. */
export function noteMetadataChecked(group: object, { topics, brokers }: MetadataImage, hash: number): void {
  checked.set(group, { topics, brokers, hash });
}

interface CachedHash {
  readonly brokers: ReadonlyMap<number, BrokerImage>;
  readonly hash: bigint;
}

/** Images of topics are immutable and shared, so what was computed for one holds as long as the brokers' racks do. */
const cache = new WeakMap<TopicImage, CachedHash>();

function topicHash(topic: TopicImage, brokers: ReadonlyMap<number, BrokerImage>): bigint {
  const cached = cache.get(topic);
  if (cached?.brokers === brokers) return cached.hash;
  const hash = xxh3(topicBytes(topic, brokers));
  cache.set(topic, { brokers, hash });
  return hash;
}

/** Version byte, topic id, name, partition count, and for each partition its number and its racks in order. */
function topicBytes(topic: TopicImage, brokers: ReadonlyMap<number, BrokerImage>): Buffer {
  const id = Buffer.from(topic.id, 'base64url');
  const parts: Buffer[] = [
    Buffer.from([0]),
    Buffer.from(id.subarray(0, 8)).swap64(),
    Buffer.from(id.subarray(8)).swap64(),
  ];
  parts.push(text(topic.name), int32(topic.partitions.length));
  topic.partitions.forEach(({ replicas }, partition) => {
    parts.push(int32(partition));
    for (const rack of partitionRacks(replicas, brokers)) parts.push(int32(rack.length), text(rack));
  });
  return Buffer.concat(parts);
}

/** The racks of a partition's replicas, in order; replicas on brokers without a rack have none. */
function partitionRacks(replicas: readonly number[], brokers: ReadonlyMap<number, BrokerImage>): string[] {
  return replicas
    .map((id) => brokers.get(id)?.rack ?? null)
    .filter((rack) => rack !== null)
    .toSorted();
}

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32LE(value);
  return bytes;
}

/** A string as the hash stream takes it: its UTF-16 units, then how many they are. */
function text(value: string): Buffer {
  return Buffer.concat([Buffer.from(value, 'utf16le'), int32(value.length)]);
}
