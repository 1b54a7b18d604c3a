import {
  ApiKeys,
  describeConfigsRequest,
  describeConfigsResponse,
  ErrorCodes,
  errorMessage,
} from '@ottla/protocol';
import type { DescribeConfigsRequest, DescribeConfigsResponse } from '@ottla/protocol';
import type { BrokerConfig } from '../config/broker-config.ts';
import {
  type ConfigDescription,
  describeBroker,
  describeClientMetrics,
  describeClusterWide,
  describeGroup,
  describeTopic,
} from '../config/describe-configs.ts';
import type { ItemResult } from '../controller/controller.ts';
import { topicNameProblem } from '../controller/topic-names.ts';
import { ConfigResourceType, type MetadataStore } from '../metadata/image.ts';
import { invalidRequest } from './config-changes.ts';
import type { ApiHandler } from './handler.ts';

type Resource = DescribeConfigsRequest['resources'][number];
type Result = DescribeConfigsResponse['results'][number];

interface Deps {
  readonly metadata: MetadataStore;
  /** The configuration in force. */
  readonly config: () => BrokerConfig;
}

/**
 * DescribeConfigs: every key of topics, brokers, groups and client metrics subscriptions with its value, where that
 * comes from (v1: synonyms), type and documentation (v3).
 */
export function describeConfigsHandler(
  deps: Deps,
): ApiHandler<DescribeConfigsRequest, DescribeConfigsResponse> {
  return {
    apiKey: ApiKeys.DescribeConfigs,
    minVersion: 1,
    maxVersion: 4,
    request: describeConfigsRequest,
    response: describeConfigsResponse,

    handle(request) {
      // Kafka refuses the request as a whole over one unknown type.
      if (request.resources.some(({ resourceType }) => !knownTypes.has(resourceType))) {
        return wholeError(request, ErrorCodes.INVALID_REQUEST);
      }
      const asAsked = withoutUnwanted(request);
      let keyCount = 0;
      const results = request.resources.map((resource): Result => {
        const described = keyCount > MAX_KEYS_PER_REQUEST ? tooManyKeys : describe(deps, resource);
        const { resourceType, resourceName } = resource;
        if (!Array.isArray(described)) return { ...described, resourceType, resourceName, configs: [] };
        keyCount += 1 + described.length;
        return {
          errorCode: ErrorCodes.NONE,
          errorMessage: '',
          resourceType,
          resourceName,
          configs: described.map(asAsked),
        };
      });
      return { throttleTimeMs: 0, results };
    },

    errorResponse: wholeError,
  };
}

/** Leaves out what the request does not want; one copy for each description, however many topics share it. */
function withoutUnwanted({
  includeSynonyms,
  includeDocumentation,
}: DescribeConfigsRequest): (config: ConfigDescription) => ConfigDescription {
  const copies = new Map<ConfigDescription, ConfigDescription>();
  return (config) => {
    let copy = copies.get(config);
    if (copy === undefined) {
      const synonyms = includeSynonyms ? config.synonyms : [];
      copy = { ...config, synonyms, documentation: includeDocumentation ? config.documentation : null };
      copies.set(config, copy);
    }
    return copy;
  };
}

/**
 * A resource costs ten bytes to ask for and up to a hundred thousand to describe. Kafka has no bound here; this one
 * still lets a tool ask for fifteen thousand whole topics at once.
 */
const MAX_KEYS_PER_REQUEST = 500_000;

const tooManyKeys = invalidRequest(
  `The resources of the request have more than ${MAX_KEYS_PER_REQUEST} keys: ask for fewer resources at a time`,
);

const knownTypes: ReadonlySet<number> = new Set(Object.values(ConfigResourceType));

function wholeError(request: DescribeConfigsRequest, errorCode: number): DescribeConfigsResponse {
  const results = request.resources.map(({ resourceType, resourceName }): Result => {
    return { errorCode, errorMessage: errorMessage(errorCode), resourceType, resourceName, configs: [] };
  });
  return { throttleTimeMs: 0, results };
}

function describe(deps: Deps, resource: Resource): ConfigDescription[] | ItemResult {
  const { resourceType, resourceName, configurationKeys: wanted } = resource;
  const image = deps.metadata.current();
  const config = deps.config();
  const overrides = image.configs.get(resourceType, resourceName);
  switch (resourceType) {
    case ConfigResourceType.topic: {
      const problem = topicNameProblem(resourceName);
      if (problem !== null) {
        return {
          errorCode: ErrorCodes.INVALID_TOPIC_EXCEPTION,
          errorMessage: `Topic name is invalid: ${problem}`,
        };
      }
      if (image.topics.byName.has(resourceName)) return describeTopic(config, overrides, wanted);
      return { errorCode: ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: '' };
    }
    case ConfigResourceType.broker:
      if (resourceName === '') return describeClusterWide(config, wanted);
      return (
        brokerIdRefusal(resourceName, config.nodeId, `expected ${config.nodeId} or empty string,`) ??
        describeBroker(config, wanted)
      );
    case ConfigResourceType.brokerLogger:
      if (resourceName === '') return invalidRequest('Broker id must not be empty');
      // Levels of single loggers are a feature of log4j; Ottla's log has one level, set at start.
      return brokerIdRefusal(resourceName, config.nodeId, `expected ${config.nodeId}`) ?? [];
    case ConfigResourceType.clientMetrics:
      if (resourceName === '') return invalidRequest('Client metrics subscription name must not be empty');
      return describeClientMetrics(overrides, wanted);
    default:
      if (resourceName === '') return invalidRequest('Group name must not be empty');
      return describeGroup(config, overrides, wanted);
  }
}

function brokerIdRefusal(name: string, nodeId: number, expected: string): ItemResult | null {
  if (!/^[+-]?\d+$/.test(name)) return invalidRequest(`Broker id must be an integer, but it is: ${name}`);
  if (Number(name) === nodeId) return null;
  return invalidRequest(`Unexpected broker id, ${expected} but received ${name}`);
}
