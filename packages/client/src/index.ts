export {
  type AclOperation,
  type AclPatternType,
  type AclPermission,
  type AclResourceType,
} from './admin/acl-names.ts';
export { type AclBinding, type AclFilter } from './admin/acls-admin.ts';
export { type FeatureStatus, type FeatureUpdate } from './admin/features-admin.ts';
export { type LogDirDescription, type ReplicaOnDisk } from './admin/log-dirs-admin.ts';
export { type QuorumDescription, type QuorumReplica } from './admin/quorum-admin.ts';
export { type QuotaEntity, type QuotaEntry, type QuotaFilter } from './admin/quotas-admin.ts';
export { type PartitionOutcome, type Reassignment } from './admin/replicas-admin.ts';
export {
  type ShareGroupDescription,
  type ShareGroupMember,
  type ShareGroupOffset,
} from './admin/share-groups-admin.ts';
export {
  type StreamsAssignment,
  type StreamsGroupDescription,
  type StreamsGroupMember,
  type StreamsSubtopology,
  type StreamsTasks,
} from './admin/streams-groups-admin.ts';
export { type DelegationToken } from './admin/tokens-admin.ts';
export {
  type ListTransactionsOptions,
  type PartitionProducers,
  type ProducerState,
  type TransactionDescription,
  type TransactionListing,
} from './admin/transactions-admin.ts';
export { type ScramCredential, type ScramMechanism, type UserCredentials } from './admin/users-admin.ts';
export { type TopicPartition } from './admin/admin-requests.ts';
export { Admin } from './admin/admin.ts';
export { type ClusterDescription, type NodeDescription } from './admin/cluster-admin.ts';
export {
  type AlterConfigsOptions,
  type ConfigChange,
  type ConfigChanges,
  type ConfigEntry,
  type ConfigResource,
  type ConfigResourceType,
  type ConfigSource,
  type ConfigType,
  type DescribeConfigsOptions,
} from './admin/configs-admin.ts';
export { type GroupDescription, type GroupMember } from './admin/describe-groups.ts';
export {
  type DescribeTopicsOptions,
  type PartitionDescription,
  type TopicDescription,
} from './admin/describe-topics.ts';
export { type CommittedOffset, type GroupLag } from './admin/group-offsets.ts';
export {
  type GroupListing,
  type GroupStatus,
  type GroupType,
  type ListGroupsOptions,
} from './admin/groups-admin.ts';
export {
  type DeletedRecords,
  type ListOffsetsOptions,
  type OffsetSpec,
  type PartitionFailure,
  type PartitionOffset,
} from './admin/offsets-admin.ts';
export { type PerItem } from './admin/per-item.ts';
export { type OffsetReset, type ResetStep } from './admin/reset-offsets.ts';
export {
  type CreatedTopic,
  type CreateTopicsOptions,
  type TopicListing,
  type TopicSpec,
} from './admin/topics-admin.ts';
export { connect, Ottla } from './connect.ts';
export { type CallLimits } from './cluster/limits.ts';
export {
  type AssignableTopic,
  type Assignor,
  type GroupAssignment,
  type MemberSubscription,
} from './consumer/assignors/assignor.ts';
export { assignors, type AssignorName } from './consumer/assignors/assignors.ts';
export { type CloseOptions } from './consumer/consumer-core.ts';
export { type ConsumerMetrics, type PartitionMetrics } from './consumer/consumer-metrics.ts';
export { type FetchMetrics } from './metrics/fetch-counters.ts';
export { type GroupMetrics, type JoinMetrics } from './metrics/group-counters.ts';
export { type ShareConsumerMetrics } from './share/share-consumer-metrics.ts';
export { LogTruncationError, PartitionError } from './consumer/consumer-errors.ts';
export { type ConsumerInterceptor } from './consumer/consumer-interceptor.ts';
export { type ConsumerOptions, type From, type RebalanceListener } from './consumer/consumer-options.ts';
export { Consumer, type BatchesOptions, type PartitionLag, type SeekTarget } from './consumer/consumer.ts';
export { type EachOptions } from './consumer/delivery/each-options.ts';
export { type Handler } from './consumer/delivery/each-runner.ts';
export { type ErrorPolicy } from './consumer/delivery/error-policy.ts';
export { Message } from './consumer/delivery/message.ts';
export { type CommitOffset } from './admin/commit-offset.ts';
export { type GroupMetadata } from './consumer/offset-committer.ts';
export {
  type ConsumerSource,
  type ManualAssignment,
  type MessageOf,
  type TopicPattern,
} from './consumer/subscription.ts';
export * from './errors/client-errors.ts';
export {
  AuthorizationError,
  isKafkaError,
  isRetriableError,
  KafkaError,
  type ClientErrorName,
} from './errors/kafka-error.ts';
export { type SaslExchange, type SaslMechanism, type Secret } from './network/sasl/sasl-mechanism.ts';
export { clientCredentials, type ClientCredentialsOptions } from './network/sasl/client-credentials.ts';
export { type SaslOptions } from './network/sasl/sasl-options.ts';
export { type TlsOptions } from './network/tls-options.ts';
export { openTelemetry, type OpenTelemetryOptions } from './telemetry/open-telemetry.ts';
export { type OpenTelemetryApi } from './telemetry/open-telemetry-api.ts';
export {
  type ClientTracer,
  type CommitToSend,
  type ProcessSpan,
  type ReceivedRecords,
  type ReceiverInfo,
  type RecordToProcess,
  type RecordToSend,
  type RecordTracer,
  type SendSpan,
} from './options/record-tracing.ts';
export {
  type ClientMetrics,
  type ConnectionEvent,
  type RequestEvent,
  type RequestSpan,
  type RequestTracer,
} from './network/request-hooks.ts';
export { clientOptionsFromProperties, type ClientProperties } from './options/client-properties.ts';
export { type ClientOptions } from './options/client-options.ts';
export { type RecordMetadata } from './producer/batch-outcome.ts';
export { type Partitioner, type PartitionerInput } from './producer/partitioner.ts';
export { Producer } from './producer/producer.ts';
export {
  type HeadersInput,
  type RecordInput,
  type SendOptions,
  type TopicToSend,
} from './producer/record-input.ts';
export {
  type Acknowledgement,
  type InterceptedRecord,
  type ProducerInterceptor,
} from './producer/producer-interceptor.ts';
export { type BatchEvent, type ProducerMetrics } from './producer/producer-metrics.ts';
export { type CompressionOptions, type ProducerOptions } from './producer/producer-options.ts';
export { Transaction } from './producer/transaction.ts';
export { type FailureMatch } from './retry-topics/failure-match.ts';
export {
  RetryHeaders,
  RetryInfo,
  type RecordFailure,
  type RecordOrigin,
} from './retry-topics/retry-headers.ts';
export {
  type BackOff,
  type RetryingConsumerOptions,
  type RetryTopicShape,
} from './retry-topics/retry-options.ts';
export { RetryingConsumer, type RetryHandler } from './retry-topics/retrying-consumer.ts';
export { serde } from './serde/serdes.ts';
export { type Serde, type SerdeContext, type SerdeType } from './serde/serde.ts';
export { type StandardSchema } from './serde/standard-schema.ts';
export { type AcknowledgeType } from './share/acknowledgement-batches.ts';
export { ShareConsumer } from './share/share-consumer.ts';
export { ShareMessage } from './share/share-message.ts';
export { type AcknowledgementResult, type ShareConsumerOptions } from './share/share-options.ts';
export { topic, type KeyOf, type Topic, type TopicOptions, type ValueOf } from './topic.ts';
