import { quotaEntityKey, type ClientQuotas } from '../metadata/client-quotas-image.ts';

/** The quota that a client is under, and whom it shares it with. */
export interface EffectiveQuota {
  /** What the key limits, for each second: bytes, percents of a second, partitions. */
  readonly bound: number;
  /** Clients with the same key count together. */
  readonly sharedBy: string;
}

/** Null in an entity: the default of all without a quota of their own. */
type Part = 'own' | 'default';

/** From the most specific entity to the least, as Kafka looks for them; what is absent is no part of the entity. */
const PRECEDENCE: readonly { readonly user?: Part; readonly clientId?: Part }[] = [
  { user: 'own', clientId: 'own' },
  { user: 'own', clientId: 'default' },
  { user: 'own' },
  { user: 'default', clientId: 'own' },
  { user: 'default', clientId: 'default' },
  { user: 'default' },
  { clientId: 'own' },
  { clientId: 'default' },
];

/**
 * The quota of a client by key (`producer_byte_rate`), or null when it has none. A quota by default is not shared by all whom
 * it is for: each user, client or pair of both that it stands for has it for itself.
 */
export function effectiveQuota(
  quotas: ClientQuotas,
  client: { readonly user: string; readonly clientId: string },
  key: string,
): EffectiveQuota | null {
  for (const { user, clientId } of PRECEDENCE) {
    const entity = new Map<string, string | null>();
    if (user !== undefined) entity.set('user', user === 'own' ? client.user : null);
    if (clientId !== undefined) entity.set('client-id', clientId === 'own' ? client.clientId : null);
    const bound = quotas.get(quotaEntityKey(entity))?.values.get(key);
    if (bound === undefined) continue;
    const sharedBy = JSON.stringify([
      user === undefined ? null : client.user,
      clientId === undefined ? null : client.clientId,
    ]);
    return { bound, sharedBy };
  }
  return null;
}
