import {
  coordinatorRecordType,
  decodeCoordinatorValue,
  decodeMessage,
  encodeCoordinatorKey,
  encodeCoordinatorValue,
  groupMetadataKey,
  groupMetadataValue,
  legacyOffsetCommitKey,
  legacyOffsetCommitValue,
  offsetCommitKey,
  offsetCommitValue,
  ZERO_UUID,
  type GroupMetadataValue,
  type OffsetCommitKey,
  type OffsetCommitValue,
} from '@ottla/protocol';
import type { RecordSerde } from '../runtime/state-machine.ts';

/** A record of `__consumer_offsets`; a null value is a tombstone. */
export type GroupRecord =
  | {
      readonly type: 'offset-commit';
      readonly key: OffsetCommitKey;
      readonly value: OffsetCommitValue | null;
    }
  | { readonly type: 'group-metadata'; readonly group: string; readonly value: GroupMetadataValue | null };

/** Versions that a Kafka 4.3 broker writes. An offset with an expiry of its own needs version 1, the only one that has it. */
const OFFSET_COMMIT_VERSION = 4;
const OFFSET_COMMIT_WITH_EXPIRY_VERSION = 1;
const GROUP_METADATA_VERSION = 3;

/**
 * Keys and values of `__consumer_offsets` in Kafka's formats. The key begins with the record type: 0 and 1 are offset
 * commits (0 as they were before Kafka 0.9), 2 is the metadata of a classic group; those above belong to newer kinds of
 * groups and are skipped. Versions above 4 do not exist yet; Kafka would only add tagged fields.
 */
export const groupRecordSerde: RecordSerde<GroupRecord> = {
  encode(record) {
    if (record.type === 'group-metadata') {
      const { value } = record;
      return {
        key: encodeCoordinatorKey(groupMetadataKey, { group: record.group }),
        value:
          value === null ? null : encodeCoordinatorValue(groupMetadataValue, GROUP_METADATA_VERSION, value),
      };
    }
    return {
      key: encodeCoordinatorKey(offsetCommitKey, record.key),
      value: encodeOffsetCommit(record.value),
    };
  },

  decode(key, value) {
    switch (coordinatorRecordType(key)) {
      case legacyOffsetCommitKey.apiKey:
      case offsetCommitKey.apiKey:
        return {
          type: 'offset-commit',
          key: decodeMessage(offsetCommitKey, 0, key, 2),
          value: value === null ? null : decodeOffsetCommit(value),
        };
      case groupMetadataKey.apiKey:
        return {
          type: 'group-metadata',
          group: decodeMessage(groupMetadataKey, 0, key, 2).group,
          value: value === null ? null : decodeGroupMetadata(value),
        };
      default:
        return null;
    }
  },
};

function encodeOffsetCommit(value: OffsetCommitValue | null): Buffer | null {
  if (value === null) return null;
  const hasExpiry = value.expireTimestamp !== -1;
  const version = hasExpiry ? OFFSET_COMMIT_WITH_EXPIRY_VERSION : OFFSET_COMMIT_VERSION;
  return encodeCoordinatorValue(offsetCommitValue, version, value);
}

function decodeOffsetCommit(value: Buffer): OffsetCommitValue {
  if (value.length >= 2 && value.readInt16BE(0) === 0) {
    const { offset, metadata, commitTimestamp } = decodeCoordinatorValue(legacyOffsetCommitValue, value);
    return { offset, metadata, commitTimestamp, leaderEpoch: -1, expireTimestamp: -1, topicId: ZERO_UUID };
  }
  return decodeCoordinatorValue(offsetCommitValue, value);
}

/** The members' bytes are copied: they outlive the piece of the log that they were read with. */
function decodeGroupMetadata(bytes: Buffer): GroupMetadataValue {
  const value = decodeCoordinatorValue(groupMetadataValue, bytes);
  return {
    ...value,
    members: value.members.map((member) => ({
      ...member,
      subscription: Buffer.from(member.subscription),
      assignment: Buffer.from(member.assignment),
    })),
  };
}
