import { ErrorCodes } from '@ottla/protocol';
import type { BrokerConfig } from './broker-config.ts';
import { brokerKeys, clientMetricsKeys, findKey, groupKeys, topicKeys } from './catalogue.ts';
import { validateClientMetricsConfigs } from './client-metrics-config.ts';
import { ConfigError } from './config-error.ts';
import type { ConfigKeys } from './config-key.ts';
import { validateGroupConfigs } from './group-config.ts';
import { validateTopicConfigs } from './topic-config.ts';

/** A refusal with Kafka's error code and message. */
export interface ConfigRefusal {
  readonly errorCode: number;
  readonly errorMessage: string;
}

/** Kafka's ConfigResource types that hold configs in the metadata log. */
const resourceTypes = { topic: 2, broker: 4, clientMetrics: 16, group: 32 } as const;

/**
 * What the controller asks the catalogue before it writes config records; the same for CreateTopics.
 * Changes to a broker have been checked by that broker before (`validateBrokerConfigs`); here only its name is.
 */
export class ResourceConfigRules {
  readonly #config: () => BrokerConfig;

  /** `config` gives the configuration in force, for defaults and limits. */
  constructor(config: () => BrokerConfig) {
    this.#config = config;
  }

  /** Null when all overrides together are valid for the resource. */
  validate(
    resourceType: number,
    resourceName: string,
    overrides: ReadonlyMap<string, string>,
  ): ConfigRefusal | null {
    try {
      return this.#refusal(resourceType, resourceName, overrides);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return { errorCode: ErrorCodes.INVALID_CONFIG, errorMessage: error.wireMessage };
    }
  }

  /** Whether append and subtract make sense for a key. As in Kafka, only topics and brokers have such keys. */
  isList(resourceType: number, name: string): boolean {
    if (resourceType !== resourceTypes.topic && resourceType !== resourceTypes.broker) return false;
    return findKey(keysOf(resourceType), name)?.type === 'list';
  }

  /** The start value of append and subtract without an override: the key's own default, whatever the broker's is. */
  inheritedValue(resourceType: number, _resourceName: string, name: string): string | null {
    return findKey(keysOf(resourceType), name)?.default ?? null;
  }

  #refusal(
    resourceType: number,
    resourceName: string,
    overrides: ReadonlyMap<string, string>,
  ): ConfigRefusal | null {
    switch (resourceType) {
      case resourceTypes.topic:
        if (resourceName === '') return invalidRequest('Default topic resources are not allowed.');
        validateTopicConfigs(this.#config(), overrides);
        return null;
      case resourceTypes.broker:
        return brokerNameRefusal(resourceName);
      case resourceTypes.group:
        if (resourceName === '') return invalidRequest('Default group resources are not allowed.');
        validateGroupConfigs(this.#config(), overrides);
        return null;
      case resourceTypes.clientMetrics: {
        if (resourceName === '') return invalidRequest("Subscription name can't be empty");
        const problem = validateClientMetricsConfigs(overrides);
        return problem === null ? null : invalidRequest(problem);
      }
      default:
        return invalidRequest(`Unknown resource type ${resourceType}`);
    }
  }
}

function keysOf(resourceType: number): ConfigKeys {
  switch (resourceType) {
    case resourceTypes.topic:
      return topicKeys;
    case resourceTypes.broker:
      return brokerKeys;
    case resourceTypes.group:
      return groupKeys;
    case resourceTypes.clientMetrics:
      return clientMetricsKeys;
    default:
      return {};
  }
}

function brokerNameRefusal(name: string): ConfigRefusal | null {
  if (name === '') return null;
  if (!/^[+-]?\d+$/.test(name)) return invalidRequest('Unable to parse broker name as a base 10 number.');
  return Number(name) < 0 ? invalidRequest('Invalid negative broker ID.') : null;
}

function invalidRequest(errorMessage: string): ConfigRefusal {
  return { errorCode: ErrorCodes.INVALID_REQUEST, errorMessage };
}
