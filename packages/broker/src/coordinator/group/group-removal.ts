import { ErrorCodes } from '@ottla/protocol';
import { outcome } from '../runtime/state-machine.ts';
import type { CommandContext } from './command-context.ts';
import type { GroupRecord } from './group-records.ts';
import type { DeleteGroupsCommand, GroupOutcome } from './group-types.ts';
import { offsetTombstone } from './offsets/offset-records.ts';

/** DeleteGroups: each group on its own merits; those without members go, with all their offsets. */
export function deleteGroups(command: DeleteGroupsCommand, { state, ticket }: CommandContext): GroupOutcome {
  const records: GroupRecord[] = [];
  const reply = command.groupIds.map((groupId) => {
    const group = state.view(groupId);
    const errorCode = group?.deletionError() ?? ErrorCodes.GROUP_ID_NOT_FOUND;
    if (group !== undefined && errorCode === ErrorCodes.NONE) {
      for (const { topic, partition } of state.offsets.partitionsOf(groupId)) {
        records.push(offsetTombstone(groupId, topic, partition));
      }
      records.push(...group.tombstones());
    }
    return { groupId, errorCode };
  });
  return outcome({ records, replies: [{ ticket, value: reply }] });
}
