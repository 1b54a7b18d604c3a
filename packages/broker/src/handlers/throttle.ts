import type { ByteRateQuota, QuotaClient } from '../quota/byte-rate-quota.ts';
import type { RequestContext } from './handler.ts';

/** Who sent a request, as quotas know clients. */
export function quotaClientOf({ connection, clientId }: RequestContext): QuotaClient {
  return { principal: connection.principal, clientId };
}

/** Counts bytes of a client; one above its rate is not heard for the time that is returned, in milliseconds. */
export function throttle(quota: ByteRateQuota, context: RequestContext, bytes: number): number {
  const throttleTimeMs = quota.throttleMs(quotaClientOf(context), bytes);
  if (throttleTimeMs > 0) context.connection.mute(throttleTimeMs);
  return throttleTimeMs;
}
