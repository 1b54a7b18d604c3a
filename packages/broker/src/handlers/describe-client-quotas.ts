import {
  ApiKeys,
  describeClientQuotasRequest,
  describeClientQuotasResponse,
  ErrorCodes,
  errorMessage,
} from '@ottla/protocol';
import type { DescribeClientQuotasRequest, DescribeClientQuotasResponse } from '@ottla/protocol';
import { QuotaEntityType } from '../controller/alter-client-quotas.ts';
import { listedEntity, listedValues } from './quota-parts.ts';
import type { ItemResult } from '../controller/controller.ts';
import type { EntityQuotas, QuotaEntity } from '../metadata/client-quotas-image.ts';
import type { MetadataStore } from '../metadata/image.ts';
import type { ApiHandler } from './handler.ts';

type Component = DescribeClientQuotasRequest['components'][number];

/** How a component of the filter matches the entity's part of its type: by name, the default, or any. */
const MatchType = { exact: 0, default: 1, specified: 2 } as const;

const entityTypes: ReadonlySet<string> = new Set(Object.values(QuotaEntityType));

/**
 * DescribeClientQuotas (KIP-546): the quotas of every entity that matches all components of the filter; of a strict one also
 * no others. Without components it matches every entity, if it is not strict.
 */
export function describeClientQuotasHandler(deps: {
  readonly metadata: MetadataStore;
}): ApiHandler<DescribeClientQuotasRequest, DescribeClientQuotasResponse> {
  return {
    apiKey: ApiKeys.DescribeClientQuotas,
    minVersion: 0,
    maxVersion: 1,
    request: describeClientQuotasRequest,
    response: describeClientQuotasResponse,

    handle(request) {
      const refusal = filterRefusal(request.components);
      if (refusal !== null) return { throttleTimeMs: 0, ...refusal, entries: null };
      const all = [...deps.metadata.current().clientQuotas.values()];
      const entries = all.filter(({ entity }) => matches(entity, request)).map(entryOf);
      return { throttleTimeMs: 0, errorCode: ErrorCodes.NONE, errorMessage: '', entries };
    },

    errorResponse: (_request, errorCode) => ({
      throttleTimeMs: 0,
      errorCode,
      errorMessage: errorMessage(errorCode),
      entries: null,
    }),
  };
}

function filterRefusal(components: readonly Component[]): ItemResult | null {
  const types = new Set<string>();
  for (const component of components) {
    const { entityType } = component;
    if (entityType === '') return invalid('Invalid empty entity type.');
    if (types.has(entityType)) {
      return invalid(`Entity type ${entityType} cannot appear more than once in the filter.`);
    }
    if (!entityTypes.has(entityType)) {
      const message = `Unsupported entity type ${entityType}`;
      return { errorCode: ErrorCodes.UNSUPPORTED_VERSION, errorMessage: message };
    }
    const problem = matchProblem(component);
    if (problem !== null) return invalid(problem);
    types.add(entityType);
  }
  if (!types.has(QuotaEntityType.ip) || types.size === 1) return null;
  return invalid(
    'Invalid entity filter component combination. IP filter component should not be used with ' +
      'user or clientId filter component.',
  );
}

function matchProblem({ matchType, match }: Component): string | null {
  switch (matchType) {
    case MatchType.exact:
      if (match !== null) return null;
      return 'Request specified MATCH_TYPE_EXACT, but set match string to null.';
    case MatchType.default:
      if (match === null) return null;
      return 'Request specified MATCH_TYPE_DEFAULT, but also specified a match string.';
    case MatchType.specified:
      if (match === null) return null;
      return 'Request specified MATCH_TYPE_SPECIFIED, but also specified a match string.';
    default:
      return `Unknown match type ${matchType}`;
  }
}

function matches(entity: QuotaEntity, { components, strict }: DescribeClientQuotasRequest): boolean {
  if (strict && entity.size !== components.length) return false;
  return components.every(({ entityType, matchType, match }) => {
    if (!entity.has(entityType)) return false;
    // The default is the entity without a name, which is also what `match` is then.
    return matchType === MatchType.specified || entity.get(entityType) === match;
  });
}

function entryOf({ entity, values }: EntityQuotas) {
  return { entity: listedEntity(entity), values: listedValues(values) };
}

function invalid(message: string): ItemResult {
  return { errorCode: ErrorCodes.INVALID_REQUEST, errorMessage: message };
}
