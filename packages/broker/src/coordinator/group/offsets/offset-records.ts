import {
  decodeCoordinatorValue,
  decodeMessage,
  encodeCoordinatorKey,
  encodeCoordinatorValue,
  legacyOffsetCommitKey,
  legacyOffsetCommitValue,
  offsetCommitKey,
  offsetCommitValue,
  ZERO_UUID,
  type OffsetCommitKey,
  type OffsetCommitValue,
} from '@ottla/protocol';
import type { RecordFormat, TypedRecord } from '../../runtime/record-format.ts';

/** A committed offset; a null value is a tombstone. */
export type OffsetRecord = TypedRecord<'offset-commit', OffsetCommitKey, OffsetCommitValue>;

/** Versions that a Kafka 4.3 broker writes. An offset with an expiry of its own needs version 1, the only one that has it. */
const VERSION = 4;
const VERSION_WITH_EXPIRY = 1;

/** Key types 0 (before Kafka 0.9, still readable) and 1. */
export const offsetRecordFormat: RecordFormat<OffsetRecord> = {
  type: 'offset-commit',
  keyTypes: [offsetCommitKey.apiKey, legacyOffsetCommitKey.apiKey],

  encode({ key, value }) {
    const version = value?.expireTimestamp === -1 ? VERSION : VERSION_WITH_EXPIRY;
    return {
      key: encodeCoordinatorKey(offsetCommitKey, key),
      value: value === null ? null : encodeCoordinatorValue(offsetCommitValue, version, value),
    };
  },

  decode: (key, value) => ({
    type: 'offset-commit',
    key: decodeMessage(offsetCommitKey, 0, key, 2),
    value: value === null ? null : decodeValue(value),
  }),
};

function decodeValue(value: Buffer): OffsetCommitValue {
  if (value.length >= 2 && value.readInt16BE(0) === 0) {
    const { offset, metadata, commitTimestamp } = decodeCoordinatorValue(legacyOffsetCommitValue, value);
    return { offset, metadata, commitTimestamp, leaderEpoch: -1, expireTimestamp: -1, topicId: ZERO_UUID };
  }
  return decodeCoordinatorValue(offsetCommitValue, value);
}

/** The record that deletes a committed offset. */
export function offsetTombstone(group: string, topic: string, partition: number): OffsetRecord {
  return { type: 'offset-commit', key: { group, topic, partition }, value: null };
}
