import {
  consumerGroupCurrentMemberAssignmentKey,
  consumerGroupCurrentMemberAssignmentValue,
  consumerGroupMemberMetadataKey,
  consumerGroupMemberMetadataValue,
  consumerGroupMetadataKey,
  consumerGroupMetadataValue,
  consumerGroupPartitionMetadataKey,
  consumerGroupPartitionMetadataValue,
  consumerGroupRegularExpressionKey,
  consumerGroupRegularExpressionValue,
  consumerGroupTargetAssignmentMemberKey,
  consumerGroupTargetAssignmentMemberValue,
  consumerGroupTargetAssignmentMetadataKey,
  consumerGroupTargetAssignmentMetadataValue,
  type ConsumerGroupCurrentMemberAssignmentValue,
  type ConsumerGroupMemberMetadataValue,
  type ConsumerGroupMetadataValue,
  type ConsumerGroupPartitionMetadataValue,
  type ConsumerGroupRegularExpressionKey,
  type ConsumerGroupRegularExpressionValue,
  type ConsumerGroupTargetAssignmentMemberValue,
  type ConsumerGroupTargetAssignmentMetadataValue,
} from '@ottla/protocol';
import { recordFormat, type RecordFormat, type TypedRecord } from '../../runtime/record-format.ts';

interface GroupKey {
  readonly groupId: string;
}

interface MemberKey extends GroupKey {
  readonly memberId: string;
}

/** A record of a consumer group (KIP-848); a null value deletes what the key names. */
export type ConsumerGroupRecord =
  | TypedRecord<'consumer-group-metadata', GroupKey, ConsumerGroupMetadataValue>
  | TypedRecord<'consumer-group-partition-metadata', GroupKey, ConsumerGroupPartitionMetadataValue>
  | TypedRecord<'consumer-group-member-metadata', MemberKey, ConsumerGroupMemberMetadataValue>
  | TypedRecord<
      'consumer-group-target-assignment-metadata',
      GroupKey,
      ConsumerGroupTargetAssignmentMetadataValue
    >
  | TypedRecord<
      'consumer-group-target-assignment-member',
      MemberKey,
      ConsumerGroupTargetAssignmentMemberValue
    >
  | TypedRecord<
      'consumer-group-current-member-assignment',
      MemberKey,
      ConsumerGroupCurrentMemberAssignmentValue
    >
  | TypedRecord<
      'consumer-group-regular-expression',
      ConsumerGroupRegularExpressionKey,
      ConsumerGroupRegularExpressionValue
    >;

/** Key types 3 to 8 and 16. The fourth is read and deleted only: Kafka 4.0 wrote it, and a hash took its place. */
export const consumerRecordFormats: readonly RecordFormat<ConsumerGroupRecord>[] = [
  recordFormat('consumer-group-metadata', {
    key: consumerGroupMetadataKey,
    value: consumerGroupMetadataValue,
  }),
  recordFormat('consumer-group-partition-metadata', {
    key: consumerGroupPartitionMetadataKey,
    value: consumerGroupPartitionMetadataValue,
  }),
  recordFormat('consumer-group-member-metadata', {
    key: consumerGroupMemberMetadataKey,
    value: consumerGroupMemberMetadataValue,
  }),
  recordFormat('consumer-group-target-assignment-metadata', {
    key: consumerGroupTargetAssignmentMetadataKey,
    value: consumerGroupTargetAssignmentMetadataValue,
  }),
  recordFormat('consumer-group-target-assignment-member', {
    key: consumerGroupTargetAssignmentMemberKey,
    value: consumerGroupTargetAssignmentMemberValue,
  }),
  recordFormat('consumer-group-current-member-assignment', {
    key: consumerGroupCurrentMemberAssignmentKey,
    value: consumerGroupCurrentMemberAssignmentValue,
  }),
  recordFormat('consumer-group-regular-expression', {
    key: consumerGroupRegularExpressionKey,
    value: consumerGroupRegularExpressionValue,
  }),
];
