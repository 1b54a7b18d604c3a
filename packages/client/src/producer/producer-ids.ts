import type { ProducerCluster } from './producer-cluster.ts';
import { BrokenProtocolError } from '../errors/client-errors.ts';
import { throwIfError } from '../errors/kafka-error.ts';
import { apis } from '../network/apis.ts';
import type { ResolvedProducerOptions } from './producer-options.ts';

/** An id with the epoch under which this producer uses it. */
export interface ProducerIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** No id yet: asks for a new one. */
const NO_IDENTITY: ProducerIdentity = { producerId: -1, producerEpoch: -1 };

/**
 * Gets a producer id, for idempotence from any broker, for transactions from the coordinator of the transactional id, which ends
 * what an earlier producer of that id had open. `current` asks for the next epoch of an id that is in use (KIP-360).
 * Rejects with what the broker answered, such as PRODUCER_FENCED, when trying again does not help.
 */
export function fetchProducerId(
  cluster: ProducerCluster,
  options: ResolvedProducerOptions,
  request: { readonly current?: ProducerIdentity; readonly timeoutMs: number },
): Promise<ProducerIdentity> {
  const { transactionalId, transactionTimeoutMs } = options;
  const what = transactionalId === null ? 'Getting a producer id' : `Beginning as "${transactionalId}"`;
  const limits = { timeoutMs: request.timeoutMs, what };
  return cluster.retry(limits, async ({ remainingMs, signal }) => {
    const target =
      transactionalId === null
        ? ('any' as const)
        : ({ coordinator: 'transaction', key: transactionalId } as const);
    const body = {
      transactionalId,
      transactionTimeoutMs: transactionalId === null ? 2_147_483_647 : transactionTimeoutMs,
      ...(request.current ?? NO_IDENTITY),
    };
    const answer = await cluster.request(
      target,
      apis.initProducerId,
      (version) => withoutNewer(body, version),
      {
        timeoutMs: remainingMs,
        signal,
      },
    );
    if (transactionalId !== null) forgetIfMoved(cluster, transactionalId, answer.errorCode);
    throwIfError(answer.errorCode, null, what);
    const { producerId, producerEpoch } = answer;
    if (producerId < 0 || producerEpoch < 0)
      throw new BrokenProtocolError(`${what}: the broker gives id ${producerId} of epoch ${producerEpoch}`);
    return { producerId, producerEpoch };
  });
}

/** Before version 3 the request could not name an id that is in use. */
function withoutNewer<
  T extends ProducerIdentity & { transactionalId: string | null; transactionTimeoutMs: number },
>(body: T, version: number) {
  const { transactionalId, transactionTimeoutMs } = body;
  return version >= 3 ? body : { transactionalId, transactionTimeoutMs };
}

/** NOT_COORDINATOR and COORDINATOR_NOT_AVAILABLE: the coordinator is looked for anew. */
const MOVED: ReadonlySet<number> = new Set([15, 16]);

/** Forgets the coordinator of a transactional id when an answer says that it is elsewhere. */
export function forgetIfMoved(cluster: ProducerCluster, transactionalId: string, errorCode: number): void {
  if (MOVED.has(errorCode)) cluster.forgetCoordinator('transaction', transactionalId);
}
