import { outcome } from '../../runtime/state-machine.ts';
import { answer, type CommandContext } from '../command-context.ts';
import type { GroupCoordinatorConfig } from '../group-coordinator-config.ts';
import type { GroupOutcome } from '../group-types.ts';
import { commitOffsets } from './offset-commits.ts';
import { fetchGroupOffsets } from './offset-queries.ts';
import { deleteOffsets, deleteTopics, expirationTimer, expireOffsets } from './offset-removals.ts';
import type { OffsetCommand } from './offset-types.ts';

/** A command about offsets, of whatever kind of group. */
export function handleOffsets(command: OffsetCommand, context: CommandContext): GroupOutcome {
  switch (command.type) {
    case 'commit-offsets':
      return commitOffsets(command, context);
    case 'fetch-stable-offsets':
      return answer(context.ticket, fetchGroupOffsets(context.state, command, true));
    case 'delete-offsets':
      return deleteOffsets(command, context);
    case 'topics-deleted':
      return deleteTopics(command, context);
    case 'expire-offsets':
      return expireOffsets(context);
  }
}

/** The first clean-up after a load. */
export function offsetsLoaded(config: GroupCoordinatorConfig): GroupOutcome {
  return outcome({ timers: [expirationTimer(config.offsetsRetentionCheckIntervalMs)] });
}
