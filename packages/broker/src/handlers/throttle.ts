import type { QuotaClient } from '../quota/client-quota-lookup.ts';
import type { PartitionChangeQuota } from '../controller/controller.ts';
import type { MutationQuota } from '../quota/mutation-quota.ts';
import type { RateQuota } from '../quota/rate-quota.ts';
import type { RequestContext } from './handler.ts';

/** Who sent a request, as quotas know clients. */
export function quotaClientOf({ connection, clientId }: RequestContext): QuotaClient {
  return { principal: connection.principal, clientId };
}

/** Counts bytes or time of a client; one above its rate is not heard for the time that is returned, in milliseconds. */
export function throttle(
  quota: Pick<RateQuota, 'throttleMs'>,
  context: RequestContext,
  amount: number,
): number {
  return muted(context, quota.throttleMs(quotaClientOf(context), amount));
}

/** A request that changes partitions and its client's quota for that (KIP-599). */
export interface ChargedMutations {
  /** For the controller. */
  readonly quota: PartitionChangeQuota;
  /** Once it has been carried out: the client is not heard for the time that is returned, in milliseconds. */
  throttle(): number;
}

/** @param strictSince the first version of the API that may be refused for the quota */
export function chargeMutations(
  quota: MutationQuota,
  context: RequestContext,
  strictSince: number,
): ChargedMutations {
  const mutations = quota.mutationsOf(quotaClientOf(context), context.apiVersion >= strictSince);
  return {
    quota: (partitionCount) => mutations.record(partitionCount),
    throttle: () => muted(context, mutations.throttleTimeMs),
  };
}

function muted(context: RequestContext, throttleTimeMs: number): number {
  if (throttleTimeMs > 0) context.connection.mute(throttleTimeMs);
  return throttleTimeMs;
}
