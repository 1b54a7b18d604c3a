import { outcome } from '../../runtime/state-machine.ts';
import type { CommandContext } from '../command-context.ts';
import type { GroupOutcome, GroupTimer } from '../group-types.ts';
import { GroupStep, type MemberTimer } from '../modern/group-step.ts';
import { memberTimerKey } from '../modern/member-timers.ts';
import { nextTarget } from './next-target.ts';
import type { StreamsGroup } from './streams-group.ts';
import { MemberState, type StreamsMember } from './streams-member.ts';
import { epochRecord, memberTombstones } from './streams-record-builders.ts';
import type { StreamsTimerCommand } from './streams-types.ts';
import { configureTopology } from './topology/configured-topology.ts';

/** A member that is not heard of for its session timeout is out. */
export function sessionTimer(groupId: string, memberId: string, delayMs: number): MemberTimer {
  return { delayMs, command: { type: 'streams-member-expired', groupId, memberId } };
}

/** A member that does not give up its tasks in time is out. */
export function rebalanceTimer(
  groupId: string,
  { memberId, memberEpoch, rebalanceTimeoutMs }: StreamsMember,
): MemberTimer {
  return {
    delayMs: rebalanceTimeoutMs,
    command: { type: 'streams-rebalance-expired', groupId, memberId, memberEpoch },
  };
}

/** A new group waits for more members before its first assignment; a group that was made anew waits anew. */
export function initialDelayTimer(
  groupId: string,
  delayMs: number,
  { isNew }: { readonly isNew: boolean },
): GroupTimer {
  return {
    key: `streams-initial-delay/${groupId}`,
    delayMs,
    command: { type: 'streams-initial-delay-over', groupId },
    ifAbsent: !isNew,
  };
}

/**
 * A member leaves, or is fenced: it is gone with all that it has, and the group epoch is bumped, so that the next heartbeat
 * hands out what it had.
 */
export function fenceMember(step: GroupStep<StreamsGroup>, memberId: string): void {
  const { group, groupId } = step;
  const { metadataHash, validatedTopologyEpoch, assignmentConfigs } = group;
  const epoch = group.groupEpoch + 1;
  step.append(
    ...memberTombstones(groupId, memberId),
    epochRecord(groupId, { epoch, metadataHash, validatedTopologyEpoch, assignmentConfigs }),
  );
  step.cancelMemberTimer('session', memberId);
  step.cancelMemberTimer('rebalance', memberId);
}

/** A timer has gone off. What it was for may be gone already, or may have moved on. */
export function streamsTimeout(command: StreamsTimerCommand, context: CommandContext): GroupOutcome {
  const group = context.state.streams.get(command.groupId);
  if (command.type === 'streams-initial-delay-over') return initialDelayOver(command.groupId, group, context);
  const member = group?.members.get(command.memberId);
  if (group === undefined || member === undefined) return outcome({});
  const hasMovedOn =
    command.type === 'streams-rebalance-expired' && member.memberEpoch !== command.memberEpoch;
  if (hasMovedOn) return outcome({});
  const step = new GroupStep(group, context);
  fenceMember(step, member.memberId);
  return step.finish();
}

/** Who is there by now gets the first assignment; their heartbeats fetch it. */
function initialDelayOver(
  groupId: string,
  group: StreamsGroup | undefined,
  context: CommandContext,
): GroupOutcome {
  const changes = [{ type: 'streams-initial-delay', groupId, isRunning: false }] as const;
  if (group === undefined || group.members.size === 0 || group.topology === null) return outcome({ changes });
  const step = new GroupStep(group, context);
  for (const change of changes) step.change(change);
  nextTarget(
    step,
    {
      groupEpoch: group.groupEpoch,
      topology: configureTopology(group.topology, step.image.topics),
      configs: group.assignmentConfigs,
      member: null,
    },
    { isDelayed: false },
  );
  return step.finish();
}

/** After a load every member's session starts anew, and so does the time to give up tasks. */
export function streamsLoaded({ state, config }: CommandContext): GroupTimer[] {
  const timers: GroupTimer[] = [];
  for (const { groupId, members } of state.streams.values()) {
    const { sessionTimeoutMs } = config.streams(groupId);
    for (const member of members.values()) {
      const { memberId } = member;
      timers.push({
        key: memberTimerKey('session', groupId, memberId),
        ...sessionTimer(groupId, memberId, sessionTimeoutMs),
      });
      if (member.state !== MemberState.unrevokedTasks) continue;
      timers.push({
        key: memberTimerKey('rebalance', groupId, memberId),
        ...rebalanceTimer(groupId, member),
      });
    }
  }
  return timers;
}
