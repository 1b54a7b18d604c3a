import { ErrorCodes } from '@ottla/protocol';
import { outcome } from '../../runtime/state-machine.ts';
import { refuse, type CommandContext } from '../command-context.ts';
import type { GroupOutcome } from '../group-types.ts';
import { GroupStep } from '../modern/group-step.ts';
import type { StreamsGroup } from './streams-group.ts';
import { fenceMember } from './streams-timeouts.ts';
import type { StreamsGroupChange, StreamsHeartbeatCommand, StreamsHeartbeatReply } from './streams-types.ts';

/** StreamsGroupHeartbeat of a member that leaves; it may take the whole application with it. */
export function streamsLeave(command: StreamsHeartbeatCommand, context: CommandContext): GroupOutcome {
  const { groupId, memberId, memberEpoch } = command;
  const { state, ticket } = context;
  const group = state.streams.get(groupId);
  if (group === undefined) {
    const reason = state.kindOf(groupId) === undefined ? 'not found' : 'is not a streams group';
    return refuse(ticket, ErrorCodes.GROUP_ID_NOT_FOUND, `Group ${groupId} ${reason}.`);
  }
  // Also for a member that has been fenced meanwhile: its application has come to an end all the same.
  const changes = shutdownChanges(command);
  if (!group.members.has(memberId)) {
    const refusal = refuse(ticket, ErrorCodes.UNKNOWN_MEMBER_ID, unknownMember(group, memberId));
    return outcome({ changes, replies: refusal.replies });
  }
  const step = new GroupStep(group, context);
  for (const change of changes) step.change(change);
  fenceMember(step, memberId);
  const reply: StreamsHeartbeatReply = {
    memberId,
    memberEpoch,
    heartbeatIntervalMs: 0,
    status: [],
    tasks: null,
    endpointEpoch: 0,
    endpoints: null,
    missingTopics: new Map(),
  };
  step.reply(reply);
  return step.finish();
}

/** Kafka's words for a member that is not there. */
export function unknownMember({ groupId }: StreamsGroup, memberId: string): string {
  return `Member ${memberId} is not a member of group ${groupId}.`;
}

/** Notes that a member wants the whole application to shut down, if it does. */
export function shutdownChanges(command: StreamsHeartbeatCommand): StreamsGroupChange[] {
  const { groupId, memberId, shutdownApplication } = command;
  return shutdownApplication ? [{ type: 'streams-shutdown', groupId, memberId }] : [];
}
