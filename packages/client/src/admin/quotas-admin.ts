import type { CallLimits } from '../cluster/limits.ts';
import { throwIfError, errorOf } from '../errors/kafka-error.ts';
import { apis } from '../network/apis.ts';
import type { AdminRequests } from './admin-requests.ts';
import { valuesOrThrow } from './per-item.ts';

/** Who a quota is for: by user, client id or ip address. Null is the default for all that have none of their own. */
export type QuotaEntity = Readonly<Partial<Record<'user' | 'client-id' | 'ip', string | null>>>;

/** Limits by Kafka's names: `producer_byte_rate`, `consumer_byte_rate`, `request_percentage`, `controller_mutation_rate`, `connection_creation_rate`. */
export interface QuotaEntry {
  readonly entity: QuotaEntity;
  readonly limits: Readonly<Record<string, number>>;
}

/** What to look for: a name, null for the default, or `any` for every name of the kind. */
export type QuotaFilter = Readonly<
  Partial<Record<'user' | 'client-id' | 'ip', string | null | { readonly any: true }>>
>;

/** The entity as people say it: `user "alice", client-id default`. */
function describeEntity(entity: QuotaEntity): string {
  return Object.entries(entity)
    .map(([type, name]) => `${type} ${name === null ? 'default' : `"${name}"`}`)
    .join(', ');
}

const MATCH = { exact: 0, default: 1, any: 2 } as const;

/** Client quotas (KIP-546). */
export class QuotasAdmin {
  readonly #requests: AdminRequests;

  constructor(requests: AdminRequests) {
    this.#requests = requests;
  }

  /** Quotas that match; with `strict` only those of entities that have no other part. An empty filter matches all. */
  describe(
    filter: QuotaFilter = {},
    options: CallLimits & { readonly strict?: boolean } = {},
  ): Promise<QuotaEntry[]> {
    const components = Object.entries(filter).map(([entityType, match]) => {
      if (match === null) return { entityType, matchType: MATCH.default, match: null };
      if (typeof match === 'object') return { entityType, matchType: MATCH.any, match: null };
      return { entityType, matchType: MATCH.exact, match };
    });
    const request = { api: apis.describeClientQuotas, body: { components, strict: options.strict ?? false } };
    return this.#requests.ask('any', request, options, (answer) => {
      throwIfError(answer.errorCode, answer.errorMessage);
      return (answer.entries ?? []).map(({ entity, values }) => ({
        entity: Object.fromEntries(
          entity.map(({ entityType, entityName }) => [entityType, entityName]),
        ) as QuotaEntity,
        limits: Object.fromEntries(values.map(({ key, value }) => [key, value])),
      }));
    });
  }

  /** Sets limits of an entity; null removes one. */
  async alter(
    entity: QuotaEntity,
    limits: Readonly<Record<string, number | null>>,
    options: CallLimits & { readonly validateOnly?: boolean } = {},
  ): Promise<void> {
    const entry = {
      entity: Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName })),
      ops: Object.entries(limits).map(([key, value]) => ({ key, value: value ?? 0, remove: value === null })),
    };
    const body = { entries: [entry], validateOnly: options.validateOnly ?? false };
    const results = await this.#requests.toController(
      'Changing quotas',
      [entity],
      options,
      async (_, attempt) => {
        const answer = await this.#requests.send(
          'controller',
          { api: apis.alterClientQuotas, body },
          attempt,
        );
        return answer.entries.map(({ errorCode, errorMessage }) => [
          entity,
          errorOf(errorCode, errorMessage, describeEntity(entity)),
        ]);
      },
    );
    valuesOrThrow(results);
  }
}
