import type { TopicPartition } from '../../admin/admin-requests.ts';
import { groupBy } from '../../admin/per-item.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import type { CallLimits } from '../../cluster/limits.ts';
import { apis } from '../../network/apis.ts';
import type { MembershipParts } from './classic-membership.ts';
import type { MemberHeartbeat, MemberHeartbeatAnswer } from './consumer-membership.ts';

/** Sends a ConsumerGroupHeartbeat (KIP-848). Rejects as `Cluster.request` does. */
export function sendConsumerHeartbeat(
  { cluster, options, lane }: MembershipParts,
  heartbeat: MemberHeartbeat,
  limits: CallLimits,
): Promise<MemberHeartbeatAnswer> {
  const { clientRack } = cluster.options;
  const { memberId, memberEpoch, wants, owned, isFull } = heartbeat;
  return cluster.request(
    { coordinator: 'group', key: options.group },
    apis.consumerGroupHeartbeat,
    {
      groupId: options.group,
      memberId,
      memberEpoch,
      instanceId: options.groupInstanceId,
      rackId: isFull && clientRack !== '' ? clientRack : null,
      rebalanceTimeoutMs: isFull ? options.maxPollIntervalMs : -1,
      subscribedTopicNames: wants === null ? null : (wants.topics ?? []),
      // Version 0 cannot carry a pattern, and is refused when there is one.
      ...(typeof wants?.regex === 'string' && { subscribedTopicRegex: wants.regex }),
      serverAssignor: isFull ? options.remoteAssignor : null,
      topicPartitions: owned === null ? null : byTopicId(cluster, owned),
    },
    { lane, ...limits },
  );
}

function byTopicId(
  cluster: Cluster,
  owned: readonly TopicPartition[],
): { topicId: string; partitions: number[] }[] {
  return [...groupBy(owned, ({ topic }) => cluster.metadata.topics.get(topic)?.topicId)].flatMap(
    ([topicId, members]) =>
      topicId === undefined ? [] : [{ topicId, partitions: members.map(({ partition }) => partition) }],
  );
}
