import { ErrorCodes } from '@ottla/protocol';
import { outcome } from '../../runtime/state-machine.ts';
import { answer, refuse, type CommandContext } from '../command-context.ts';
import type { GroupOutcome } from '../group-types.ts';
import { removeMember } from './share-fencing.ts';
import { stateTopicsRecord, type ShareGroupRecord } from './share-group-records.ts';
import { emptyShareGroup, type ShareGroup, type StateTopics } from './share-group.ts';
import type { ShareGroupCommand, StatesInitializedCommand } from './share-group-types.ts';
import { shareHeartbeat } from './share-heartbeat.ts';
import { alterShareOffsets, beginDeleteStates } from './share-offsets.ts';
import { describedShareError, describeShareGroup } from './share-queries.ts';
import { memberTimer } from './share-timers.ts';
import { withOutcome, withoutTopics } from './state-topics.ts';

/** The rules of share groups, by command. */
export function handleShare(command: ShareGroupCommand, context: CommandContext): GroupOutcome {
  switch (command.type) {
    case 'share-heartbeat':
      return shareHeartbeat(command, context);
    case 'share-topics-deleted':
      return forgetTopics(command.topicIds, context);
    case 'share-member-expired':
      return expireMember(command.groupId, command.memberId, context);
    default:
      return onGroup(command, context);
  }
}

type GroupCommandOf = Exclude<
  ShareGroupCommand,
  { type: 'share-heartbeat' | 'share-topics-deleted' | 'share-member-expired' }
>;

/** Commands that need the group to be there. */
function onGroup(command: GroupCommandOf, context: CommandContext): GroupOutcome {
  const { state, ticket } = context;
  const { groupId } = command;
  let group = state.share.get(groupId);
  // Offsets may be set for a group before it has its first member.
  if (command.type === 'share-alter-offsets' && state.kindOf(groupId) === undefined)
    group = emptyShareGroup(groupId);
  if (group === undefined) {
    const kind = state.kindOf(groupId);
    const text =
      kind === undefined ? `Group ${groupId} not found.` : `Group ${groupId} is not a share group.`;
    if (command.type !== 'describe-share-group') return refuse(ticket, ErrorCodes.GROUP_ID_NOT_FOUND, text);
    return answer(ticket, describedShareError(groupId, ErrorCodes.GROUP_ID_NOT_FOUND, text));
  }
  switch (command.type) {
    case 'share-states-initialized':
      return statesInitialized(group, command, context);
    case 'share-states-deleted': {
      const topics = withoutTopics(group.stateTopics, new Set(command.topicIds));
      return storeTopics(group, { ...topics, initialized: group.stateTopics.initialized }, context);
    }
    case 'share-alter-offsets':
      return alterShareOffsets(group, command, context);
    case 'share-begin-delete-states':
      return beginDeleteStates(group, command, context);
    case 'describe-share-group':
      return answer(ticket, describeShareGroup(group, command.image));
    case 'share-state-topics':
      return answer(ticket, group.stateTopics.initialized);
  }
}

function statesInitialized(
  group: ShareGroup,
  command: StatesInitializedCommand,
  context: CommandContext,
): GroupOutcome {
  return storeTopics(group, withOutcome(group.stateTopics, command.initialized, command.failed), context);
}

function storeTopics({ groupId }: ShareGroup, topics: StateTopics, { ticket }: CommandContext): GroupOutcome {
  return outcome({ records: [stateTopicsRecord(groupId, topics)], replies: [{ ticket, value: null }] });
}

function forgetTopics(topicIds: readonly string[], { state, ticket }: CommandContext): GroupOutcome {
  const gone = new Set(topicIds);
  const records: ShareGroupRecord[] = [];
  for (const { groupId, stateTopics } of state.share.all()) {
    const { initializing, initialized, deleting } = stateTopics;
    if (![initializing, initialized, deleting].some((topics) => topicIds.some((id) => topics.has(id))))
      continue;
    records.push(stateTopicsRecord(groupId, withoutTopics(stateTopics, gone)));
  }
  return outcome({ records, atomic: false, replies: [{ ticket, value: null }] });
}

function expireMember(groupId: string, memberId: string, { state, image }: CommandContext): GroupOutcome {
  const group = state.share.get(groupId);
  if (group === undefined || !group.members.has(memberId)) return outcome({});
  return outcome(removeMember(group, memberId, image()));
}

/** After a load every member gets a whole session timeout to be heard of again. */
export function sharesLoaded({ state, config }: Pick<CommandContext, 'state' | 'config'>): GroupOutcome {
  const timers = [];
  for (const { groupId, members } of state.share.all()) {
    const { sessionTimeoutMs } = config.share(groupId);
    for (const memberId of members.keys()) timers.push(memberTimer(groupId, memberId, sessionTimeoutMs));
  }
  return outcome({ timers });
}
