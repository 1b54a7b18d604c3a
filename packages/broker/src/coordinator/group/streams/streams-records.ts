import {
  streamsGroupCurrentMemberAssignmentKey,
  streamsGroupCurrentMemberAssignmentValue,
  streamsGroupMemberMetadataKey,
  streamsGroupMemberMetadataValue,
  streamsGroupMetadataKey,
  streamsGroupMetadataValue,
  streamsGroupTargetAssignmentMemberKey,
  streamsGroupTargetAssignmentMemberValue,
  streamsGroupTargetAssignmentMetadataKey,
  streamsGroupTargetAssignmentMetadataValue,
  streamsGroupTopologyKey,
  streamsGroupTopologyValue,
  type StreamsGroupCurrentMemberAssignmentValue,
  type StreamsGroupMemberMetadataValue,
  type StreamsGroupMetadataValue,
  type StreamsGroupTargetAssignmentMemberValue,
  type StreamsGroupTargetAssignmentMetadataValue,
  type StreamsGroupTopologyValue,
} from '@ottla/protocol';
import { recordFormat, type RecordFormat, type TypedRecord } from '../../runtime/record-format.ts';

interface GroupKey {
  readonly groupId: string;
}

interface MemberKey extends GroupKey {
  readonly memberId: string;
}

/** A record of a streams group (KIP-1071); a null value deletes what the key names. All are replayed at the append. */
export type StreamsGroupRecord =
  | TypedRecord<'streams-epoch', GroupKey, StreamsGroupMetadataValue>
  | TypedRecord<'streams-topology', GroupKey, StreamsGroupTopologyValue>
  | TypedRecord<'streams-member', MemberKey, StreamsGroupMemberMetadataValue>
  | TypedRecord<'streams-target-epoch', GroupKey, StreamsGroupTargetAssignmentMetadataValue>
  | TypedRecord<'streams-target', MemberKey, StreamsGroupTargetAssignmentMemberValue>
  | TypedRecord<'streams-current', MemberKey, StreamsGroupCurrentMemberAssignmentValue>;

/** Key types 17 and 19 to 23 of `__consumer_offsets`; Kafka 4.3 does not write type 18 any more. */
export const streamsRecordFormats: readonly RecordFormat<StreamsGroupRecord>[] = [
  recordFormat('streams-epoch', { key: streamsGroupMetadataKey, value: streamsGroupMetadataValue }),
  recordFormat('streams-topology', { key: streamsGroupTopologyKey, value: streamsGroupTopologyValue }),
  recordFormat('streams-member', {
    key: streamsGroupMemberMetadataKey,
    value: streamsGroupMemberMetadataValue,
  }),
  recordFormat('streams-target-epoch', {
    key: streamsGroupTargetAssignmentMetadataKey,
    value: streamsGroupTargetAssignmentMetadataValue,
  }),
  recordFormat('streams-target', {
    key: streamsGroupTargetAssignmentMemberKey,
    value: streamsGroupTargetAssignmentMemberValue,
  }),
  recordFormat('streams-current', {
    key: streamsGroupCurrentMemberAssignmentKey,
    value: streamsGroupCurrentMemberAssignmentValue,
  }),
];

/** Whether a record is of a streams group. */
export function isStreamsGroupRecord(record: { readonly type: string }): record is StreamsGroupRecord {
  return record.type.startsWith('streams-');
}
