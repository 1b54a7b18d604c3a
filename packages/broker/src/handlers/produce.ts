import {
  ApiKeys,
  ErrorCodes,
  type ProduceRequest,
  produceRequest,
  type ProduceResponse,
  produceResponse,
} from '@ottla/protocol';
import type { MetadataImage, MetadataStore } from '../metadata/image.ts';
import {
  type AppendOptions,
  type AppendRequest,
  type AppendResult,
  failedAppend,
} from '../replica/append.ts';
import type { ReplicaManager } from '../replica/replica-manager.ts';
import {
  type ApiHandler,
  CloseConnectionError,
  type HandlerResult,
  NO_RESPONSE,
  type RequestContext,
} from './handler.ts';
import type { RateQuota } from '../quota/rate-quota.ts';
import { leaderHint, NO_LEADER } from './leader-hint.ts';
import { firstBatchSize, recordsRefusal, wholeRequestRefusal } from './produce-check.ts';
import type { TransactionVerification } from './transaction-verification.ts';
import { throttle } from './throttle.ts';

export interface ProduceDependencies {
  readonly metadata: MetadataStore;
  readonly replicaManager: ReplicaManager;
  readonly verification: TransactionVerification;
  readonly quota: RateQuota;
}

type PartitionAnswer = ProduceResponse['responses'][number]['partitionResponses'][number];

const ZERO_ACKS = 0;
/** First version whose topics are named by id, and the first that tells clients of a new leader (KIP-951). */
const TOPIC_ID_VERSION = 13;
const LEADER_HINT_VERSION = 10;
/** The one client that Kafka lets write internal topics. */
const ADMIN_CLIENT_ID = '__admin_client';

/**
 * Produce 3 to 13 (7: zstd; 8: record errors; 10: leader hints; 12: adds its partitions to the transaction, KIP-890; 13:
 * topic ids). Everything is appended when `handle` returns, unless a transaction begins in a partition: its coordinator is
 * asked first. acks=all then waits until it is committed. With acks=0 nothing is answered, and an error closes the
 * connection.
 */
export function produceHandler(deps: ProduceDependencies): ApiHandler<ProduceRequest, ProduceResponse> {
  return {
    apiKey: ApiKeys.Produce,
    minVersion: 3,
    maxVersion: 13,
    request: produceRequest,
    response: produceResponse,
    pipelined: true,
    borrowsFrame: true,

    handle(request, context) {
      const refusal = wholeRequestRefusal(request);
      if (refusal !== null) return wholeRefusal(request, refusal.errorCode, refusal.message);
      const image = deps.metadata.current();
      const { results, requests } = sortOut(request, image, context);
      const appended = append(deps, request, requests, context);
      if (appended instanceof Promise) return appended.then((done) => finish(results, done));
      return finish(results, appended);

      function finish(
        sorted: (AppendResult | null)[],
        done: readonly AppendResult[],
      ): HandlerResult<ProduceResponse> {
        let next = 0;
        for (let i = 0; i < sorted.length; i++) sorted[i] ??= done[next++]!;
        // As in Kafka when the records are appended, with acks=0 too.
        const throttleTimeMs = throttle(deps.quota, context, context.requestBytes);
        return answer(request, sorted as AppendResult[], { image, context, throttleTimeMs });
      }
    },

    errorResponse(request, errorCode) {
      return wholeRefusal(request, errorCode, null);
    },
  };
}

/** One entry per partition of the request: the refusal, or null where the next of `requests` decides. */
function sortOut(
  request: ProduceRequest,
  image: MetadataImage,
  { apiVersion }: RequestContext,
): { results: (AppendResult | null)[]; requests: AppendRequest[] } {
  const results: (AppendResult | null)[] = [];
  const requests: AppendRequest[] = [];
  for (const topicData of request.topicData) {
    const usesId = apiVersion >= TOPIC_ID_VERSION;
    const topic = usesId ? image.topics.byId.get(topicData.topicId) : image.topics.byName.get(topicData.name);
    const unknown = usesId ? ErrorCodes.UNKNOWN_TOPIC_ID : ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION;
    for (const { index, records } of topicData.partitionData) {
      const refusal = partitionRefusal(records, {
        apiVersion,
        unknown: topic === undefined ? unknown : 0,
        isPartition: topic?.partitions[index] !== undefined,
      });
      if (refusal !== null) {
        results.push(refusal);
        continue;
      }
      // Bytes behind the one whole batch are no batch: Kafka cuts them off too.
      const size = firstBatchSize(records);
      const batch = size === records!.length ? records! : records!.subarray(0, size);
      requests.push({ topic: topic!.name, partition: index, records: batch });
      results.push(null);
    }
  }
  return { results, requests };
}

function partitionRefusal(
  records: Buffer | null,
  facts: { apiVersion: number; unknown: number; isPartition: boolean },
): AppendResult | null {
  if (facts.unknown !== 0) return failedAppend(facts.unknown);
  if (!facts.isPartition) return failedAppend(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION);
  const refusal = recordsRefusal(records, facts.apiVersion);
  if (refusal !== 0) return failedAppend(refusal);
  return null;
}

function append(
  { replicaManager, verification }: ProduceDependencies,
  request: ProduceRequest,
  requests: readonly AppendRequest[],
  context: RequestContext,
): AppendResult[] | Promise<AppendResult[]> {
  const { acks } = request;
  if (acks !== -1 && acks !== 0 && acks !== 1)
    return requests.map(() => failedAppend(ErrorCodes.INVALID_REQUIRED_ACKS));
  const options: AppendOptions = { acks, timeoutMs: request.timeoutMs, origin: 'client' };
  const isAdmin = context.clientId === ADMIN_CLIENT_ID;
  const verified = verification.begin(request.transactionalId, requests, context);
  if (!(verified instanceof Promise)) return replicaManager.appendAll(verified, options, isAdmin);
  return verified.then((outcome) => appendVerified(outcome, options));

  /** Those that may be appended are, the others keep their refusal; in the order of the requests. */
  async function appendVerified(
    outcome: readonly (AppendRequest | AppendResult)[],
    appendOptions: AppendOptions,
  ): Promise<AppendResult[]> {
    const allowed = outcome.filter((each): each is AppendRequest => 'records' in each);
    const appended = await replicaManager.appendAll(allowed, appendOptions, isAdmin);
    let next = 0;
    return outcome.map((each) => ('records' in each ? appended[next++]! : each));
  }
}

function answer(
  request: ProduceRequest,
  results: readonly AppendResult[],
  about: { image: MetadataImage; context: RequestContext; throttleTimeMs: number },
): HandlerResult<ProduceResponse> {
  const { image, context, throttleTimeMs } = about;
  if (request.acks === ZERO_ACKS) {
    const failed = results.find((result) => result.errorCode !== 0);
    if (failed === undefined) return NO_RESPONSE;
    // Nothing can be answered, so the client learns of the error by losing the connection, as with Kafka.
    throw new CloseConnectionError(
      `A produce request with acks=0 failed with error code ${failed.errorCode}`,
    );
  }
  const response: ProduceResponse = { responses: [], throttleTimeMs, nodeEndpoints: [] };
  let next = 0;
  for (const { name, topicId, partitionData } of request.topicData) {
    const partitionResponses: PartitionAnswer[] = [];
    for (const { index } of partitionData) partitionResponses.push(partitionAnswer(index, results[next++]!));
    response.responses.push({ name, topicId, partitionResponses });
  }
  if (context.apiVersion >= LEADER_HINT_VERSION) addLeaderHints(response, image, context);
  return response;
}

function partitionAnswer(index: number, result: AppendResult): PartitionAnswer {
  return {
    index,
    errorCode: result.errorCode,
    baseOffset: result.baseOffset,
    logAppendTimeMs: result.logAppendTimeMs,
    logStartOffset: result.logStartOffset,
    recordErrors:
      result.recordErrors.length === 0
        ? []
        : result.recordErrors.map(({ batchIndex, message }) => ({
            batchIndex,
            batchIndexErrorMessage: message,
          })),
    errorMessage: result.errorMessage,
    currentLeader: NO_LEADER,
  };
}

function addLeaderHints(response: ProduceResponse, image: MetadataImage, context: RequestContext): void {
  for (const topic of response.responses) {
    for (const partition of topic.partitionResponses) {
      if (partition.errorCode !== ErrorCodes.NOT_LEADER_OR_FOLLOWER) continue;
      const name =
        context.apiVersion >= TOPIC_ID_VERSION ? image.topics.byId.get(topic.topicId)?.name : topic.name;
      const { leader, endpoint } = leaderHint(image, {
        topic: name ?? '',
        partition: partition.index,
        listenerName: context.connection.listenerName,
      });
      partition.currentLeader = leader;
      const isNew =
        endpoint !== null && response.nodeEndpoints.every((node) => node.nodeId !== endpoint.nodeId);
      if (isNew) response.nodeEndpoints.push(endpoint);
    }
  }
}

function wholeRefusal(
  request: ProduceRequest,
  errorCode: number,
  message: string | null,
): HandlerResult<ProduceResponse> {
  if (request.acks === ZERO_ACKS) {
    throw new CloseConnectionError(`A produce request with acks=0 failed with error code ${errorCode}`);
  }
  const result = failedAppend(errorCode, { message });
  return {
    responses: request.topicData.map(({ name, topicId, partitionData }) => ({
      name,
      topicId,
      partitionResponses: partitionData.map(({ index }) => partitionAnswer(index, result)),
    })),
    throttleTimeMs: 0,
    nodeEndpoints: [],
  };
}
