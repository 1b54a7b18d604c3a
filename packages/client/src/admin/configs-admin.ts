import { ErrorCodes } from '@ottla/protocol';
import type { CallLimits } from '../cluster/limits.ts';
import { brokerError, type KafkaError, throwIfError, errorOf } from '../errors/kafka-error.ts';
import { apis } from '../network/apis.ts';
import type { AdminRequests, Outcomes } from './admin-requests.ts';
import type { Attempt } from '../cluster/retry.ts';
import { groupBy, only, type PerItem } from './per-item.ts';
import { nameAt } from './acl-names.ts';

/** What has configs, by Kafka's numbers. */
const RESOURCE_TYPES = { topic: 2, broker: 4, brokerLogger: 8, clientMetrics: 16, group: 32 } as const;

/** What may have configs. */
export type ConfigResourceType = keyof typeof RESOURCE_TYPES;

/** Something that has configs. A broker is named by its id; the name '' is the default of all brokers. */
export interface ConfigResource {
  readonly type: ConfigResourceType;
  readonly name: string;
}

const SOURCES = [
  'UNKNOWN',
  'DYNAMIC_TOPIC_CONFIG',
  'DYNAMIC_BROKER_CONFIG',
  'DYNAMIC_DEFAULT_BROKER_CONFIG',
  'STATIC_BROKER_CONFIG',
  'DEFAULT_CONFIG',
  'DYNAMIC_BROKER_LOGGER_CONFIG',
  'CLIENT_METRICS_CONFIG',
  'GROUP_CONFIG',
] as const;

const TYPES = [
  'UNKNOWN',
  'BOOLEAN',
  'STRING',
  'INT',
  'SHORT',
  'LONG',
  'DOUBLE',
  'LIST',
  'CLASS',
  'PASSWORD',
] as const;

/** Where a value comes from, by Kafka's names. */
export type ConfigSource = (typeof SOURCES)[number];
/** Of which type a value is, by Kafka's names. */
export type ConfigType = (typeof TYPES)[number];

/** A config of a resource, with the value in force. */
export interface ConfigEntry {
  readonly name: string;
  /** Null when it is sensitive or not set. */
  readonly value: string | null;
  readonly source: ConfigSource;
  readonly type: ConfigType;
  readonly isDefault: boolean;
  readonly isReadOnly: boolean;
  readonly isSensitive: boolean;
  /** Where the value would come from, most specific first; empty unless asked for. */
  readonly synonyms: readonly {
    readonly name: string;
    readonly value: string | null;
    readonly source: ConfigSource;
  }[];
  /** Undefined unless asked for. */
  readonly documentation: string | undefined;
}

/** Which configs, and how much about each. */
export interface DescribeConfigsOptions extends CallLimits {
  /** Only these keys. */
  readonly keys?: readonly string[];
  readonly includeSynonyms?: boolean;
  readonly includeDocumentation?: boolean;
}

/** A change of one key: set it, go back to the default, or change a list. */
export type ConfigChange =
  | { readonly set: string | number | boolean }
  | { readonly append: string }
  | { readonly subtract: string }
  | { readonly delete: true };

/** Changes by key; a plain value sets the key. */
export type ConfigChanges = Readonly<Record<string, ConfigChange | string | number | boolean>>;

/** How configs are changed. */
export interface AlterConfigsOptions extends CallLimits {
  /** Checks, and changes nothing. */
  readonly validateOnly?: boolean;
}

/** Configs of topics, brokers, groups and client metrics. */
export class ConfigsAdmin {
  readonly #requests: AdminRequests;

  constructor(requests: AdminRequests) {
    this.#requests = requests;
  }

  /** The configs of a resource, by key. */
  describe(resource: ConfigResource, options?: DescribeConfigsOptions): Promise<Map<string, ConfigEntry>>;
  /** Of several, each with an outcome of its own. */
  describe(
    resources: readonly ConfigResource[],
    options?: DescribeConfigsOptions,
  ): Promise<PerItem<Map<string, ConfigEntry>, ConfigResource>>;
  async describe(
    resources: ConfigResource | readonly ConfigResource[],
    options: DescribeConfigsOptions = {},
  ): Promise<Map<string, ConfigEntry> | PerItem<Map<string, ConfigEntry>, ConfigResource>> {
    const isMany = Array.isArray(resources);
    const list = (isMany ? resources : [resources]) as readonly ConfigResource[];
    const results = await this.#each('Describing configs', list, options, (target, group, attempt) =>
      this.#describe(target, group, { attempt, options }),
    );
    return isMany ? results : only(results);
  }

  /** Changes configs of a resource; keys that are not named stay as they are. */
  alter(resource: ConfigResource, changes: ConfigChanges, options: AlterConfigsOptions = {}): Promise<void> {
    return this.alterAll(new Map([[resource, changes]]), options).then((results) => only(results));
  }

  /** Changes configs of several resources, each with an outcome of its own. */
  alterAll(
    changes: ReadonlyMap<ConfigResource, ConfigChanges>,
    options: AlterConfigsOptions = {},
  ): Promise<PerItem<undefined, ConfigResource>> {
    return this.#each('Changing configs', [...changes.keys()], options, async (target, group, attempt) => {
      const body = {
        resources: group.map((resource) => ({
          resourceType: RESOURCE_TYPES[resource.type],
          resourceName: resource.name,
          configs: Object.entries(changes.get(resource)!).map(([name, change]) => ({
            name,
            ...operation(change),
          })),
        })),
        validateOnly: options.validateOnly ?? false,
      };
      const answer = await this.#requests.send(target, { api: apis.incrementalAlterConfigs, body }, attempt);
      return match(group, answer.responses, ({ errorCode, errorMessage }, what) =>
        errorOf(errorCode, errorMessage, what),
      );
    });
  }

  /** Resources that have configs (KIP-1142); brokers before 4.1 only know clientMetrics. */
  async listResources(
    types: readonly ConfigResourceType[] = [],
    options: CallLimits = {},
  ): Promise<ConfigResource[]> {
    const body = (version: number): object =>
      version >= 1 ? { resourceTypes: types.map((type) => RESOURCE_TYPES[type]) } : {};
    const minVersion = types.some((type) => type !== 'clientMetrics') || types.length === 0 ? 1 : 0;
    return this.#requests.ask(
      'any',
      { api: apis.listConfigResources, body, minVersion },
      options,
      (answer) => {
        throwIfError(answer.errorCode);
        return answer.configResources.flatMap(({ resourceName, resourceType }) => {
          const type = typeNamed(resourceType);
          return type === undefined ? [] : [{ type, name: resourceName }];
        });
      },
    );
  }

  async #describe(
    target: number | 'any',
    group: readonly ConfigResource[],
    { attempt, options }: { readonly attempt: Attempt; readonly options: DescribeConfigsOptions },
  ): Promise<Outcomes<ConfigResource, Map<string, ConfigEntry>>> {
    const body = {
      resources: group.map(({ type, name }) => ({
        resourceType: RESOURCE_TYPES[type],
        resourceName: name,
        configurationKeys: options.keys ?? null,
      })),
      includeSynonyms: options.includeSynonyms ?? false,
      ...(options.includeDocumentation === true && { includeDocumentation: true }),
    };
    const answer = await this.#requests.send(target, { api: apis.describeConfigs, body }, attempt);
    return match(group, answer.results, (result, what) =>
      result.errorCode === ErrorCodes.NONE
        ? new Map(result.configs.map((config) => [config.name, entryOf(config)]))
        : brokerError(result.errorCode, result.errorMessage, what),
    );
  }

  /** What concerns one broker goes to that broker, everything else to any. */
  async #each<T>(
    what: string,
    resources: readonly ConfigResource[],
    options: CallLimits,
    send: (
      target: number | 'any',
      group: readonly ConfigResource[],
      attempt: Attempt,
    ) => Promise<Outcomes<ConfigResource, T>>,
  ): Promise<Map<ConfigResource, T | KafkaError>> {
    const groups = groupBy(resources, ({ type, name }) =>
      (type === 'broker' || type === 'brokerLogger') && name !== '' ? Number(name) : ('any' as const),
    );
    const results = new Map<ConfigResource, T | KafkaError>();
    await Promise.all(
      [...groups].map(async ([target, group]) => {
        const outcomes = await this.#requests.toController(what, group, options, (pending, attempt) =>
          send(target, pending, attempt),
        );
        for (const [resource, outcome] of outcomes) results.set(resource, outcome);
      }),
    );
    return new Map(resources.map((resource) => [resource, results.get(resource)!]));
  }
}

function typeNamed(number: number): ConfigResourceType | undefined {
  return (Object.keys(RESOURCE_TYPES) as ConfigResourceType[]).find(
    (type) => RESOURCE_TYPES[type] === number,
  );
}

/** Finds each resource's part of an answer. */
function match<A extends { readonly resourceType: number; readonly resourceName: string }, T>(
  group: readonly ConfigResource[],
  answers: readonly A[],
  outcome: (answer: A, what: string) => T,
): [ConfigResource, T][] {
  return group.flatMap((resource): [ConfigResource, T][] => {
    const answer = answers.find(
      ({ resourceType, resourceName }) =>
        resourceType === RESOURCE_TYPES[resource.type] && resourceName === resource.name,
    );
    return answer === undefined ? [] : [[resource, outcome(answer, `${resource.type} "${resource.name}"`)]];
  });
}

const OPERATIONS = { set: 0, delete: 1, append: 2, subtract: 3 } as const;

function operation(change: ConfigChange | string | number | boolean): {
  configOperation: number;
  value: string | null;
} {
  if (typeof change === 'object' && 'delete' in change)
    return { configOperation: OPERATIONS.delete, value: null };
  if (typeof change !== 'object') return { configOperation: OPERATIONS.set, value: String(change) };
  if ('set' in change) return { configOperation: OPERATIONS.set, value: String(change.set) };
  if ('append' in change) return { configOperation: OPERATIONS.append, value: change.append };
  return { configOperation: OPERATIONS.subtract, value: change.subtract };
}

interface EntryAnswer {
  readonly name: string;
  readonly value: string | null;
  readonly readOnly: boolean;
  readonly configSource: number;
  readonly isSensitive: boolean;
  readonly synonyms: readonly {
    readonly name: string;
    readonly value: string | null;
    readonly source: number;
  }[];
  readonly configType: number;
  readonly documentation: string | null;
}

function entryOf(entry: EntryAnswer): ConfigEntry {
  const source = nameAt(SOURCES, entry.configSource);
  return {
    name: entry.name,
    value: entry.value,
    source,
    type: nameAt(TYPES, entry.configType),
    isDefault: source === 'DEFAULT_CONFIG',
    isReadOnly: entry.readOnly,
    isSensitive: entry.isSensitive,
    synonyms: entry.synonyms.map((synonym) => ({ ...synonym, source: nameAt(SOURCES, synonym.source) })),
    documentation: entry.documentation ?? undefined,
  };
}
