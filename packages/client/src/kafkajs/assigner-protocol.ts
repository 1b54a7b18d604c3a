import {
  consumerProtocolAssignment,
  consumerProtocolSubscription,
  decodeMessage,
  encodeMessage,
} from '@ottla/protocol';

/** Partitions by topic. */
export type Assignment = Record<string, number[]>;

export interface MemberMetadata {
  version: number;
  topics: string[];
  userData: Buffer;
}

export interface MemberAssignment {
  version: number;
  assignment: Assignment;
  userData: Buffer;
}

/** The version that is written: the one every client can read. */
const VERSION = 0;

function versioned(version: number, body: Buffer): Buffer {
  const bytes = Buffer.alloc(2 + body.length);
  bytes.writeInt16BE(version, 0);
  body.copy(bytes, 2);
  return bytes;
}

/** Later versions only add to the end, so what is not known is read as the newest known one. */
function versionOf(bytes: Buffer, newest: number): number {
  return Math.min(Math.max(0, bytes.readInt16BE(0)), newest);
}

/** The bytes that members of a classic consumer group exchange, as kafkajs offers them to programs. */
export const AssignerProtocol = {
  MemberMetadata: {
    /** What a member subscribes to, as bytes. */
    encode({ topics, userData }: MemberMetadata): Buffer {
      return versioned(VERSION, encodeMessage(consumerProtocolSubscription, VERSION, { topics, userData }));
    },
    /** Null for no bytes. Throws ProtocolError for bytes that are no subscription. */
    decode(bytes: Buffer): MemberMetadata | null {
      if (bytes.length < 2) return null;
      const version = versionOf(bytes, consumerProtocolSubscription.maxVersion);
      const { topics, userData } = decodeMessage(consumerProtocolSubscription, version, bytes, 2);
      return { version, topics: [...topics], userData: userData ?? Buffer.alloc(0) };
    },
  },
  MemberAssignment: {
    /** What a member is assigned, as bytes. */
    encode({ assignment, userData }: MemberAssignment): Buffer {
      const assignedPartitions = Object.entries(assignment).map(([topic, partitions]) => ({
        topic,
        partitions,
      }));
      return versioned(
        VERSION,
        encodeMessage(consumerProtocolAssignment, VERSION, { assignedPartitions, userData }),
      );
    },
    /** Null for no bytes. Throws ProtocolError for bytes that are no assignment. */
    decode(bytes: Buffer): MemberAssignment | null {
      if (bytes.length < 2) return null;
      const version = versionOf(bytes, consumerProtocolAssignment.maxVersion);
      const { assignedPartitions, userData } = decodeMessage(consumerProtocolAssignment, version, bytes, 2);
      return {
        version,
        assignment: Object.fromEntries(
          assignedPartitions.map(({ topic, partitions }) => [topic, [...partitions]]),
        ),
        userData: userData ?? Buffer.alloc(0),
      };
    },
  },
};
