import type { Assignor, AssignorGroup, AssignorMember } from '../../modern/assignor.ts';
import type { TopicPartitions } from '../../modern/topic-partitions.ts';

interface TopicRanges {
  readonly quota: number;
  readonly partitionCount: number;
  /** Members that still get one partition more than the quota. */
  extra: number;
  /** First partition that nobody has yet. */
  next: number;
}

/**
 * Kafka's `range`: each topic is cut into one contiguous range for each of its subscribers, in the order of the members, so
 * that partitions of the same number go to the same member (co-partitioning). Static members come first, by instance id;
 * the others follow by member id, so that assignments change as little as members do.
 */
export const rangeAssignor: Assignor = {
  name: 'range',

  assign(group) {
    const members = [...group.members].toSorted(compareMembers);
    const topics = topicRanges(group);
    const assignment = new Map<string, TopicPartitions>();
    for (const [memberId, { subscribedTopicIds }] of members) {
      const partitions = new Map<string, ReadonlySet<number>>();
      for (const topicId of subscribedTopicIds) {
        const range = takeRange(topics.get(topicId));
        if (range.size > 0) partitions.set(topicId, range);
      }
      assignment.set(memberId, partitions);
    }
    return assignment;
  },
};

function topicRanges(group: AssignorGroup): Map<string, TopicRanges> {
  const subscribers = new Map<string, number>();
  for (const { subscribedTopicIds } of group.members.values()) {
    for (const topicId of subscribedTopicIds) subscribers.set(topicId, (subscribers.get(topicId) ?? 0) + 1);
  }
  return new Map(
    Array.from(subscribers, ([topicId, count]) => {
      const partitionCount = Math.max(0, group.partitionCount(topicId));
      const quota = Math.floor(partitionCount / count);
      return [topicId, { quota, partitionCount, extra: partitionCount % count, next: 0 }];
    }),
  );
}

function takeRange(topic: TopicRanges | undefined): Set<number> {
  const range = new Set<number>();
  if (topic === undefined) return range;
  let size = topic.quota;
  if (topic.extra > 0) {
    size++;
    topic.extra--;
  }
  const end = Math.min(topic.next + size, topic.partitionCount);
  while (topic.next < end) range.add(topic.next++);
  return range;
}

function compareMembers(
  [leftId, left]: readonly [string, AssignorMember],
  [rightId, right]: readonly [string, AssignorMember],
): number {
  if (left.instanceId !== null && right.instanceId !== null)
    return compareText(left.instanceId, right.instanceId);
  if (left.instanceId !== null) return -1;
  if (right.instanceId !== null) return 1;
  return compareText(leftId, rightId);
}

function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
