import { BATCH_HEADER_BYTES, ErrorCodes, errorName, readBatchSummary } from '@ottla/protocol';
import { LogError, type VerificationGuard } from '@ottla/storage';
import { errorCodeOf } from '../coordinator/runtime/coordinator-error.ts';
import type { TransactionCoordinator } from '../coordinator/transaction/transaction-coordinator.ts';
import { EPOCH_BUMP_VERSION } from '../coordinator/transaction/transaction-state.ts';
import {
  type AppendRequest,
  type AppendResult,
  failedAppend,
  type TopicPartition,
} from '../replica/append.ts';
import type { ReplicaManager } from '../replica/replica-manager.ts';
import type { RequestContext } from './handler.ts';
import { isTransactional as isMarkedTransactional } from './produce-check.ts';

export interface VerificationDeps {
  readonly replicaManager: ReplicaManager;
  readonly transactions: TransactionCoordinator;
  /** `transaction.partition.verification.enable`. */
  readonly isEnabled: () => boolean;
}

/** A producer of transactional batches. */
interface Claim {
  readonly transactionalId: string;
  readonly producerId: number;
  readonly producerEpoch: number;
}

interface AskOptions {
  /** Whether the coordinator is to add the partitions, or only to say whether they have been. */
  readonly adds: boolean;
  /** Whether the client knows TRANSACTION_ABORTABLE. */
  readonly knowsAbortable: boolean;
  readonly onAttempt: () => void;
}

/** The first produce version that adds its partitions to the transaction by itself, and the first that knows TRANSACTION_ABORTABLE. */
const IMPLICIT_ADD_VERSION = 12;
const ABORTABLE_VERSION = 11;

/** Answers of the coordinator that go away by themselves; producers repeat the request on no better error. */
const TEMPORARY: ReadonlySet<number> = new Set([
  ErrorCodes.NETWORK_EXCEPTION,
  ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCodes.COORDINATOR_NOT_AVAILABLE,
  ErrorCodes.NOT_COORDINATOR,
]);

/**
 * Makes sure that every transactional batch belongs to a transaction that its coordinator knows (KIP-890), so that no
 * batch can come too late and open a transaction that nobody ends. Only the first batch of a transaction in a partition
 * asks; it adds the partition (transactions of version 2) or asks whether that was done.
 */
export class TransactionVerification {
  readonly #deps: VerificationDeps;

  constructor(deps: VerificationDeps) {
    this.#deps = deps;
  }

  /**
   * The requests as they may be appended: at once when nothing has to be asked. Otherwise each request or its refusal, on
   * copies of the records, and the next request of the connection waits.
   * @throws LogError INVALID_PRODUCER_ID_MAPPING when the batches are of several producers
   */
  begin(
    transactionalId: string | null,
    requests: readonly AppendRequest[],
    context: RequestContext,
  ): readonly AppendRequest[] | Promise<(AppendRequest | AppendResult)[]> {
    const claim = claimOf(transactionalId, requests);
    const adds = context.apiVersion >= IMPLICIT_ADD_VERSION;
    if (claim === null || (!adds && !this.#deps.isEnabled())) return requests;
    const guards = requests.map((request) => this.#guard(request, claim));
    if (guards.every((guard) => guard === undefined || guard === null))
      return this.#guarded(requests, guards);
    context.isExclusive = true;
    const kept = requests.map((request) => ({ ...request, records: Buffer.from(request.records) }));
    return this.#ask(claim, kept, context.apiVersion);
  }

  /** The guard of a batch that is to be verified, null when it need not be, undefined for a batch of no transaction. */
  #guard(request: AppendRequest, { producerId, producerEpoch }: Claim): VerificationGuard | null | undefined {
    if (!isTransactional(request.records)) return undefined;
    return this.#deps.replicaManager.startVerification(request, producerId, producerEpoch);
  }

  /** The requests with their guards; what is verified by configuration only is checked by it, too. */
  #guarded(
    requests: readonly AppendRequest[],
    guards: readonly (VerificationGuard | null | undefined)[],
  ): readonly AppendRequest[] {
    if (!this.#deps.isEnabled()) return requests;
    return requests.map((request, index) => {
      const guard = guards[index];
      return guard === undefined ? request : { ...request, verificationGuard: guard };
    });
  }

  async #ask(
    claim: Claim,
    requests: readonly AppendRequest[],
    apiVersion: number,
  ): Promise<(AppendRequest | AppendResult)[]> {
    const guards = requests.map((request) => this.#guard(request, claim));
    const asked = requests.filter((_, index) => guards[index] !== undefined && guards[index] !== null);
    const codes = await this.partitionErrors(claim, asked, {
      adds: apiVersion >= IMPLICIT_ADD_VERSION,
      knowsAbortable: apiVersion >= ABORTABLE_VERSION,
      onAttempt: () => requests.forEach((request, index) => (guards[index] = this.#guard(request, claim))),
    });
    const codeOf = new Map(asked.map((request, index) => [request, codes[index]]));
    return this.#guarded(requests, guards).map((request, index) => {
      const code = codeOf.get(requests[index] as AppendRequest) ?? ErrorCodes.NONE;
      return code === ErrorCodes.NONE ? request : refusal(code, apiVersion);
    });
  }

  /**
   * The coordinator's word on each partition, in their order, as those who write to it understand it. `onAttempt` is
   * called before each time that it is asked: a guard from before would not count.
   */
  async partitionErrors(
    claim: Claim,
    partitions: readonly TopicPartition[],
    { adds, knowsAbortable, onAttempt }: AskOptions,
  ): Promise<number[]> {
    const { transactions } = this.#deps;
    const named = partitions.map(({ topic, partition }) => ({ topic, partition }));
    let codes: number[];
    try {
      if (adds) {
        const command = { ...claim, partitions: named, clientVersion: EPOCH_BUMP_VERSION };
        await transactions.addPartitionsWhenFree(command, onAttempt);
        return partitions.map(() => ErrorCodes.NONE);
      }
      onAttempt();
      codes = transactions.verifyPartitions({ ...claim, partitions: named });
    } catch (failure) {
      codes = partitions.map(() => errorCodeOf(failure));
    }
    return codes.map((code) => {
      if (code === ErrorCodes.PRODUCER_FENCED) return ErrorCodes.INVALID_PRODUCER_EPOCH;
      const isUnknown = code === ErrorCodes.TRANSACTION_ABORTABLE && !knowsAbortable;
      return isUnknown ? ErrorCodes.INVALID_TXN_STATE : code;
    });
  }
}

/** A batch too short for its header is refused by the log. */
function isTransactional(records: Buffer): boolean {
  return records.length >= BATCH_HEADER_BYTES && isMarkedTransactional(records);
}

function claimOf(transactionalId: string | null, requests: readonly AppendRequest[]): Claim | null {
  let claim: Claim | null = null;
  if (transactionalId === null) return null;
  for (const { records } of requests) {
    if (!isTransactional(records)) continue;
    const { producerId, producerEpoch } = readBatchSummary(records, 0);
    if (producerId < 0) continue;
    claim ??= { transactionalId, producerId, producerEpoch };
    if (claim.producerId !== producerId || claim.producerEpoch !== producerEpoch) {
      throw new LogError(
        ErrorCodes.INVALID_PRODUCER_ID_MAPPING,
        `The transactional records are of producer "${claim.producerId}" and of "${producerId}": a request has one producer`,
      );
    }
  }
  return claim;
}

function refusal(errorCode: number, apiVersion: number): AppendResult {
  // While the transaction before ends it is common, and producers that add partitions implicitly know it.
  const isUnknown = errorCode === ErrorCodes.CONCURRENT_TRANSACTIONS && apiVersion < IMPLICIT_ADD_VERSION;
  if (isUnknown || TEMPORARY.has(errorCode)) {
    return failedAppend(ErrorCodes.NOT_ENOUGH_REPLICAS, {
      message: `Unable to verify the partition has been added to the transaction. Underlying error: ${errorName(errorCode)}`,
    });
  }
  const isNotAdded = errorCode === ErrorCodes.INVALID_TXN_STATE;
  return failedAppend(errorCode, {
    message: isNotAdded ? 'Partition was not added to the transaction' : null,
  });
}
