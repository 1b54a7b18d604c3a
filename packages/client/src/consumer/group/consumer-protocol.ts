import {
  consumerProtocolAssignment,
  consumerProtocolSubscription,
  decodeMessage,
  encodeMessageTo,
  ByteWriter,
  ProtocolError,
  type MessageSchema,
} from '@ottla/protocol';
import type { TopicPartition } from '../../admin/admin-requests.ts';
import { groupBy } from '../../admin/per-item.ts';
import { KafkaError } from '../../errors/kafka-error.ts';
import { compareText, type MemberSubscription } from '../assignors/assignor.ts';

/** What members of classic groups send each other through the coordinator: an int16 version, then the message. */
const VERSION = 3;

/** A member's subscription, as Java's consumers of the type `consumer` read it. */
export function encodeSubscription(subscription: {
  readonly topics: readonly string[];
  readonly userData: Buffer | null;
  readonly ownedPartitions: readonly TopicPartition[];
  readonly generationId: number;
  readonly rackId: string | null;
}): Buffer {
  const { topics, userData, ownedPartitions, generationId, rackId } = subscription;
  return withVersion((writer) =>
    encodeMessageTo(
      consumerProtocolSubscription,
      VERSION,
      {
        topics: [...topics].sort(compareText),
        userData,
        ownedPartitions: byTopic(ownedPartitions),
        generationId,
        rackId,
      },
      writer,
    ),
  );
}

/**
 * Reads the subscription of a member.
 * @throws KafkaError INCONSISTENT_GROUP_PROTOCOL when it is malformed
 */
export function decodeSubscription(
  member: { readonly memberId: string; readonly groupInstanceId: string | null },
  bytes: Buffer,
): MemberSubscription {
  const { topics, userData, ownedPartitions, generationId, rackId } = read(
    consumerProtocolSubscription,
    bytes,
    `subscription of member "${member.memberId}"`,
  );
  return {
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    topics,
    userData,
    ownedPartitions: flat(ownedPartitions),
    generationId: generationId < 0 ? null : generationId,
    rackId,
  };
}

/** What a member is to read. */
export function encodeAssignment(partitions: readonly TopicPartition[]): Buffer {
  return withVersion((writer) =>
    encodeMessageTo(
      consumerProtocolAssignment,
      VERSION,
      { assignedPartitions: byTopic(partitions), userData: null },
      writer,
    ),
  );
}

/** Reads an assignment; no bytes are no partitions. @throws KafkaError INCONSISTENT_GROUP_PROTOCOL when it is malformed */
export function decodeAssignment(bytes: Buffer): TopicPartition[] {
  if (bytes.length === 0) return [];
  return flat(read(consumerProtocolAssignment, bytes, 'assignment by the leader').assignedPartitions);
}

/** The broker passes on what members say, whatever it is. */
function read<T>(schema: MessageSchema<T>, bytes: Buffer, what: string): T {
  try {
    return decodeMessage(schema, versionOf(bytes), bytes, 2);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new KafkaError(
      'INCONSISTENT_GROUP_PROTOCOL',
      `The ${what} cannot be read: ${reason}; members of a group must all be consumers`,
      { cause: error, retriable: false },
    );
  }
}

function withVersion(write: (writer: ByteWriter) => void): Buffer {
  const writer = new ByteWriter();
  writer.int16(VERSION);
  write(writer);
  return writer.toBuffer();
}

/** Later versions only add to the end; ours is what we know. */
function versionOf(bytes: Buffer): number {
  if (bytes.length < 2) throw new ProtocolError('ConsumerProtocol: Message ends too early at byte 0', 0);
  const version = bytes.readInt16BE(0);
  if (version < 0)
    throw new ProtocolError(`ConsumerProtocol: Version ${version} does not exist at byte 0`, 0);
  return Math.min(version, VERSION);
}

function byTopic(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  const sorted = partitions.toSorted((a, b) => compareText(a.topic, b.topic) || a.partition - b.partition);
  return [...groupBy(sorted, ({ topic }) => topic)].map(([topic, members]) => ({
    topic,
    partitions: members.map(({ partition }) => partition),
  }));
}

function flat(
  topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
): TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));
}
