import {
  ApiKeys,
  ErrorCodes,
  listConfigResourcesRequest,
  listConfigResourcesResponse,
} from '@ottla/protocol';
import type { ListConfigResourcesRequest, ListConfigResourcesResponse } from '@ottla/protocol';
import { ConfigResourceType, type MetadataImage, type MetadataStore } from '../metadata/image.ts';
import type { ApiHandler } from './handler.ts';

/**
 * ListConfigResources (KIP-1142): names of everything that can have configs, by type. Topics and brokers are listed
 * because they exist, groups and client metrics subscriptions because they have overrides. Version 0 knows only the latter.
 */
export function listConfigResourcesHandler(deps: {
  readonly metadata: MetadataStore;
}): ApiHandler<ListConfigResourcesRequest, ListConfigResourcesResponse> {
  return {
    apiKey: ApiKeys.ListConfigResources,
    minVersion: 0,
    maxVersion: 1,
    request: listConfigResourcesRequest,
    response: listConfigResourcesResponse,

    handle(request, { apiVersion }) {
      const image = deps.metadata.current();
      const types = apiVersion === 0 ? [ConfigResourceType.clientMetrics] : wantedTypes(request);
      if (types.some((type) => !allTypes.includes(type))) return failure(ErrorCodes.UNSUPPORTED_VERSION);
      const configResources = types.flatMap((resourceType) =>
        resourceNames(image, resourceType).map((resourceName) => ({ resourceName, resourceType })),
      );
      return { throttleTimeMs: 0, errorCode: ErrorCodes.NONE, configResources };
    },

    errorResponse: (_request, errorCode) => failure(errorCode),
  };
}

/** In the order in which Kafka lists them. */
const allTypes: readonly number[] = [
  ConfigResourceType.group,
  ConfigResourceType.clientMetrics,
  ConfigResourceType.brokerLogger,
  ConfigResourceType.broker,
  ConfigResourceType.topic,
];

function wantedTypes(request: ListConfigResourcesRequest): readonly number[] {
  return request.resourceTypes.length === 0 ? allTypes : [...new Set(request.resourceTypes)];
}

function resourceNames(image: MetadataImage, type: number): string[] {
  if (type === ConfigResourceType.topic) return [...image.topics.byName.keys()];
  if (type === ConfigResourceType.broker || type === ConfigResourceType.brokerLogger) {
    return [...image.brokers.keys()].map(String);
  }
  return [...image.configs.resources()]
    .filter(([resourceType]) => resourceType === type)
    .map(([, name]) => name);
}

function failure(errorCode: number): ListConfigResourcesResponse {
  return { throttleTimeMs: 0, errorCode, configResources: [] };
}
