import type { ClientQuotas } from '../metadata/client-quotas-image.ts';
import type { MetadataStore } from '../metadata/image.ts';
import { effectiveQuota, type EffectiveQuota } from './effective-quota.ts';

/** Who sent a request, as quotas know clients. */
export interface QuotaClient {
  /** `User:ANONYMOUS`. */
  readonly principal: string;
  readonly clientId: string | null;
}

/** What is remembered of so many clients at most. */
export const MAX_REMEMBERED = 1000;
/** The longest throttle time that a response can tell: 24 days. */
export const MAX_THROTTLE_MS = 0x7fff_ffff;

/** Finds the quota of a client under one key, and remembers it until any quota changes. */
export class ClientQuotaLookup {
  readonly #metadata: MetadataStore;
  readonly #key: string;
  readonly #effective = new Map<string, EffectiveQuota | null>();
  /** What `#effective` was looked up in. */
  #quotas: ClientQuotas | null = null;

  /** @param key such as `producer_byte_rate` */
  constructor(metadata: MetadataStore, key: string) {
    this.#metadata = metadata;
    this.#key = key;
  }

  /** Whether anybody has a quota at all, so that requests without need not be measured. */
  get isOn(): boolean {
    return this.#metadata.current().clientQuotas.size > 0;
  }

  /** The quota that the client is under; null without one. */
  of({ principal, clientId }: QuotaClient): EffectiveQuota | null {
    const { clientQuotas } = this.#metadata.current();
    if (clientQuotas !== this.#quotas) {
      this.#quotas = clientQuotas;
      this.#effective.clear();
    }
    if (clientQuotas.size === 0) return null;
    const name = `${principal}\n${clientId ?? ''}`;
    let quota = this.#effective.get(name);
    if (quota === undefined) {
      const user = principal.slice(principal.indexOf(':') + 1);
      quota = effectiveQuota(clientQuotas, { user, clientId: clientId ?? '' }, this.#key);
      if (this.#effective.size >= MAX_REMEMBERED) this.#effective.clear();
      this.#effective.set(name, quota);
    }
    return quota;
  }
}
