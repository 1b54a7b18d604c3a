import {
  groupMetadataKey,
  groupMetadataValue,
  type GroupMetadataKey,
  type GroupMetadataValue,
} from '@ottla/protocol';
import { recordFormat, type RecordFormat, type TypedRecord } from '../../runtime/record-format.ts';

/** The metadata of a classic group, members and assignments included; a null value deletes it. */
export type ClassicGroupRecord = TypedRecord<'group-metadata', GroupMetadataKey, GroupMetadataValue>;

/** Version of GroupMetadataValue that a Kafka 4.3 broker writes. */
const GROUP_METADATA_VERSION = 3;

/** Key type 2. */
export const classicRecordFormat: RecordFormat<ClassicGroupRecord> = recordFormat(
  'group-metadata',
  { key: groupMetadataKey, value: groupMetadataValue },
  GROUP_METADATA_VERSION,
);
