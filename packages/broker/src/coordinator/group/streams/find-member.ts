import { ErrorCodes } from '@ottla/protocol';
import { CoordinatorError } from '../../runtime/coordinator-error.ts';
import type { StreamsGroup } from './streams-group.ts';
import { unknownMember } from './streams-leave.ts';
import { JOINING_EPOCH, newMember, type StreamsMember } from './streams-member.ts';
import type { StreamsHeartbeatCommand } from './streams-types.ts';
import { containsTasks } from './tasks.ts';
import type { ConfiguredTopology } from './topology/configured-topology.ts';

/**
 * The member that a heartbeat is from, new or known.
 * @throws CoordinatorError UNKNOWN_MEMBER_ID, FENCED_MEMBER_EPOCH
 */
export function findMember(group: StreamsGroup, command: StreamsHeartbeatCommand): StreamsMember {
  const { memberId, memberEpoch } = command;
  const known = group.members.get(memberId);
  if (memberEpoch === JOINING_EPOCH) return known ?? newMember(memberId);
  if (known === undefined) {
    throw new CoordinatorError(ErrorCodes.UNKNOWN_MEMBER_ID, unknownMember(group, memberId));
  }
  requireEpoch(known, command);
  return known;
}

/** A member may be one epoch behind when the answer to its last heartbeat got lost: then it has a part of what it was given. */
function requireEpoch(member: StreamsMember, command: StreamsHeartbeatCommand): void {
  const { memberEpoch: received, activeTasks, standbyTasks, warmupTasks } = command;
  const { memberEpoch, previousMemberEpoch, assigned } = member;
  if (received === memberEpoch) return;
  const isBehind =
    received < memberEpoch &&
    received === previousMemberEpoch &&
    activeTasks !== null &&
    standbyTasks !== null &&
    warmupTasks !== null &&
    containsTasks(assigned.active, activeTasks) &&
    containsTasks(assigned.standby, standbyTasks) &&
    containsTasks(assigned.warmup, warmupTasks);
  if (isBehind) return;
  const order = received > memberEpoch ? 'greater' : 'smaller';
  throw new CoordinatorError(
    ErrorCodes.FENCED_MEMBER_EPOCH,
    `The streams group member has a ${order} member epoch (${received}) than the one known by the group coordinator (${memberEpoch}). The member must abandon all its partitions and rejoin.`,
  );
}

/**
 * Refuses tasks that the topology does not have.
 * @throws CoordinatorError INVALID_REQUEST
 */
export function requireKnownTasks(command: StreamsHeartbeatCommand, topology: ConfiguredTopology): void {
  const { activeTasks, standbyTasks, warmupTasks } = command;
  for (const { subtopologyId, partitions } of [activeTasks, standbyTasks, warmupTasks].flatMap(
    (x) => x ?? [],
  )) {
    const taskCount = topology.subtopologies?.get(subtopologyId)?.taskCount;
    if (taskCount === undefined) {
      throw invalid(`Subtopology ${subtopologyId} does not exist in the topology.`);
    }
    for (const partition of partitions) {
      if (partition >= 0 && partition < taskCount) continue;
      throw invalid(
        `Task ${partition} for subtopology ${subtopologyId} is invalid. Number of tasks for this subtopology: ${taskCount}`,
      );
    }
  }
}

function invalid(message: string): CoordinatorError {
  return new CoordinatorError(ErrorCodes.INVALID_REQUEST, message);
}
