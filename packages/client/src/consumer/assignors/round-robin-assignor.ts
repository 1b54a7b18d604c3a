import type { TopicPartition } from '../../admin/admin-requests.ts';
import { compareMembers, type Assignor, type GroupAssignment } from './assignor.ts';

/** All partitions in order, one to each member in turn; members that did not subscribe to the topic are passed over. */
export const roundRobinAssignor: Assignor = {
  name: 'roundrobin',
  rebalanceProtocol: 'eager',
  subscriptionUserData: () => null,
  assign(topics, members): GroupAssignment {
    const assignment = new Map<string, TopicPartition[]>(members.map(({ memberId }) => [memberId, []]));
    const sorted = members.toSorted(compareMembers);
    const counts = new Map(topics.map(({ name, partitionCount }) => [name, partitionCount]));
    const subscribed = [...new Set(members.flatMap((member) => member.topics))].sort();
    const topicsOf = new Map(members.map(({ memberId, topics: own }) => [memberId, new Set(own)]));
    let turn = 0;
    for (const topic of subscribed) {
      for (let partition = 0; partition < (counts.get(topic) ?? 0); partition += 1) {
        while (!topicsOf.get(sorted[turn]!.memberId)!.has(topic)) turn = (turn + 1) % sorted.length;
        assignment.get(sorted[turn]!.memberId)!.push({ topic, partition });
        turn = (turn + 1) % sorted.length;
      }
    }
    return assignment;
  },
};
