import type { TopicPartition } from '../types.ts';

/**
 * Names in a log directory, as Kafka spells them:
 *
 *     <dir>/meta.properties  .lock  .kafka_cleanshutdown  recovery-point-offset-checkpoint  ...
 *     <dir>/topic-0/00000000000000000042.log .index .timeindex .txnindex .snapshot
 *     <dir>/topic-0/leader-epoch-checkpoint  partition.metadata
 *     <dir>/topic-0.<32 hex digits>-delete/     a deleted partition, waiting for removal
 *     <dir>/topic-0.<32 hex digits>-future/     a copy that will take the place of topic-0 in another directory (KIP-113)
 */
export const LOG_SUFFIX = '.log';
export const INDEX_SUFFIX = '.index';
export const TIME_INDEX_SUFFIX = '.timeindex';
export const TXN_INDEX_SUFFIX = '.txnindex';
export const SNAPSHOT_SUFFIX = '.snapshot';
export const DELETED_SUFFIX = '.deleted';
export const CLEANED_SUFFIX = '.cleaned';
export const SWAP_SUFFIX = '.swap';
export const LEADER_EPOCH_FILE = 'leader-epoch-checkpoint';
export const PARTITION_METADATA_FILE = 'partition.metadata';

/** 20 digits, so that names sort as offsets do. */
export function offsetName(offset: number): string {
  return String(offset).padStart(20, '0');
}

/** The offset that begins a file name; null when the name does not begin with 20 digits. */
export function offsetFromName(name: string): number | null {
  return /^\d{20}(?:\.|$)/.test(name) ? Number(name.slice(0, 20)) : null;
}

/** Folder of a partition in its log directory: `topic-N`. */
export function folderName(topicPartition: TopicPartition): string {
  return `${topicPartition.topic}-${topicPartition.partition}`;
}

/** Key for maps by partition; the folder's name, which is unique since partitions have no leading zeros. */
export const partitionKey = folderName;

/** Parses `topic-N`; null for any other name (a stray folder, a `-delete` or a `-future` one). */
export function parseFolderName(name: string): TopicPartition | null {
  const match = /^([a-zA-Z0-9._-]{1,249})-(0|[1-9]\d{0,9})$/.exec(name);
  if (match === null) return null;
  return { topic: match[1]!, partition: Number(match[2]) };
}

/** Longest name of a folder entry on the usual file systems. */
const MAX_NAME_LENGTH = 255;

/**
 * The name a deleted partition's folder gets: unique, so that the topic can be created again at once. A long topic
 * name is cut, since nobody has to find the topic by this name.
 */
export function deletedFolderName(topicPartition: TopicPartition, uniqueHex: string): string {
  return uniqueFolderName(topicPartition, `${uniqueHex}-delete`);
}

function uniqueFolderName(topicPartition: TopicPartition, ending: string): string {
  const suffix = `-${topicPartition.partition}.${ending}`;
  return topicPartition.topic.slice(0, MAX_NAME_LENGTH - suffix.length) + suffix;
}

/** Whether a folder waits to be removed, by the name that `deletedFolderName` gives. */
export function isDeletedFolderName(name: string): boolean {
  return /\.[0-9a-f]{32}-delete$/.test(name);
}

/** The name of a copy's folder while it is made; null when the topic's name leaves no room for it. */
export function futureFolderName(topicPartition: TopicPartition, uniqueHex: string): string | null {
  const name = uniqueFolderName(topicPartition, `${uniqueHex}-future`);
  // The name has to tell the partition: one that was cut does not.
  return name.startsWith(`${folderName(topicPartition)}.`) ? name : null;
}

const FUTURE_FOLDER = /^(?:.*\/)?([a-zA-Z0-9._-]{1,249})-(0|[1-9]\d{0,9})\.[0-9a-f]{32}-future$/;

/** Whether a folder (name or path) holds a copy in the making. */
export function isFutureFolderName(folder: string): boolean {
  return FUTURE_FOLDER.test(folder);
}

/** The partition whose copy a folder holds; null for any other name. */
export function parseFutureFolderName(name: string): TopicPartition | null {
  const match = FUTURE_FOLDER.exec(name);
  return match === null ? null : { topic: match[1]!, partition: Number(match[2]) };
}
