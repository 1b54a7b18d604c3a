import { ApiKeys, alterClientQuotasRequest, alterClientQuotasResponse, errorMessage } from '@ottla/protocol';
import type { AlterClientQuotasRequest, AlterClientQuotasResponse } from '@ottla/protocol';
import { QuotaEntityType } from '../controller/alter-client-quotas.ts';
import { listedEntity } from './quota-parts.ts';
import type { Controller } from '../controller/controller.ts';
import type { ApiHandler } from './handler.ts';

type Entry = AlterClientQuotasRequest['entries'][number];

export interface AlterClientQuotasDeps {
  readonly controller: Controller;
  /** Whether a text is an address, or the name of a host that has one. */
  readonly isResolvableHost: (name: string) => Promise<boolean>;
}

/** AlterClientQuotas (KIP-546; flexible since version 1). */
export function alterClientQuotasHandler(
  deps: AlterClientQuotasDeps,
): ApiHandler<AlterClientQuotasRequest, AlterClientQuotasResponse> {
  return {
    apiKey: ApiKeys.AlterClientQuotas,
    minVersion: 0,
    maxVersion: 1,
    request: alterClientQuotasRequest,
    response: alterClientQuotasResponse,

    async handle({ entries, validateOnly }) {
      const results = await deps.controller.alterClientQuotas({
        entries: entries.map(({ entity, ops }) => ({
          entity: entityOf(entity),
          operations: ops.map(({ key, value, remove }) => ({ key, value: remove ? null : value })),
        })),
        unresolvable: await unresolvable(deps, entries),
        validateOnly,
      });
      return {
        throttleTimeMs: 0,
        entries: results.map(({ entity, ...result }) => ({
          ...result,
          entity: listedEntity(entity),
        })),
      };
    },

    errorResponse: ({ entries }, errorCode) => ({
      throttleTimeMs: 0,
      entries: entries.map(({ entity }) => ({ errorCode, errorMessage: errorMessage(errorCode), entity })),
    }),
  };
}

/** Of two parts of the same type the last one counts, as in Kafka. */
function entityOf(parts: Entry['entity']): Map<string, string | null> {
  return new Map(parts.map(({ entityType, entityName }) => [entityType, entityName]));
}

async function unresolvable(
  { isResolvableHost }: AlterClientQuotasDeps,
  entries: readonly Entry[],
): Promise<Set<string>> {
  const names = new Set<string>();
  for (const { entity } of entries) {
    const ip = entityOf(entity).get(QuotaEntityType.ip);
    if (ip && !(await isResolvableHost(ip))) names.add(ip);
  }
  return names;
}
