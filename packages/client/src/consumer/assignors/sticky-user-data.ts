import type { TopicPartition } from '../../admin/admin-requests.ts';
import { groupBy } from '../../admin/per-item.ts';
import { int32Bytes } from '../../serde/integer-bytes.ts';
import type { PreviousAssignment } from './assignor.ts';
import { NO_GENERATION, type MemberData } from './sticky-input.ts';

/**
 * What members with the sticky assignor tell the leader, as Java's `StickyAssignor` writes it:
 *
 *   int32 number of topics, each: string topic, int32 count, int32 partitions; then int32 generation (from version 1 on)
 */
export function encodeStickyUserData({ partitions, generationId }: PreviousAssignment): Buffer {
  const parts: Buffer[] = [];
  const topics = groupBy(partitions, ({ topic }) => topic);
  parts.push(int32Bytes(topics.size));
  for (const [topic, members] of topics) {
    const name = Buffer.from(topic, 'utf8');
    const length = Buffer.alloc(2);
    length.writeInt16BE(name.length);
    parts.push(
      length,
      name,
      int32Bytes(members.length),
      ...members.map(({ partition }) => int32Bytes(partition)),
    );
  }
  parts.push(int32Bytes(generationId));
  return Buffer.concat(parts);
}

/** Reads it; what cannot be read counts as nothing owned, as in Java. */
export function decodeStickyUserData(bytes: Buffer): MemberData {
  try {
    const partitions: TopicPartition[] = [];
    let position = 4;
    for (let topics = bytes.readInt32BE(0); topics > 0; topics -= 1) {
      const nameEnd = position + 2 + bytes.readInt16BE(position);
      if (nameEnd < position + 2 || nameEnd > bytes.length) throw new RangeError('The topic is cut short');
      const topic = bytes.toString('utf8', position + 2, nameEnd);
      position = nameEnd + 4;
      for (let count = bytes.readInt32BE(nameEnd); count > 0; count -= 1) {
        partitions.push({ topic, partition: bytes.readInt32BE(position) });
        position += 4;
      }
    }
    const generation = position + 4 <= bytes.length ? bytes.readInt32BE(position) : null;
    return { partitions, generation };
  } catch {
    return { partitions: [], generation: NO_GENERATION };
  }
}

/** The generation that members with the cooperative assignor add for older leaders. */
export function encodeGeneration(generationId: number): Buffer {
  return int32Bytes(generationId);
}
