import type { MetadataImage, TopicsImage } from '../metadata/image.ts';

/** Longest topic name: with `-` and a partition number it must still fit a folder name of 255 bytes. */
const MAX_TOPIC_NAME_LENGTH = 249;

/** The log of the controller itself; no client may create it. */
export const CLUSTER_METADATA_TOPIC = '__cluster_metadata';

/** The state of the group coordinator: groups of all kinds, and their offsets. */
export const GROUP_METADATA_TOPIC = '__consumer_offsets';

/** The state of the transaction coordinator. */
export const TRANSACTION_STATE_TOPIC = '__transaction_state';

/** The state of the share coordinator: what share groups have had of each partition. */
export const SHARE_GROUP_STATE_TOPIC = '__share_group_state';

const INTERNAL_TOPICS: ReadonlySet<string> = new Set([
  GROUP_METADATA_TOPIC,
  TRANSACTION_STATE_TOPIC,
  SHARE_GROUP_STATE_TOPIC,
]);

/** Kafka's `Topic.isInternal`: topics of the coordinators. Clients see them flagged and may not produce to them. */
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
export function collidingTopic({ topics }: MetadataImage, name: string): string | null {
  if (!COLLIDES.test(name)) return null;
  const existing = unifiedNames(topics).get(unify(name));
  return existing === undefined || existing === name ? null : existing;
}

/** What metric names do not tell apart. */
const COLLIDES = /[._]/;

function unify(name: string): string {
  return name.replaceAll('.', '_');
}

/** The topics of an image by their names in metrics: looked up for each of the thousands that one request may create. */
const namesOf = new WeakMap<TopicsImage, ReadonlyMap<string, string>>();

function unifiedNames(topics: TopicsImage): ReadonlyMap<string, string> {
  let names = namesOf.get(topics);
  if (names === undefined) {
    const colliding = [...topics.byName.keys()].filter((name) => COLLIDES.test(name));
    names = new Map(colliding.map((name) => [unify(name), name]));
    namesOf.set(topics, names);
  }
  return names;
}
