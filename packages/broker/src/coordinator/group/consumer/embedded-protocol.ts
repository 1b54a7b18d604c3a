import {
  consumerProtocolAssignment,
  consumerProtocolSubscription,
  decodeMessagePrefix,
  encodeMessage,
  ProtocolError,
  type ConsumerProtocolAssignment,
  type ConsumerProtocolSubscription,
} from '@ottla/protocol';
import type { MetadataImage } from '../../../metadata/image.ts';
import type {
  AssignedPartitions,
  TopicPartitions,
  TopicPartitionsEntry,
} from '../modern/topic-partitions.ts';

/** Newest version of the embedded consumer protocol; what comes after may only add to it. */
const NEWEST_VERSION = 3;

/**
 * The subscription that a member of the classic protocol sends in JoinGroup.
 * @throws ProtocolError when it is malformed
 */
export function readSubscription(bytes: Buffer): ConsumerProtocolSubscription {
  return decodeMessagePrefix(consumerProtocolSubscription, versionOf(bytes), bytes, 2).value;
}

/**
 * The assignment that a leader of the classic protocol sent in SyncGroup.
 * @throws ProtocolError when it is malformed
 */
export function readAssignment(bytes: Buffer): ConsumerProtocolAssignment {
  return decodeMessagePrefix(consumerProtocolAssignment, versionOf(bytes), bytes, 2).value;
}

/** An assignment for a member of the classic protocol, in the version of the subscription that it sent. */
export function writeAssignment(
  partitions: TopicPartitions | AssignedPartitions,
  { subscription, image }: { subscription: Buffer; image: MetadataImage },
): Buffer {
  const version = versionOf(subscription);
  const assignedPartitions: { topic: string; partitions: number[] }[] = [];
  for (const [topicId, indexes] of partitions) {
    const topic = image.topics.byId.get(topicId);
    if (topic !== undefined) assignedPartitions.push({ topic: topic.name, partitions: [...indexes.keys()] });
  }
  const header = Buffer.allocUnsafe(2);
  header.writeInt16BE(version);
  const body = encodeMessage(consumerProtocolAssignment, version, { assignedPartitions, userData: null });
  return Buffer.concat([header, body]);
}

/** Partitions by topic id, of topics that exist. */
export function toTopicIds(
  entries: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
  image: MetadataImage,
): TopicPartitionsEntry[] {
  return entries.flatMap(({ topic, partitions }) => {
    const found = image.topics.byName.get(topic);
    return found === undefined ? [] : [{ topicId: found.id, partitions }];
  });
}

function versionOf(bytes: Buffer): number {
  const version = bytes.length >= 2 ? bytes.readInt16BE(0) : -1;
  if (version < 0) throw new ProtocolError('Embedded consumer protocol has no version', 0);
  return Math.min(version, NEWEST_VERSION);
}
