import { answer, type CommandContext } from '../command-context.ts';
import type { GroupOutcome } from '../group-types.ts';
import { describeStreamsGroup } from './describe-streams-group.ts';
import { streamsHeartbeat } from './streams-heartbeat.ts';
import { streamsLeave } from './streams-leave.ts';
import { streamsTimeout } from './streams-timeouts.ts';
import type { StreamsCommand } from './streams-types.ts';

/**
 * A command for a streams group.
 * @throws CoordinatorError with Kafka's error code and message
 */
export function handleStreams(command: StreamsCommand, context: CommandContext): GroupOutcome {
  switch (command.type) {
    case 'streams-heartbeat':
      return command.memberEpoch < 0 ? streamsLeave(command, context) : streamsHeartbeat(command, context);
    case 'describe-streams-group':
      return answer(context.ticket, describeStreamsGroup(command.groupId, context));
    default:
      return streamsTimeout(command, context);
  }
}
