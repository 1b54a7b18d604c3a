import {
  ApiKeys,
  ErrorCodes,
  type TxnOffsetCommitRequest,
  txnOffsetCommitRequest,
  type TxnOffsetCommitResponse,
  txnOffsetCommitResponse,
} from '@ottla/protocol';
import type { GroupCoordinator } from '../coordinator/group/group-coordinator.ts';
import type { CommitTopic, TopicErrors } from '../coordinator/group/offsets/offset-types.ts';
import { CoordinatorError, errorCodeOf } from '../coordinator/runtime/coordinator-error.ts';
import type { TransactionalProducer } from '../coordinator/runtime/state-machine.ts';
import type { VerificationGuard } from '@ottla/storage';
import type { MetadataStore } from '../metadata/image.ts';
import type { ReplicaManager } from '../replica/replica-manager.ts';
import type { ApiHandler } from './handler.ts';
import { allPartitions, mergeTopicErrors, sortTopics } from './offset-commit-topics.ts';
import type { TransactionVerification } from './transaction-verification.ts';
import { GROUP_METADATA_TOPIC } from '../controller/topic-names.ts';

/** The first versions that know COORDINATOR_LOAD_IN_PROGRESS and TRANSACTION_ABORTABLE, and that add the partition themselves. */
const LOADING_VERSION = 2;
const ABORTABLE_VERSION = 4;
const IMPLICIT_ADD_VERSION = 5;

export interface TxnOffsetCommitDeps {
  readonly groups: GroupCoordinator;
  readonly metadata: MetadataStore;
  readonly replicaManager: ReplicaManager;
  readonly verification: TransactionVerification;
  /** `transaction.partition.verification.enable`. */
  readonly isVerificationEnabled: () => boolean;
}

/**
 * TxnOffsetCommit 0 to 5 (2: leader epoch; 3: member, KIP-447; 4: TRANSACTION_ABORTABLE; 5: adds the partition of the group
 * to the transaction, KIP-890): offsets that count when the transaction is committed.
 */
export function txnOffsetCommitHandler(
  deps: TxnOffsetCommitDeps,
): ApiHandler<TxnOffsetCommitRequest, TxnOffsetCommitResponse> {
  return {
    apiKey: ApiKeys.TxnOffsetCommit,
    minVersion: 0,
    maxVersion: 5,
    request: txnOffsetCommitRequest,
    response: txnOffsetCommitResponse,

    async handle(request, { apiVersion }) {
      const { known, refused } = sortTopics(request.topics, deps.metadata.current(), false);
      if (known.length === 0) return respond(refused, apiVersion);
      try {
        return respond(mergeTopicErrors(refused, await commit(request, known, apiVersion)), apiVersion);
      } catch (failure) {
        const failed = known.map((topic) => allPartitions(topic, topic.topicId, errorCodeOf(failure)));
        return respond(mergeTopicErrors(refused, failed), apiVersion);
      }
    },

    errorResponse: (request, errorCode, { apiVersion }) =>
      respond(
        request.topics.map((topic) => allPartitions(topic, topic.topicId, errorCode)),
        apiVersion,
      ),
  };

  async function commit(
    request: TxnOffsetCommitRequest,
    topics: readonly CommitTopic[],
    apiVersion: number,
  ): Promise<readonly TopicErrors[]> {
    const { groupId } = request;
    if (groupId === '') throw new CoordinatorError(ErrorCodes.INVALID_GROUP_ID);
    return deps.groups.commitOffsets({
      groupId,
      generationId: request.generationIdOrMemberEpoch,
      memberId: request.memberId,
      groupInstanceId: request.groupInstanceId,
      apiVersion,
      retentionTimeMs: -1,
      topics,
      producer: await verified(deps, request, apiVersion),
    });
  }
}

/** Producers before version 2 could not bear a coordinator that is loading. */
function respond(topics: readonly TopicErrors[], apiVersion: number): TxnOffsetCommitResponse {
  const known = (errorCode: number): number =>
    apiVersion < LOADING_VERSION && errorCode === ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS
      ? ErrorCodes.COORDINATOR_NOT_AVAILABLE
      : errorCode;
  return {
    throttleTimeMs: 0,
    topics: topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex, errorCode }) => ({
        partitionIndex,
        errorCode: known(errorCode),
      })),
    })),
  };
}

/** The producer with the proof that its transaction has the group's partition. */
async function verified(
  deps: TxnOffsetCommitDeps,
  { transactionalId, producerId, producerEpoch, groupId }: TxnOffsetCommitRequest,
  apiVersion: number,
): Promise<TransactionalProducer> {
  const adds = apiVersion >= IMPLICIT_ADD_VERSION;
  const isEnabled = deps.isVerificationEnabled();
  if (!adds && !isEnabled) return { producerId, producerEpoch };
  const place = { topic: GROUP_METADATA_TOPIC, partition: deps.groups.partitionFor(groupId) };
  const start = (): VerificationGuard | null =>
    deps.replicaManager.startVerification(place, producerId, producerEpoch);
  let guard = start();
  if (guard !== null) {
    const [code = ErrorCodes.NONE] = await deps.verification.partitionErrors(
      { transactionalId, producerId, producerEpoch },
      [place],
      { adds, knowsAbortable: apiVersion >= ABORTABLE_VERSION, onAttempt: () => (guard = start()) },
    );
    if (code !== ErrorCodes.NONE) throw new CoordinatorError(code);
  }
  return isEnabled ? { producerId, producerEpoch, verificationGuard: guard } : { producerId, producerEpoch };
}
