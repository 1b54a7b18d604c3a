import { ApiKeys, alterConfigsRequest, alterConfigsResponse } from '@ottla/protocol';
import type { AlterConfigsRequest, AlterConfigsResponse } from '@ottla/protocol';
import type { BrokerConfig } from '../config/broker-config.ts';
import type { Controller, ItemResult } from '../controller/controller.ts';
import { ConfigResourceType, type MetadataStore } from '../metadata/image.ts';
import {
  alterResources,
  brokerConfigsRefusal,
  brokerNameRefusal,
  formRefusal,
  invalidRequest,
  minInSyncReplicasRefusal,
  sameResultForAll,
  topicNameRefusal,
} from './config-changes.ts';
import type { ApiHandler } from './handler.ts';

type Resource = AlterConfigsRequest['resources'][number];

interface Deps {
  readonly metadata: MetadataStore;
  readonly controller: Controller;
  /** The configuration in force. */
  readonly config: () => BrokerConfig;
}

/** AlterConfigs: replaces all overrides of a resource at once. Kept for old clients; see IncrementalAlterConfigs. */
export function alterConfigsHandler(deps: Deps): ApiHandler<AlterConfigsRequest, AlterConfigsResponse> {
  return {
    apiKey: ApiKeys.AlterConfigs,
    minVersion: 0,
    maxVersion: 2,
    request: alterConfigsRequest,
    response: alterConfigsResponse,

    async handle({ resources, validateOnly }) {
      const responses = await alterResources(resources, {
        refusalOf: (resource) => refusalOf(deps, resource),
        change: (accepted) => deps.controller.legacyAlterConfigs(accepted, validateOnly),
      });
      return { throttleTimeMs: 0, responses };
    },

    errorResponse: (request, errorCode) => ({
      throttleTimeMs: 0,
      responses: sameResultForAll(request.resources, errorCode),
    }),
  };
}

/** Everything that can be said without the controller. */
function refusalOf(deps: Deps, resource: Resource): ItemResult | null {
  const malformed = formRefusal(resource.configs, () => true);
  if (malformed !== null) return malformed;
  switch (resource.resourceType) {
    case ConfigResourceType.broker:
      return brokerRefusal(deps, resource);
    case ConfigResourceType.topic:
    case ConfigResourceType.clientMetrics:
    case ConfigResourceType.group:
      return topicNameRefusal(resource);
    default:
      return invalidRequest(`Unknown resource type ${resource.resourceType}`);
  }
}

function brokerRefusal(deps: Deps, resource: Resource): ItemResult | null {
  const config = deps.config();
  const { resourceName, configs } = resource;
  const wrongName = brokerNameRefusal(resourceName, config.nodeId);
  if (wrongName !== null) return wrongName;
  const proposed = new Map(configs.map(({ name, value }) => [name, value ?? '']));
  const refusal = brokerConfigsRefusal(config, resourceName, proposed);
  if (refusal !== null) return refusal;
  const image = deps.metadata.current();
  if ((image.features.get('eligible.leader.replicas.version') ?? 0) === 0) return null;
  const name = 'min.insync.replicas';
  if (proposed.has(name)) return minInSyncReplicasRefusal(resource, 'set');
  const isStored = image.configs.get(ConfigResourceType.broker, resourceName).has(name);
  return isStored ? minInSyncReplicasRefusal(resource, 'delete') : null;
}
