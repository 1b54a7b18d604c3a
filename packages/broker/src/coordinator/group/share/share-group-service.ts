import type { Logger } from '@ottla/platform';
import { ErrorCodes, errorMessage, ZERO_UUID } from '@ottla/protocol';
import type { MetadataStore } from '../../../metadata/image.ts';
import { CoordinatorError, errorCodeOf } from '../../runtime/coordinator-error.ts';
import type { ShareCoordinator } from '../../share/share-coordinator.ts';
import type { GroupCoordinator } from '../group-coordinator.ts';
import type { Assignment } from './share-group.ts';
import type {
  AlterShareOffsetsCommand,
  AlterShareOffsetsReply,
  BeginDeleteStatesReply,
  DescribedShareGroup,
  InitializeRequest,
  ShareHeartbeatCommand,
  ShareHeartbeatReply,
} from './share-group-types.ts';
import { describedShareError } from './share-queries.ts';

export interface ShareGroupServiceDeps {
  readonly groups: Pick<GroupCoordinator, 'submit' | 'deleteGroups'>;
  readonly states: Pick<ShareCoordinator, 'initialize' | 'delete' | 'readSummary'>;
  readonly metadata: MetadataStore;
  readonly logger: Logger;
  /** The end of a partition's log as consumers see it; -1 when it is not led here. */
  readonly endOffset: (topic: string, partition: number) => number;
}

/** An outcome for one partition or topic. */
export interface ShareOffsetError {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

export interface DescribedShareOffset extends ShareOffsetError {
  readonly partition: number;
  readonly startOffset: number;
  readonly leaderEpoch: number;
  readonly lag: number;
}

export interface DescribedShareOffsets {
  readonly topicName: string;
  readonly topicId: string;
  readonly partitions: readonly DescribedShareOffset[];
}

/** The outcome for one topic of DeleteShareGroupOffsets. */
export interface DeletedShareOffsets extends ShareOffsetError {
  readonly topicId: string;
  readonly topicName: string;
}

const OK: ShareOffsetError = { errorCode: ErrorCodes.NONE, errorMessage: null };

/**
 * Share groups as the handlers see them. A group's members live with the group coordinator, what it has read lives with the
 * share coordinator; here is what takes both. Errors are `CoordinatorError`s.
 */
export class ShareGroupService {
  readonly #deps: ShareGroupServiceDeps;

  constructor(deps: ShareGroupServiceDeps) {
    this.#deps = deps;
  }

  /** ShareGroupHeartbeat. States that the group lacks are made meanwhile: the next heartbeat assigns them. */
  async heartbeat(command: Omit<ShareHeartbeatCommand, 'type'>): Promise<ShareHeartbeatReply> {
    const reply = await this.#deps.groups.submit({ type: 'share-heartbeat', ...command });
    if (reply.initialize !== null) {
      this.#initialize(reply.initialize).catch((err: unknown) => {
        this.#deps.logger.warn(
          { groupId: command.groupId, err },
          'Share partitions could not be initialized',
        );
      });
    }
    return reply;
  }

  /** ShareGroupDescribe; never rejects. */
  async describe(groupId: string): Promise<DescribedShareGroup> {
    const image = this.#deps.metadata.current().topics;
    try {
      return await this.#deps.groups.submit({ type: 'describe-share-group', groupId, image });
    } catch (failure) {
      const errorCode = errorCodeOf(failure);
      return describedShareError(groupId, errorCode, errorMessage(errorCode) ?? null);
    }
  }

  /** DescribeShareGroupOffsets; null stands for every topic that the group has state of. */
  async describeOffsets(
    groupId: string,
    wanted: readonly { readonly topicName: string; readonly partitions: readonly number[] }[] | null,
  ): Promise<DescribedShareOffsets[]> {
    const known = await this.#deps.groups.submit({ type: 'share-state-topics', groupId });
    const { topics } = this.#deps.metadata.current();
    const asked =
      wanted ?? Array.from(known.values(), ({ name, partitions }) => ({ topicName: name, partitions }));
    return Promise.all(
      asked.map(async ({ topicName, partitions }) => {
        const topicId = topics.byName.get(topicName)?.id ?? ZERO_UUID;
        const isKnown = topicId !== ZERO_UUID;
        const described = partitions.map((partition) =>
          isKnown
            ? this.#describeOffset({ groupId, topicId, partition }, topicName)
            : notDescribed(partition, OK),
        );
        return { topicName, topicId, partitions: await Promise.all(described) };
      }),
    );
  }

  /** AlterShareGroupOffsets; answered when the new state is made. */
  async alterOffsets(
    groupId: string,
    topics: AlterShareOffsetsCommand['topics'],
  ): Promise<AlterShareOffsetsReply['topics']> {
    const image = this.#deps.metadata.current().topics;
    const reply = await this.#deps.groups.submit({ type: 'share-alter-offsets', groupId, topics, image });
    const failures = await this.#initialize(reply.initialize);
    return reply.topics.map((topic) => ({
      ...topic,
      partitions: topic.partitions.map((partition) => ({
        ...partition,
        ...failures.get(`${topic.topicId}:${partition.partition}`),
      })),
    }));
  }

  /** DeleteShareGroupOffsets; answered when the state is gone. */
  async deleteOffsets(groupId: string, topicNames: readonly string[]): Promise<DeletedShareOffsets[]> {
    const reply = await this.#beginDelete(groupId, topicNames);
    const failures = await this.#deleteStates(groupId, reply.deleting);
    const deleted = reply.deleting.map(({ topicId, topicName }) => {
      return { topicId, topicName, ...(failures.get(topicId) ?? OK) };
    });
    return [...deleted, ...reply.refused];
  }

  /** DeleteGroups for groups of every kind: share groups lose their state first. Never rejects. */
  async deleteGroups(groupIds: readonly string[]): Promise<{ groupId: string; errorCode: number }[]> {
    const refused: { groupId: string; errorCode: number }[] = [];
    const left: string[] = [];
    await Promise.all(
      groupIds.map(async (groupId) => {
        const errorCode = await this.#deleteAllStates(groupId);
        if (errorCode === ErrorCodes.NONE) left.push(groupId);
        else refused.push({ groupId, errorCode });
      }),
    );
    const errors = new Map<string, number>();
    for (const { groupId, errorCode } of refused) errors.set(groupId, errorCode);
    for (const { groupId, errorCode } of await this.#deps.groups.deleteGroups(left))
      errors.set(groupId, errorCode);
    return groupIds.map((groupId) => ({
      groupId,
      errorCode: errors.get(groupId) ?? ErrorCodes.UNKNOWN_SERVER_ERROR,
    }));
  }

  async #deleteAllStates(groupId: string): Promise<number> {
    try {
      const { deleting } = await this.#beginDelete(groupId, null);
      const [failure] = (await this.#deleteStates(groupId, deleting)).values();
      return failure?.errorCode ?? ErrorCodes.NONE;
    } catch (failure) {
      const errorCode = errorCodeOf(failure);
      // Of another kind, or not at all: DeleteGroups itself has the answer.
      return errorCode === ErrorCodes.GROUP_ID_NOT_FOUND ? ErrorCodes.NONE : errorCode;
    }
  }

  #beginDelete(groupId: string, topicNames: readonly string[] | null): Promise<BeginDeleteStatesReply> {
    const image = this.#deps.metadata.current().topics;
    return this.#deps.groups.submit({ type: 'share-begin-delete-states', groupId, topicNames, image });
  }

  /** Deletes states and tells the group; the failures by topic id. */
  async #deleteStates(
    groupId: string,
    topics: BeginDeleteStatesReply['deleting'],
  ): Promise<Map<string, ShareOffsetError>> {
    const failures = new Map<string, ShareOffsetError>();
    await Promise.all(
      topics.flatMap(({ topicId, partitions }) =>
        partitions.map(async (partition) => {
          const result = await this.#deps.states.delete({ groupId, topicId, partition });
          if (result.errorCode !== ErrorCodes.NONE) failures.set(topicId, result);
        }),
      ),
    );
    const topicIds = topics.map(({ topicId }) => topicId).filter((topicId) => !failures.has(topicId));
    if (topicIds.length > 0)
      await this.#deps.groups.submit({ type: 'share-states-deleted', groupId, topicIds });
    return failures;
  }

  /** Makes states and tells the group which there are; the failures by `topicId:partition`. */
  async #initialize(request: InitializeRequest): Promise<Map<string, ShareOffsetError>> {
    const { groupId, stateEpoch, partitions } = request;
    const failures = new Map<string, ShareOffsetError>();
    const initialized = new Map<string, number[]>();
    const failed = new Map<string, number[]>();
    await Promise.all(
      partitions.map(async ({ topicId, partition, startOffset }) => {
        const key = { groupId, topicId, partition };
        const result = await this.#deps.states.initialize({ ...key, stateEpoch, startOffset });
        const isDone = result.errorCode === ErrorCodes.NONE;
        if (!isDone) failures.set(`${topicId}:${partition}`, result);
        note(isDone ? initialized : failed, topicId, partition);
      }),
    );
    if (partitions.length > 0) {
      const outcome: { initialized: Assignment; failed: Assignment } = { initialized, failed };
      await this.#deps.groups.submit({ type: 'share-states-initialized', groupId, ...outcome });
    }
    return failures;
  }

  async #describeOffset(
    key: { readonly groupId: string; readonly topicId: string; readonly partition: number },
    topicName: string,
  ): Promise<DescribedShareOffset> {
    const summary = await this.#deps.states.readSummary(key, -1);
    // A partition that does not exist has no offset, and that is all Kafka says.
    if (summary.errorCode === ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION) return notDescribed(key.partition, OK);
    if (summary.errorCode !== 0) return notDescribed(key.partition, summary);
    const { startOffset, leaderEpoch, deliveryCompleteCount } = summary;
    const end = this.#deps.endOffset(topicName, key.partition);
    const isCounted = startOffset >= 0 && end >= 0 && deliveryCompleteCount >= 0;
    const lag = isCounted ? Math.max(0, end - startOffset - deliveryCompleteCount) : -1;
    return { partition: key.partition, startOffset, leaderEpoch, lag, ...OK };
  }
}

function note(by: Map<string, number[]>, topicId: string, partition: number): void {
  const partitions = by.get(topicId);
  if (partitions === undefined) by.set(topicId, [partition]);
  else partitions.push(partition);
}

function notDescribed(
  partition: number,
  { errorCode, errorMessage: text }: ShareOffsetError,
): DescribedShareOffset {
  return { partition, startOffset: -1, leaderEpoch: 0, lag: -1, errorCode, errorMessage: text };
}

/** The code and text of a failure, as responses carry them. */
export function shareErrorOf(failure: unknown): ShareOffsetError {
  const errorCode = errorCodeOf(failure);
  const own = failure instanceof CoordinatorError ? failure.message : null;
  // Without a text of its own the error's message is its name.
  const isName = own !== null && /^[A-Z_]+$/.test(own);
  return { errorCode, errorMessage: own !== null && !isName ? own : (errorMessage(errorCode) ?? null) };
}
