import { ErrorCodes, errorMessage } from '@ottla/protocol';
import { validateBrokerConfigs } from '../config/alter-broker-configs.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { ConfigError } from '../config/config-error.ts';
import type { ItemResult } from '../controller/controller.ts';
import { topicNameProblem } from '../controller/topic-names.ts';
import { ConfigResourceType } from '../metadata/image.ts';

/** What AlterConfigs and IncrementalAlterConfigs have in common of one resource. */
export interface AlteredResource {
  readonly resourceType: number;
  readonly resourceName: string;
  readonly configs: readonly { readonly name: string; readonly value: string | null }[];
}

/** What AlterConfigs and IncrementalAlterConfigs answer for one resource. */
export interface AlteredResult extends ItemResult {
  readonly resourceType: number;
  readonly resourceName: string;
}

/**
 * Answers each resource of a request: with its refusal where there is one, and for all others with what came of changing
 * them, which happens in one call.
 */
export async function alterResources<Resource extends AlteredResource>(
  resources: readonly Resource[],
  steps: {
    /** Everything that can be said without the controller. */
    readonly refusalOf: (resource: Resource) => ItemResult | null;
    /** Gives a result for each of its resources, in their order. */
    readonly change: (accepted: readonly Resource[]) => Promise<readonly ItemResult[]>;
  },
): Promise<AlteredResult[]> {
  const duplicates = duplicateResources(resources);
  const refusals = resources.map((resource) =>
    duplicates.has(resource)
      ? invalidRequest('Each resource must appear at most once.')
      : steps.refusalOf(resource),
  );
  const accepted = resources.filter((_, index) => refusals[index] === null);
  const outcomes = accepted.length === 0 ? [] : await steps.change(accepted);
  let next = 0;
  return resources.map(({ resourceType, resourceName }, index) => {
    const result = refusals[index] ?? outcomes[next++] ?? unknownError;
    return { ...result, resourceType, resourceName };
  });
}

/** What Kafka answers where it has no better word: UNKNOWN_SERVER_ERROR without a message. */
export const unknownError: ItemResult = { errorCode: ErrorCodes.UNKNOWN_SERVER_ERROR, errorMessage: null };

/** The answer to a request that failed as a whole. */
export function sameResultForAll(resources: readonly AlteredResource[], errorCode: number): AlteredResult[] {
  return resources.map(({ resourceType, resourceName }) => ({
    errorCode,
    errorMessage: errorMessage(errorCode),
    resourceType,
    resourceName,
  }));
}

/** Every resource that appears more than once in a request. */
function duplicateResources(resources: readonly AlteredResource[]): ReadonlySet<AlteredResource> {
  const firstOf = new Map<string, AlteredResource>();
  const duplicates = new Set<AlteredResource>();
  for (const resource of resources) {
    const key = `${resource.resourceType}/${resource.resourceName}`;
    const first = firstOf.get(key);
    if (first === undefined) {
      firstOf.set(key, resource);
    } else {
      duplicates.add(first);
      duplicates.add(resource);
    }
  }
  return duplicates;
}

/** The checks of both APIs before anything else; `needsValue` tells which entries must not be null. */
export function formRefusal<Entry extends AlteredResource['configs'][number]>(
  configs: readonly Entry[],
  needsValue: (entry: Entry) => boolean,
): ItemResult | null {
  if (new Set(configs.map(({ name }) => name)).size < configs.length) {
    return invalidRequest('Error due to duplicate config keys');
  }
  const nulls = configs.filter((entry) => entry.value === null && needsValue(entry));
  if (nulls.length === 0) return null;
  return invalidRequest(`Null value not supported for : ${nulls.map(({ name }) => name).join(', ')}`);
}

/** Refuses the name of a topic that cannot exist; the controller refuses one that merely does not. */
export function topicNameRefusal({ resourceType, resourceName }: AlteredResource): ItemResult | null {
  if (resourceType !== ConfigResourceType.topic || resourceName === '') return null;
  const problem = topicNameProblem(resourceName);
  if (problem === null) return null;
  return { errorCode: ErrorCodes.INVALID_TOPIC_EXCEPTION, errorMessage: `Topic name is invalid: ${problem}` };
}

/** Refuses a broker resource that is neither this broker nor the cluster default. */
export function brokerNameRefusal(name: string, nodeId: number): ItemResult | null {
  if (name === '') return null;
  if (!/^[+-]?\d+$/.test(name)) return invalidRequest(`Node id must be an integer, but it is: ${name}`);
  if (Number(name) === nodeId) return null;
  return invalidRequest(`Unexpected broker id, expected ${nodeId}, but received ${name}`);
}

/** Checks the whole set of overrides that a broker resource would have after the change. */
export function brokerConfigsRefusal(
  config: BrokerConfig,
  resourceName: string,
  proposed: ReadonlyMap<string, string>,
): ItemResult | null {
  try {
    validateBrokerConfigs(config, proposed, { perBroker: resourceName !== '' });
    return null;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // Not INVALID_CONFIG: Kafka answers so and keeps it for its old clients' sake (KAFKA-13609).
    return invalidRequest(error.wireMessage);
  }
}

/**
 * ELR (KIP-966) needs one `min.insync.replicas` for all brokers: with it on, the cluster-wide one stays set and a
 * single broker gets none.
 */
export function minInSyncReplicasRefusal(
  { resourceType, resourceName }: AlteredResource,
  change: 'set' | 'delete',
): ItemResult | null {
  if (resourceType !== ConfigResourceType.broker) return null;
  if (resourceName !== '') {
    return invalidConfig('Broker-level min.insync.replicas cannot be altered while ELR is enabled.');
  }
  if (change === 'set') return null;
  return invalidConfig('Cluster-level min.insync.replicas cannot be removed while ELR is enabled.');
}

/** An INVALID_REQUEST with a message. */
export function invalidRequest(message: string): ItemResult {
  return { errorCode: ErrorCodes.INVALID_REQUEST, errorMessage: message };
}

/** An INVALID_CONFIG with a message. */
export function invalidConfig(message: string): ItemResult {
  return { errorCode: ErrorCodes.INVALID_CONFIG, errorMessage: message };
}
