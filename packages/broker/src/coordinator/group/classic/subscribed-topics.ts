import { CONSUMER_PROTOCOL_TYPE, metadataFor, type ClassicGroup } from './classic-group.ts';

const NO_TOPICS: ReadonlySet<string> = new Set();

/** The topics that the members of a consumer group subscribe to; null when it is of another type or cannot be read. */
export function computeSubscribedTopics(group: ClassicGroup): ReadonlySet<string> | null {
  if (group.protocolType !== CONSUMER_PROTOCOL_TYPE) return null;
  if (group.members.size === 0) return NO_TOPICS;
  if (group.protocolName === null) return null;
  const topics = new Set<string>();
  for (const member of group.members.values()) {
    const metadata = metadataFor(member, group.protocolName);
    if (metadata === undefined || !readSubscribedTopics(metadata, topics)) return null;
  }
  return topics;
}

/**
 * Adds the topics of an embedded consumer protocol subscription; false when it is malformed. Only what every version has is
 * read, as Kafka does: int16 version, topics as an array of strings, user data as nullable bytes; more may follow.
 */
function readSubscribedTopics(metadata: Buffer, topics: Set<string>): boolean {
  if (metadata.length < 6 || metadata.readInt16BE(0) < 0) return false;
  const count = metadata.readInt32BE(2);
  let position = 6;
  for (let i = 0; i < count; i++) {
    if (position + 2 > metadata.length) return false;
    const end = position + 2 + metadata.readInt16BE(position);
    if (end < position + 2 || end > metadata.length) return false;
    topics.add(metadata.toString('utf8', position + 2, end));
    position = end;
  }
  if (count < 0 || position + 4 > metadata.length) return false;
  const userDataBytes = metadata.readInt32BE(position);
  return userDataBytes >= -1 && position + 4 + Math.max(0, userDataBytes) <= metadata.length;
}
