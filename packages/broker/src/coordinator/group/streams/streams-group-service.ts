import { ErrorCodes } from '@ottla/protocol';
import { CoordinatorError, errorCodeOf } from '../../runtime/coordinator-error.ts';
import type { GroupCoordinator } from '../group-coordinator.ts';
import { streamsGroupError } from './describe-streams-group.ts';
import type { InternalTopicCreation } from './internal-topic-creation.ts';
import type {
  DescribedStreamsGroup,
  StreamsHeartbeatCommand,
  StreamsHeartbeatReply,
} from './streams-types.ts';
import { StreamsStatus, type Status } from './topology/topology-error.ts';

/** More reasons than this are only counted. */
const MAX_REASONS = 3;

/**
 * Streams groups as the handlers see them. A group's members live with the group coordinator, its internal topics are made by
 * the controller; here is what takes both. Errors are `CoordinatorError`s.
 */
export class StreamsGroupService {
  readonly #groups: Pick<GroupCoordinator, 'submit'>;
  readonly #topics: InternalTopicCreation;

  constructor(deps: {
    readonly groups: Pick<GroupCoordinator, 'submit'>;
    readonly topics: InternalTopicCreation;
  }) {
    this.#groups = deps.groups;
    this.#topics = deps.topics;
  }

  /** StreamsGroupHeartbeat. Internal topics that are missing are created meanwhile: a later heartbeat finds them. */
  async heartbeat(command: StreamsHeartbeatCommand): Promise<StreamsHeartbeatReply> {
    const reply = await this.#groups.submit(command);
    const { missingTopics, heartbeatIntervalMs } = reply;
    if (missingTopics.size === 0) return reply;
    // A refusal is told with the next heartbeats, and then it is tried again.
    this.#topics.request(missingTopics.values(), 2 * heartbeatIntervalMs);
    const errors = this.#topics.errorsOf(missingTopics.keys());
    return errors.size === 0 ? reply : { ...reply, status: withReasons(reply.status, errors) };
  }

  /** StreamsGroupDescribe; in the order asked; what is wrong with a group stands in its result. */
  describe(groupIds: readonly string[]): Promise<DescribedStreamsGroup[]> {
    return Promise.all(
      groupIds.map(async (groupId) => {
        try {
          if (groupId === '') throw new CoordinatorError(ErrorCodes.INVALID_GROUP_ID);
          return await this.#groups.submit({ type: 'describe-streams-group', groupId });
        } catch (failure) {
          return streamsGroupError(groupId, errorCodeOf(failure));
        }
      }),
    );
  }
}

function withReasons(status: readonly Status[], errors: ReadonlyMap<string, string>): Status[] {
  const reasons = [...errors].slice(0, MAX_REASONS).map(([topic, message]) => `${topic} (${message})`);
  const rest = errors.size > MAX_REASONS ? ` and ${errors.size - MAX_REASONS} more` : '';
  return status.map((each) =>
    each.statusCode === StreamsStatus.missingInternalTopics
      ? {
          ...each,
          statusDetail: `${each.statusDetail}; Creation failed: ${reasons.join(', ')}${rest}.`,
        }
      : each,
  );
}
