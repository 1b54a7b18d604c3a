import { answer, type CommandContext } from '../command-context.ts';
import type { GroupOutcome } from '../group-types.ts';
import { consumerHeartbeat } from './consumer-heartbeat.ts';
import { consumerLeave } from './consumer-leave.ts';
import { memberTimedOut } from './consumer-timeouts.ts';
import type { ConsumerCommand } from './consumer-types.ts';
import { describeConsumerGroup } from './describe-consumer-group.ts';
import { resolveRegexes } from './regex-refresh.ts';

/**
 * A command for a consumer group.
 * @throws CoordinatorError with Kafka's error code and message
 */
export function handleConsumer(command: ConsumerCommand, context: CommandContext): GroupOutcome {
  switch (command.type) {
    case 'consumer-heartbeat':
      return command.memberEpoch < 0 ? consumerLeave(command, context) : consumerHeartbeat(command, context);
    case 'describe-consumer-group':
      return answer(context.ticket, describeConsumerGroup(command.groupId, context));
    case 'resolve-regexes':
      return resolveRegexes(command.groupId, context);
    default:
      return memberTimedOut(command, context);
  }
}
