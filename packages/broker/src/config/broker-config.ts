import { brokerKeys, type BrokerKeyName, type BrokerValues, findKey, keyEntries } from './catalogue.ts';
import { checkBrokerRules } from './broker-rules.ts';
import type { ConfigValue } from './config-key.ts';
import { keyOfProperty, usableDynamicConfigs } from './dynamic-configs.ts';
import { type Listeners, resolveListeners } from './listeners.ts';
import { nearestName, type SocketBuffers } from '@ottla/platform';
import { defaultValue, parseValue } from './parse-value.ts';

/**
 * What Kafka demands to be set and a single Ottla node can do without: its controller is embedded and binds no listener
 * of its own. Filled in under whatever the user sets.
 */
const embeddedProperties = {
  'process.roles': 'broker,controller',
  'node.id': '1',
  'controller.listener.names': 'CONTROLLER',
} as const;

/** Of 100 KiB to 2 MiB, consumers with Java's and with Node's sockets were fastest with about this much. */
const SEND_BUFFER_BYTES = 512 * 1024;

/** The places where a broker key can be set, weakest first. */
export interface ConfigLayers {
  /** The properties as the user set them, completed by their aliases (`broker.id` for `node.id`). */
  readonly static: ReadonlyMap<string, string>;
  /** Dynamic configs of all brokers. */
  readonly clusterWide: ReadonlyMap<string, string>;
  /** Dynamic configs of this broker. */
  readonly ofBroker: ReadonlyMap<string, string>;
}

const NONE: ReadonlyMap<string, string> = new Map();

/**
 * The configuration of a broker: immutable, typed by key, whole. Made from the static properties; `withDynamic` gives
 * the one that is in force after the dynamic configs of the metadata image are laid over it.
 */
export class BrokerConfig {
  /** What was set where, for DescribeConfigs; dynamic layers hold only what can take effect. */
  readonly layers: ConfigLayers;
  /** All layers in one, as text. */
  readonly properties: ReadonlyMap<string, string>;
  readonly listeners: Listeners;
  readonly #values: BrokerValues;

  private constructor(layers: ConfigLayers) {
    this.layers = layers;
    this.properties = new Map([...layers.static, ...layers.clusterWide, ...layers.ofBroker]);
    this.#values = parseValues(this.properties);
    this.listeners = resolveListeners(this.#values, (name) => this.properties.has(name));
    checkBrokerRules(this, this.properties);
  }

  /**
   * Parses and validates the properties of a file and its overrides, already merged.
   * @throws ConfigError with Kafka's message
   */
  static parse(properties: ReadonlyMap<string, string>): BrokerConfig {
    return new BrokerConfig({ static: completeAliases(properties), clusterWide: NONE, ofBroker: NONE });
  }

  /**
   * The static configuration under the dynamic configs of the cluster and of this broker, as the metadata image has
   * them. What could not be set today (a read-only key, a value out of range) is left out, as Kafka does.
   * @throws ConfigError when what is left breaks a rule between keys
   */
  withDynamic(clusterWide: ReadonlyMap<string, string>, ofBroker: ReadonlyMap<string, string>): BrokerConfig {
    return new BrokerConfig({
      static: this.layers.static,
      clusterWide: usableDynamicConfigs(clusterWide, { perBroker: false }),
      ofBroker: usableDynamicConfigs(ofBroker, { perBroker: true }),
    });
  }

  /** The value in force of a key, by its Kafka name. */
  get<Name extends BrokerKeyName>(name: Name): BrokerValues[Name] {
    return this.#values[name];
  }

  /** The same for a name that only turns up at run time; undefined when there is no such key. */
  lookup(name: string): ConfigValue | undefined {
    return findKey(brokerKeys, name) === undefined ? undefined : this.#values[name as BrokerKeyName];
  }

  get nodeId(): number {
    return this.get('node.id');
  }

  /** The first of `controller.listener.names`, by which voters reach each other. */
  get controllerListenerName(): string {
    return this.get('controller.listener.names')?.[0] ?? embeddedProperties['controller.listener.names'];
  }

  /** `log.dirs`, else `log.dir`; without duplicates. */
  get logDirs(): readonly string[] {
    return this.get('log.dirs') ?? this.get('log.dir');
  }

  /** Where `__cluster_metadata-0` lives: `metadata.log.dir`, else the first log directory. */
  get metadataLogDir(): string {
    return this.get('metadata.log.dir') ?? this.logDirs[0] ?? '';
  }

  /**
   * `socket.send.buffer.bytes` and `socket.receive.buffer.bytes` where they are set. Kafka's default of 100 KiB makes a
   * sender wait often and suits no connection over a distance; buffers that the system sizes suit those, but hold so much
   * of an answer that the client's processor does the work of sending it.
   */
  get socketBuffers(): SocketBuffers {
    const isSet = (name: string): boolean => this.layers.static.has(name);
    return {
      sendBytes: isSet('socket.send.buffer.bytes') ? this.get('socket.send.buffer.bytes') : SEND_BUFFER_BYTES,
      receiveBytes: isSet('socket.receive.buffer.bytes') ? this.get('socket.receive.buffer.bytes') : -1,
    };
  }

  /** `log.retention.ms`, else minutes, else hours; -1: no limit. */
  get logRetentionMs(): number {
    const minutes = this.get('log.retention.minutes');
    const retentionMs =
      this.get('log.retention.ms') ??
      (minutes === null ? this.get('log.retention.hours') * 3_600_000 : minutes * 60_000);
    return retentionMs < 0 ? -1 : retentionMs;
  }

  /** `log.roll.ms`, else hours. */
  get logRollMs(): number {
    return this.get('log.roll.ms') ?? this.get('log.roll.hours') * 3_600_000;
  }

  /** `log.roll.jitter.ms`, else hours. */
  get logRollJitterMs(): number {
    return this.get('log.roll.jitter.ms') ?? this.get('log.roll.jitter.hours') * 3_600_000;
  }

  /** `log.flush.interval.ms`, else `log.flush.scheduler.interval.ms`. */
  get logFlushIntervalMs(): number {
    return this.get('log.flush.interval.ms') ?? this.get('log.flush.scheduler.interval.ms');
  }

  /**
   * Lines for the log at start: one for each unknown name, with the nearest known one, and one for all properties that
   * Kafka would act on and Ottla does not yet.
   */
  warnings(): string[] {
    const names = [...this.layers.static.keys()];
    const warnings = names.filter((name) => keyOfProperty(name) === null).map(unknownPropertyWarning);
    const withoutEffect = names.filter((name) => isWithoutEffect(name, this.layers.static.get(name) ?? ''));
    if (withoutEffect.length > 0) {
      warnings.push(`Not supported yet and without effect: ${withoutEffect.toSorted().join(', ')}`);
    }
    return warnings;
  }
}

function completeAliases(properties: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const completed = new Map(properties);
  const nodeId = properties.get('node.id');
  const brokerId = properties.get('broker.id');
  if (nodeId !== undefined && brokerId === undefined) completed.set('broker.id', nodeId);
  if (brokerId !== undefined && nodeId === undefined) completed.set('node.id', brokerId);
  for (const [name, value] of Object.entries(embeddedProperties)) {
    if (!completed.has(name)) completed.set(name, value);
  }
  return completed;
}

function parseValues(properties: ReadonlyMap<string, string>): BrokerValues {
  const values: Record<string, ConfigValue> = {};
  for (const [name, key] of keyEntries(brokerKeys)) {
    const text = properties.get(name);
    values[name] = text === undefined ? defaultValue(name, key) : parseValue(name, key, text);
  }
  return values as unknown as BrokerValues;
}

function unknownPropertyWarning(name: string): string {
  const nearest = nearestName(name, Object.keys(brokerKeys));
  const hint = nearest === null ? '' : `; did you mean "${nearest}"?`;
  return `Unknown property "${name}" has no effect${hint}`;
}

function isWithoutEffect(name: string, value: string): boolean {
  const key = findKey(brokerKeys, name);
  if (key === undefined) return keyOfProperty(name) !== null;
  return !key.honoured && key.default !== value.trim();
}
