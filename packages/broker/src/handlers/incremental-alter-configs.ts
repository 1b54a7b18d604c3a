import { ApiKeys, incrementalAlterConfigsRequest, incrementalAlterConfigsResponse } from '@ottla/protocol';
import type { IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse } from '@ottla/protocol';
import type { BrokerConfig } from '../config/broker-config.ts';
import { brokerKeys, findKey } from '../config/catalogue.ts';
import { usableDynamicConfigs } from '../config/dynamic-configs.ts';
import {
  AlterConfigOp,
  type ConfigChange,
  type Controller,
  type ItemResult,
} from '../controller/controller.ts';
import { ConfigResourceType, type MetadataStore } from '../metadata/image.ts';
import {
  alterResources,
  brokerConfigsRefusal,
  brokerNameRefusal,
  formRefusal,
  invalidConfig,
  invalidRequest,
  minInSyncReplicasRefusal,
  sameResultForAll,
  topicNameRefusal,
  unknownError,
} from './config-changes.ts';
import type { ApiHandler } from './handler.ts';

type Resource = IncrementalAlterConfigsRequest['resources'][number];

interface Deps {
  readonly metadata: MetadataStore;
  readonly controller: Controller;
  /** The configuration in force. */
  readonly config: () => BrokerConfig;
}

/**
 * IncrementalAlterConfigs (KIP-339): sets, deletes, appends to and subtracts from single keys of topics, brokers, groups
 * and client metrics subscriptions. Every resource succeeds or fails as a whole. What concerns this broker is checked
 * here, the rest by the controller.
 */
export function incrementalAlterConfigsHandler(
  deps: Deps,
): ApiHandler<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse> {
  return {
    apiKey: ApiKeys.IncrementalAlterConfigs,
    minVersion: 0,
    maxVersion: 1,
    request: incrementalAlterConfigsRequest,
    response: incrementalAlterConfigsResponse,

    async handle({ resources, validateOnly }) {
      const responses = await alterResources(resources, {
        refusalOf: (resource) => refusalOf(deps, resource),
        change: (accepted) => deps.controller.incrementalAlterConfigs(accepted.map(changeOf), validateOnly),
      });
      return { throttleTimeMs: 0, responses };
    },

    errorResponse: (request, errorCode) => ({
      throttleTimeMs: 0,
      responses: sameResultForAll(request.resources, errorCode),
    }),
  };
}

/** A resource's part of the request as the controller's command. */
function changeOf({ resourceType, resourceName, configs }: Resource): ConfigChange {
  const operations = configs.map(({ name, configOperation, value }) => ({
    name,
    operation: configOperation,
    value,
  }));
  return { resourceType, resourceName, operations };
}

const knownOperations: ReadonlySet<number> = new Set(Object.values(AlterConfigOp));

/** Everything that can be said without the controller. */
function refusalOf(deps: Deps, resource: Resource): ItemResult | null {
  const needsValue = ({ configOperation }: Resource['configs'][number]): boolean =>
    configOperation !== AlterConfigOp.delete;
  const malformed = formRefusal(resource.configs, needsValue);
  if (malformed !== null) return malformed;
  switch (resource.resourceType) {
    case ConfigResourceType.brokerLogger:
      return loggerRefusal(resource, deps.config().nodeId);
    case ConfigResourceType.broker:
      return brokerRefusal(deps, resource);
    case ConfigResourceType.topic:
    case ConfigResourceType.clientMetrics:
    case ConfigResourceType.group:
      if (resource.configs.some(({ configOperation }) => !knownOperations.has(configOperation)))
        return unknownError;
      return topicNameRefusal(resource);
    default:
      return invalidRequest(`Unknown resource type ${resource.resourceType}`);
  }
}

/** No logger can be set at run time: to a client it looks as if it did not exist. */
function loggerRefusal({ resourceName, configs }: Resource, nodeId: number): ItemResult | null {
  if (!/^[+-]?\d+$/.test(resourceName)) {
    return invalidRequest(`Node id must be an integer, but it is: ${resourceName}`);
  }
  if (Number(resourceName) !== nodeId) {
    return invalidRequest(`Unexpected node id. Expected ${nodeId}, but received ${resourceName}`);
  }
  const [first] = configs;
  if (first === undefined) return null;
  const { name, configOperation } = first;
  if (configOperation === AlterConfigOp.append || configOperation === AlterConfigOp.subtract) {
    const word = configOperation === AlterConfigOp.append ? 'APPEND' : 'SUBTRACT';
    return invalidRequest(`${word} operation is not allowed for the BROKER_LOGGER resource`);
  }
  return invalidConfig(`Logger ${name} does not exist!`);
}

function brokerRefusal(deps: Deps, resource: Resource): ItemResult | null {
  const config = deps.config();
  const { resourceName, configs } = resource;
  const wrongName = brokerNameRefusal(resourceName, config.nodeId);
  if (wrongName !== null) return wrongName;
  const image = deps.metadata.current();
  const stored = image.configs.get(ConfigResourceType.broker, resourceName);
  const proposed = new Map(usableDynamicConfigs(stored, { perBroker: resourceName !== '' }));
  for (const operation of configs) {
    const refusal = applyOperation(proposed, operation);
    if (refusal !== null) return refusal;
  }
  const refusal = brokerConfigsRefusal(config, resourceName, proposed);
  if (refusal !== null) return refusal;
  const minIsr = configs.find(({ name }) => name === 'min.insync.replicas');
  const elr = (image.features.get('eligible.leader.replicas.version') ?? 0) > 0;
  if (!elr || minIsr === undefined) return null;
  const change = minIsr.configOperation === AlterConfigOp.delete ? 'delete' : 'set';
  return minInSyncReplicasRefusal(resource, change);
}

/** What one operation makes of the stored configs; the refusals are those of the broker, not of the controller. */
function applyOperation(
  configs: Map<string, string>,
  { name, configOperation, value }: Resource['configs'][number],
): ItemResult | null {
  switch (configOperation) {
    case AlterConfigOp.set:
      configs.set(name, value ?? '');
      return null;
    case AlterConfigOp.delete:
      configs.delete(name);
      return null;
    case AlterConfigOp.append:
    case AlterConfigOp.subtract: {
      const key = findKey(brokerKeys, name);
      if (key === undefined) return invalidConfig(`Unknown config name: ${name}`);
      const isAppend = configOperation === AlterConfigOp.append;
      if (key.type !== 'list') {
        const word = isAppend ? 'append' : 'subtract';
        return invalidConfig(`Config value ${word} is not allowed for config key: ${name}`);
      }
      const old = (configs.get(name) ?? key.default ?? '').split(',').filter((item) => item !== '');
      const given = (value ?? '').split(',');
      const next = isAppend
        ? [...old, ...given.filter((item) => !old.includes(item))]
        : old.filter((item) => !given.includes(item));
      configs.set(name, next.join(','));
      return null;
    }
    default:
      return invalidRequest(`Unknown operations type ${configOperation}`);
  }
}
