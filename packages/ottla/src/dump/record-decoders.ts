import {
  allMessages,
  consumerProtocolAssignment,
  consumerProtocolSubscription,
  ControlRecordType,
  controlRecordType,
  coordinatorRecordType,
  decodeCoordinatorKey,
  decodeEndTxnMarker,
  decodeMessage,
  decodeMessagePrefix,
  decodeMetadataRecord,
  groupMetadataValue,
  kRaftVersionRecord,
  leaderChangeMessage,
  messageToJson,
  schemaTable,
  snapshotFooterRecord,
  snapshotHeaderRecord,
  votersRecord,
  type DecodedRecord,
  type GroupMetadataValue,
  type Json,
  type MessageSchema,
  type SchemaTable,
} from '@ottla/protocol';

/** Key and value of a record as a tool shows them: text, or the JSON of a message. */
export interface DecodedContent {
  readonly key?: Json;
  readonly payload?: Json;
}

/** Makes key and value of a record readable. */
export type ContentDecoder = (record: DecodedRecord) => DecodedContent;

/** Topics whose records are messages, by the names of the options of Kafka's tool. */
export const DECODERS = [
  'offsets',
  'transaction-log',
  'cluster-metadata',
  'share-group-state',
  'text',
] as const;

export type DecoderName = (typeof DECODERS)[number];

/** Internal topics, and what their records are. */
const BY_TOPIC: Readonly<Record<string, DecoderName>> = {
  __consumer_offsets: 'offsets',
  __transaction_state: 'transaction-log',
  __cluster_metadata: 'cluster-metadata',
  __share_group_state: 'share-group-state',
};

/** The decoder that fits the records of a topic. */
export function decoderOfTopic(topic: string | null): DecoderName {
  return BY_TOPIC[topic ?? ''] ?? 'text';
}

/** A decoder by its name; what cannot be decoded is shown as text, with the reason. */
export function contentDecoder(name: DecoderName): ContentDecoder {
  switch (name) {
    case 'text':
      return ({ key, value }) => ({ ...textField('key', key), ...textField('payload', value) });
    case 'cluster-metadata':
      return metadataDecoder();
    default:
      return coordinatorDecoder(name);
  }
}

function textField(name: 'key' | 'payload', bytes: Buffer | null): DecodedContent {
  return bytes === null ? {} : { [name]: bytes.toString() };
}

/** Key types are numbers of their own in each topic, so that the tables are apart. */
function coordinatorSchemas(name: DecoderName, type: 'coordinator-key' | 'coordinator-value'): SchemaTable {
  return schemaTable(
    allMessages.filter((schema) => {
      if (schema.type !== type) return false;
      const isTransaction = schema.name.startsWith('TransactionLog');
      const isShareState = schema.name.startsWith('ShareSnapshot') || schema.name.startsWith('ShareUpdate');
      if (name === 'transaction-log') return isTransaction;
      return name === 'share-group-state' ? isShareState : !isTransaction && !isShareState;
    }),
  );
}

function coordinatorDecoder(name: DecoderName): ContentDecoder {
  const keys = coordinatorSchemas(name, 'coordinator-key');
  const values = coordinatorSchemas(name, 'coordinator-value');
  return ({ key, value }) => {
    if (key === null) return { key: 'The record has no key' };
    const type = key.length < 2 ? -1 : coordinatorRecordType(key);
    if (!keys.has(type)) return { key: `<UNKNOWN> ${key.toString('hex')}` };
    return {
      key: attempt(() => {
        const frame = decodeCoordinatorKey(key, keys);
        return { type: String(type), data: messageToJson(frame.schema, 0, frame.value) };
      }),
      payload: value === null ? '<DELETE>' : attempt(() => versionedJson(values.get(type), value)),
    };
  };
}

function versionedJson(schema: MessageSchema<unknown> | undefined, value: Buffer): Json {
  if (schema === undefined || value.length < 2) return `<UNKNOWN> ${value.toString('hex')}`;
  const version = value.readInt16BE(0);
  const decoded = decodeMessage(schema, version, value, 2);
  const data = messageToJson(schema, version, decoded);
  if (schema === groupMetadataValue) showMembers(decoded as GroupMetadataValue, data);
  return { version: String(version), data };
}

/** Members of a group of consumers have messages inside their bytes. */
function showMembers({ protocolType, members }: GroupMetadataValue, json: Json): void {
  if (protocolType !== 'consumer') return;
  const shown = (json as { members: { subscription: Json; assignment: Json }[] }).members;
  for (const [index, { subscription, assignment }] of members.entries()) {
    const member = shown[index]!;
    member.subscription = embeddedJson(consumerProtocolSubscription, subscription) ?? member.subscription;
    member.assignment = embeddedJson(consumerProtocolAssignment, assignment) ?? member.assignment;
  }
}

/** A message behind its version; null when it is none, as clients may write what they like. */
function embeddedJson<T>(schema: MessageSchema<T>, bytes: Buffer): Json {
  try {
    const version = Math.min(bytes.readInt16BE(0), schema.maxVersion);
    return messageToJson(schema, version, decodeMessagePrefix(schema, version, bytes, 2).value);
  } catch {
    return null;
  }
}

function metadataDecoder(): ContentDecoder {
  // Those of the topic of remote log segments have numbers of their own.
  const isOfCluster = ({ type, name }: MessageSchema<unknown>): boolean =>
    type === 'metadata' && !name.startsWith('Remote');
  const schemas = schemaTable(allMessages.filter(isOfCluster));
  return ({ value }) => ({
    payload:
      value === null
        ? '<DELETE>'
        : attempt(() => {
            const { schema, version, value: data } = decodeMetadataRecord(value, schemas);
            return { type: constantCase(schema.name), version, data: messageToJson(schema, version, data) };
          }),
  });
}

/** Java's name of the record type: TOPIC_RECORD for TopicRecord. */
function constantCase(name: string): string {
  return name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
}

/** Control records by type, with what Kafka's tool writes before them. */
const CONTROL_SCHEMAS: readonly (readonly [number, string, MessageSchema<unknown>])[] = [
  [ControlRecordType.leaderChange, 'LeaderChange', leaderChangeMessage as MessageSchema<unknown>],
  [ControlRecordType.snapshotHeader, 'SnapshotHeader', snapshotHeaderRecord as MessageSchema<unknown>],
  [ControlRecordType.snapshotFooter, 'SnapshotFooter', snapshotFooterRecord as MessageSchema<unknown>],
  [ControlRecordType.kraftVersion, 'KRaftVersion', kRaftVersionRecord as MessageSchema<unknown>],
  [ControlRecordType.kraftVoters, 'KRaftVoters', votersRecord as MessageSchema<unknown>],
];

/** What a control record says: its kind, and its content. */
export function decodeControlRecord({ key, value }: DecodedRecord): Record<string, Json> {
  const content = attempt(() => {
    const type = controlRecordType(key);
    if (type === ControlRecordType.abort || type === ControlRecordType.commit)
      return {
        endTxnMarker: type === ControlRecordType.commit ? 'COMMIT' : 'ABORT',
        coordinatorEpoch: decodeEndTxnMarker(value).coordinatorEpoch,
      };
    const known = CONTROL_SCHEMAS.find(([number]) => number === type);
    if (known === undefined || value === null || value.length < 2) return { controlType: type };
    const [, name, schema] = known;
    // The version stands at the beginning of the message itself.
    const version = value.readInt16BE(0);
    return { [name]: messageToJson(schema, version, decodeMessage(schema, version, value)) };
  });
  return typeof content === 'string' ? { controlType: content } : (content as Record<string, Json>);
}

/** A damaged record is shown as such: the others are worth reading. */
function attempt(decode: () => Json): Json {
  try {
    return decode();
  } catch (error) {
    return `<UNREADABLE> ${error instanceof Error ? error.message : String(error)}`;
  }
}
