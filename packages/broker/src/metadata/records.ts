import {
  abortTransactionRecord,
  accessControlEntryRecord,
  beginTransactionRecord,
  brokerRegistrationChangeRecord,
  clearElrRecord,
  clientQuotaRecord,
  configRecord,
  decodeMessage,
  decodeMetadataRecord as decodeFrame,
  delegationTokenRecord,
  encodeMessage,
  encodeMetadataRecord as encodeFrame,
  endTransactionRecord,
  featureLevelRecord,
  fenceBrokerRecord,
  noOpRecord,
  partitionChangeRecord,
  partitionRecord,
  producerIdsRecord,
  registerBrokerRecord,
  registerControllerRecord,
  removeAccessControlEntryRecord,
  removeDelegationTokenRecord,
  removeTopicRecord,
  removeUserScramCredentialRecord,
  schemaTable,
  topicRecord,
  unfenceBrokerRecord,
  unregisterBrokerRecord,
  unregisterControllerRecord,
  userScramCredentialRecord,
  zkMigrationStateRecord,
} from '@ottla/protocol';
import type {
  AbortTransactionRecord,
  AccessControlEntryRecord,
  BeginTransactionRecord,
  BrokerRegistrationChangeRecord,
  ClearElrRecord,
  ClientQuotaRecord,
  ConfigRecord,
  DelegationTokenRecord,
  EndTransactionRecord,
  FeatureLevelRecord,
  FenceBrokerRecord,
  MessageInput,
  MessageSchema,
  NoOpRecord,
  PartitionChangeRecord,
  PartitionRecord,
  ProducerIdsRecord,
  RegisterBrokerRecord,
  RegisterControllerRecord,
  RemoveAccessControlEntryRecord,
  RemoveDelegationTokenRecord,
  RemoveTopicRecord,
  RemoveUserScramCredentialRecord,
  SchemaTable,
  TopicRecord,
  UnfenceBrokerRecord,
  UnregisterBrokerRecord,
  UnregisterControllerRecord,
  UserScramCredentialRecord,
  ZkMigrationStateRecord,
} from '@ottla/protocol';

/** Every record kind of Kafka's metadata log, by the name of its schema. */
interface RecordDataByType {
  AbortTransactionRecord: AbortTransactionRecord;
  AccessControlEntryRecord: AccessControlEntryRecord;
  BeginTransactionRecord: BeginTransactionRecord;
  BrokerRegistrationChangeRecord: BrokerRegistrationChangeRecord;
  ClearElrRecord: ClearElrRecord;
  ClientQuotaRecord: ClientQuotaRecord;
  ConfigRecord: ConfigRecord;
  DelegationTokenRecord: DelegationTokenRecord;
  EndTransactionRecord: EndTransactionRecord;
  FeatureLevelRecord: FeatureLevelRecord;
  FenceBrokerRecord: FenceBrokerRecord;
  NoOpRecord: NoOpRecord;
  PartitionChangeRecord: PartitionChangeRecord;
  PartitionRecord: PartitionRecord;
  ProducerIdsRecord: ProducerIdsRecord;
  RegisterBrokerRecord: RegisterBrokerRecord;
  RegisterControllerRecord: RegisterControllerRecord;
  RemoveAccessControlEntryRecord: RemoveAccessControlEntryRecord;
  RemoveDelegationTokenRecord: RemoveDelegationTokenRecord;
  RemoveTopicRecord: RemoveTopicRecord;
  RemoveUserScramCredentialRecord: RemoveUserScramCredentialRecord;
  TopicRecord: TopicRecord;
  UnfenceBrokerRecord: UnfenceBrokerRecord;
  UnregisterBrokerRecord: UnregisterBrokerRecord;
  UnregisterControllerRecord: UnregisterControllerRecord;
  UserScramCredentialRecord: UserScramCredentialRecord;
  ZkMigrationStateRecord: ZkMigrationStateRecord;
}

export type MetadataRecordType = keyof RecordDataByType;

const schemas: { readonly [K in MetadataRecordType]: MessageSchema<RecordDataByType[K]> } = {
  AbortTransactionRecord: abortTransactionRecord,
  AccessControlEntryRecord: accessControlEntryRecord,
  BeginTransactionRecord: beginTransactionRecord,
  BrokerRegistrationChangeRecord: brokerRegistrationChangeRecord,
  ClearElrRecord: clearElrRecord,
  ClientQuotaRecord: clientQuotaRecord,
  ConfigRecord: configRecord,
  DelegationTokenRecord: delegationTokenRecord,
  EndTransactionRecord: endTransactionRecord,
  FeatureLevelRecord: featureLevelRecord,
  FenceBrokerRecord: fenceBrokerRecord,
  NoOpRecord: noOpRecord,
  PartitionChangeRecord: partitionChangeRecord,
  PartitionRecord: partitionRecord,
  ProducerIdsRecord: producerIdsRecord,
  RegisterBrokerRecord: registerBrokerRecord,
  RegisterControllerRecord: registerControllerRecord,
  RemoveAccessControlEntryRecord: removeAccessControlEntryRecord,
  RemoveDelegationTokenRecord: removeDelegationTokenRecord,
  RemoveTopicRecord: removeTopicRecord,
  RemoveUserScramCredentialRecord: removeUserScramCredentialRecord,
  TopicRecord: topicRecord,
  UnfenceBrokerRecord: unfenceBrokerRecord,
  UnregisterBrokerRecord: unregisterBrokerRecord,
  UnregisterControllerRecord: unregisterControllerRecord,
  UserScramCredentialRecord: userScramCredentialRecord,
  ZkMigrationStateRecord: zkMigrationStateRecord,
};

/** One record of the metadata log: its kind, the schema version it is written in, and its fields. */
export type MetadataRecord = {
  [K in MetadataRecordType]: {
    readonly type: K;
    readonly version: number;
    readonly data: RecordDataByType[K];
  };
}[MetadataRecordType];

/** The fields of one record kind. */
export type MetadataRecordData<K extends MetadataRecordType> = RecordDataByType[K];

/** A record that contradicts the records before it: the log is damaged. */
export class MetadataRecordError extends Error {
  override readonly name = 'MetadataRecordError';
}

/** The version in which each kind is written at metadata.version 4.3-IV0 where it is not 0. */
const writtenVersions: { readonly [K in MetadataRecordType]?: number } = {
  PartitionRecord: 2,
  PartitionChangeRecord: 2,
  RegisterBrokerRecord: 4,
};

/**
 * Builds a record from the fields that matter; the others take the defaults of Kafka's specification.
 * It goes through the codec, so a live record is the very value that replay will see.
 */
export function metadataRecord<K extends MetadataRecordType>(
  type: K,
  fields: MessageInput<RecordDataByType[K]>,
  version: number = writtenVersions[type] ?? 0,
): MetadataRecord {
  const schema = schemas[type] as unknown as MessageSchema<RecordDataByType[K]>;
  const data = decodeMessage(schema, version, encodeMessage(schema, version, fields));
  return { type, version, data } as unknown as MetadataRecord;
}

const recordTypes: SchemaTable = schemaTable(Object.values(schemas) as unknown as MessageSchema<unknown>[]);

/** The value of a record in the log: frame version, record type and schema version, then the body. */
export function encodeMetadataRecord(record: MetadataRecord): Buffer {
  const schema = schemas[record.type] as unknown as MessageSchema<unknown>;
  return encodeFrame(schema, record.version, record.data as MessageInput<unknown>);
}

/** Reads a record of the log. Throws the codec's ProtocolError, also for a record that only a newer Kafka knows. */
export function decodeMetadataRecord(value: Buffer): MetadataRecord {
  const { schema, version, value: data } = decodeFrame(value, recordTypes);
  return { type: schema.name, version, data } as MetadataRecord;
}
