import { outcome } from '../../runtime/state-machine.ts';
import type { CommandContext } from '../command-context.ts';
import type { GroupOutcome, GroupTimer } from '../group-types.ts';
import { memberTimerKey } from '../modern/member-timers.ts';
import { MemberState } from './consumer-member.ts';
import { ConsumerStep, rebalanceTimer } from './consumer-step.ts';
import type { ConsumerTimerCommand } from './consumer-types.ts';
import { fenceMembers } from './fence-members.ts';

/** A member's time is over: it is fenced, unless it is gone already or has moved on. */
export function memberTimedOut(
  command: Exclude<ConsumerTimerCommand, { type: 'resolve-regexes' }>,
  context: CommandContext,
): GroupOutcome {
  const group = context.state.consumer.get(command.groupId);
  const member = group?.members.get(command.memberId);
  if (group === undefined || member === undefined) return outcome({});
  const hasMovedOn =
    command.type === 'consumer-rebalance-expired' && member.memberEpoch !== command.memberEpoch;
  return hasMovedOn ? outcome({}) : fenceMembers(new ConsumerStep(group, context), [member]);
}

/** After a load every member's session starts anew, and so does the time to give up partitions. */
export function consumerLoaded({ state, consumerTimings }: CommandContext): GroupTimer[] {
  const timers: GroupTimer[] = [];
  for (const { groupId, members } of state.consumer.values()) {
    const { sessionTimeoutMs } = consumerTimings(groupId);
    for (const member of members.values()) {
      const { memberId } = member;
      timers.push({
        key: memberTimerKey('session', groupId, memberId),
        delayMs: sessionTimeoutMs,
        command: { type: 'consumer-member-expired', groupId, memberId },
      });
      if (member.state === MemberState.unrevokedPartitions) timers.push(rebalanceTimer(groupId, member));
    }
  }
  return timers;
}
