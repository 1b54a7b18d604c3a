import type { Cluster } from '../cluster/cluster.ts';
import type { CallLimits } from '../cluster/limits.ts';
import type { MemberHeartbeat, MemberHeartbeatAnswer } from '../consumer/group/consumer-membership.ts';
import { apis } from '../network/apis.ts';

/** Sends a ShareGroupHeartbeat (KIP-932), whose members do not say what they own. Rejects as `Cluster.request` does. */
export function sendShareHeartbeat(
  cluster: Cluster,
  group: { readonly groupId: string; readonly lane: string },
  { memberId, memberEpoch, isFull, wants }: MemberHeartbeat,
  limits: CallLimits,
): Promise<MemberHeartbeatAnswer> {
  const { clientRack } = cluster.options;
  return cluster.request(
    { coordinator: 'group', key: group.groupId },
    apis.shareGroupHeartbeat,
    {
      groupId: group.groupId,
      memberId,
      memberEpoch,
      rackId: isFull && clientRack !== '' ? clientRack : null,
      subscribedTopicNames: wants === null ? null : (wants.topics ?? []),
    },
    { lane: group.lane, ...limits },
  );
}
