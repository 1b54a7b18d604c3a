import type { RecordSerde } from '../runtime/state-machine.ts';
import { classicRecordFormat, type ClassicGroupRecord } from './classic/classic-records.ts';
import { consumerRecordFormats, type ConsumerGroupRecord } from './consumer/consumer-records.ts';
import { offsetRecordFormat, type OffsetRecord } from './offsets/offset-records.ts';
import { recordSerde } from '../runtime/record-format.ts';
import { shareGroupRecordFormats, type ShareGroupRecord } from './share/share-group-records.ts';
import { streamsRecordFormats, type StreamsGroupRecord } from './streams/streams-records.ts';

/** A record of `__consumer_offsets`; a null value is a tombstone. */
export type GroupRecord =
  | OffsetRecord
  | ClassicGroupRecord
  | ConsumerGroupRecord
  | ShareGroupRecord
  | StreamsGroupRecord;

/**
 * Keys and values of `__consumer_offsets` in Kafka's formats, one table for each kind of group. The key begins with the
 * record type; types that are not in a table are skipped.
 */
export const groupRecordSerde: RecordSerde<GroupRecord> = recordSerde<GroupRecord>([
  offsetRecordFormat,
  classicRecordFormat,
  ...consumerRecordFormats,
  ...shareGroupRecordFormats,
  ...streamsRecordFormats,
]);

/** Offsets and classic groups count when they are committed, the newer kinds as soon as they are decided. */
export function replaysAtAppend({ type }: GroupRecord): boolean {
  return type !== 'offset-commit' && type !== 'group-metadata';
}
