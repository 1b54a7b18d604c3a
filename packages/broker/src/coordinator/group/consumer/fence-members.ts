import type { GroupOutcome } from '../group-types.ts';
import { metadataHash } from '../modern/metadata-hash.ts';
import type { ConsumerMember } from './consumer-member.ts';
import { groupEpochRecord, memberTombstones, regexRecord } from './consumer-record-builders.ts';
import type { ConsumerStep } from './consumer-step.ts';
import { downgradeGroup, mayDowngradeWithout } from './downgrade.ts';
import { orphanedRegexes } from './regex-refresh.ts';

/**
 * Members leave, or are fenced: they are gone with all that they own, and the group epoch is bumped, so that the next
 * heartbeat hands out what they had. A group in which only members of the classic protocol are left becomes a classic group.
 */
export function fenceMembers(step: ConsumerStep, members: readonly ConsumerMember[]): GroupOutcome {
  const { group, image, groupId } = step;
  if (members.length === 0) return step.finish();
  for (const { memberId } of members) step.cancelMemberTimers(memberId);
  if (mayDowngradeWithout(step, members)) {
    downgradeGroup(step, { leaving: members, joining: null, rebalance: true });
    return step.finish();
  }
  for (const { memberId } of members) step.append(...memberTombstones(groupId, memberId));
  const counts = group.subscriptions.copy();
  for (const { subscribedTopicNames } of members) counts.addNames(subscribedTopicNames, -1);
  for (const regex of orphanedRegexes(group, members)) {
    step.append(regexRecord(groupId, regex, null));
    counts.addRegex(group.resolvedRegexes.get(regex)?.topics ?? [], -1);
  }
  step.append(groupEpochRecord(groupId, group.groupEpoch + 1, metadataHash(counts.names(), image)));
  return step.finish();
}
