import {
  abortTransactionRecord,
  accessControlEntryRecord,
  beginTransactionRecord,
  brokerRegistrationChangeRecord,
  clearElrRecord,
  clientQuotaRecord,
  configRecord,
  decodeMessage,
  delegationTokenRecord,
  encodeMessage,
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
  topicRecord,
  unfenceBrokerRecord,
  unregisterBrokerRecord,
  unregisterControllerRecord,
  userScramCredentialRecord,
  zkMigrationStateRecord,
} from '@ottla/protocol';
import type { MessageInput, MessageSchema } from '@ottla/protocol';

/** Every record kind of Kafka's metadata log, by the name of its schema. */
const schemas = {
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
} as const;

type Schemas = typeof schemas;
export type MetadataRecordType = keyof Schemas;
type DataOf<K extends MetadataRecordType> = Schemas[K] extends MessageSchema<infer T> ? T : never;

/** One record of the metadata log: its kind, the schema version it is written in, and its fields. */
export type MetadataRecord = {
  [K in MetadataRecordType]: { readonly type: K; readonly version: number; readonly data: DataOf<K> };
}[MetadataRecordType];

/** The fields of one record kind. */
export type MetadataRecordData<K extends MetadataRecordType> = DataOf<K>;

/** A record that cannot be read or that contradicts the records before it: the log is damaged or from a newer Kafka. */
export class MetadataRecordError extends Error {
  override readonly name = 'MetadataRecordError';
}

const typeByApiKey = new Map<number, MetadataRecordType>();
for (const [type, schema] of Object.entries(schemas))
  typeByApiKey.set(schema.apiKey, type as MetadataRecordType);

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
  fields: MessageInput<DataOf<K>>,
  version: number = writtenVersions[type] ?? 0,
): MetadataRecord {
  const schema = schemas[type] as unknown as MessageSchema<DataOf<K>>;
  const data = decodeMessage(schema, version, encodeMessage(schema, version, fields));
  return { type, version, data } as unknown as MetadataRecord;
}

/** Version of the frame around every metadata record. */
const FRAME_VERSION = 1;

/** The value of a record in the log: frame version, api key and version as unsigned varints, then the body. */
export function encodeMetadataRecord(record: MetadataRecord): Buffer {
  const schema = schemas[record.type] as unknown as MessageSchema<unknown>;
  const body = encodeMessage(schema, record.version, record.data as MessageInput<unknown>);
  // Keys stay below 128 and versions are small, so that each part of the frame is one byte.
  if (schema.apiKey > 127 || record.version > 127)
    throw new MetadataRecordError(`Record ${record.type} does not fit the frame`);
  const value = Buffer.allocUnsafe(3 + body.length);
  value[0] = FRAME_VERSION;
  value[1] = schema.apiKey;
  value[2] = record.version;
  body.copy(value, 3);
  return value;
}

/** Reads a record of the log. Throws {@link MetadataRecordError} or the codec's ProtocolError. */
export function decodeMetadataRecord(value: Buffer): MetadataRecord {
  const frame = readUnsignedVarint(value, 0);
  if (frame.value !== FRAME_VERSION)
    throw new MetadataRecordError(`Unknown metadata frame version '${frame.value}', expected 1`);
  const apiKey = readUnsignedVarint(value, frame.next);
  const version = readUnsignedVarint(value, apiKey.next);
  const type = typeByApiKey.get(apiKey.value);
  const schema = type === undefined ? undefined : (schemas[type] as unknown as MessageSchema<unknown>);
  if (schema === undefined || version.value > schema.maxVersion) {
    throw new MetadataRecordError(
      `Unknown metadata record key '${apiKey.value}' version '${version.value}': written by a newer Kafka, start that instead`,
    );
  }
  const data = decodeMessage(schema, version.value, value, version.next);
  return { type, version: version.value, data } as MetadataRecord;
}

function readUnsignedVarint(buffer: Buffer, start: number): { value: number; next: number } {
  let value = 0;
  for (let index = 0; index < 5; index += 1) {
    const byte = buffer[start + index];
    if (byte === undefined)
      throw new MetadataRecordError(`Metadata record ends within its frame at byte ${start + index}`);
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, next: start + index + 1 };
  }
  throw new MetadataRecordError(`Metadata record has an overlong number at byte ${start}`);
}
