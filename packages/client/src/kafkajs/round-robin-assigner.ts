import type { TopicPartition } from '../admin/admin-requests.ts';
import { compareText, type Assignor } from '../consumer/assignors/assignor.ts';

/**
 * kafkajs's only assigner, under its name, so that a group can be moved over one member at a time: members by id, the partitions of
 * all topics in one row, dealt out in turn.
 */
export const roundRobinAssigner: Assignor = {
  name: 'RoundRobinAssigner',
  rebalanceProtocol: 'eager',
  subscriptionUserData: () => null,
  assign(topics, members) {
    const sorted = members.map(({ memberId }) => memberId).sort(compareText);
    const assignment = new Map<string, TopicPartition[]>(sorted.map((memberId) => [memberId, []]));
    const row = topics.flatMap(({ name, partitionCount }) =>
      Array.from({ length: partitionCount }, (_, partition) => ({ topic: name, partition })),
    );
    row.forEach((place, index) => assignment.get(sorted[index % sorted.length]!)!.push(place));
    return assignment;
  },
};
