import type { MetadataImage } from '../metadata/image.ts';

/** Longest topic name: with `-` and a partition number it must still fit a folder name of 255 bytes. */
const MAX_TOPIC_NAME_LENGTH = 249;

/** The log of the controller itself; no client may create it. */
export const CLUSTER_METADATA_TOPIC = '__cluster_metadata';

const INTERNAL_TOPICS: ReadonlySet<string> = new Set([
  '__consumer_offsets',
  '__transaction_state',
  '__share_group_state',
]);

/** Topics that belong to the coordinators: clients see them flagged and may not produce to them. */
export function isInternalTopic(name: string): boolean {
  return INTERNAL_TOPICS.has(name);
}

/** Why a topic name is not allowed, in Kafka's words; null when it is. */
export function topicNameProblem(name: string): string | null {
  if (name === '') return 'the empty string is not allowed';
  if (name === '.') return "'.' is not allowed";
  if (name === '..') return "'..' is not allowed";
  if (name.length > MAX_TOPIC_NAME_LENGTH) {
    return `the length of '${name}' is longer than the max allowed length ${MAX_TOPIC_NAME_LENGTH}`;
  }
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) {
    return `'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`;
  }
  return null;
}

/**
 * The existing topic that a new name would collide with, or null. Metric names replace `.` by `_`, so `a.b` and `a_b`
 * must not exist side by side. An equal name is no collision: that topic simply exists.
 */
export function collidingTopic(image: MetadataImage, name: string): string | null {
  if (!/[._]/.test(name)) return null;
  const unified = name.replaceAll('.', '_');
  for (const existing of image.topics.byName.keys()) {
    if (existing.length === name.length && existing.replaceAll('.', '_') === unified) return existing;
  }
  return null;
}
