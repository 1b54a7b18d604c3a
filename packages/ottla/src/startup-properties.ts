import { brokerKeys, findKey, parseOverride, parseProperties } from '@ottla/broker';

/**
 * What `ottla start` without a file starts: one node for this machine, with the values that Kafka's own single-node
 * configuration sets beside its defaults.
 */
const SINGLE_NODE_PROPERTIES: Readonly<Record<string, string>> = {
  'process.roles': 'broker,controller',
  'node.id': '1',
  listeners: 'PLAINTEXT://127.0.0.1:9092',
  'log.dirs': './data',
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
};

export interface PropertySources {
  /** Text of a `server.properties` file; null: the single node above. */
  readonly file: string | null;
  /** `KAFKA_` variables as container images know them: `KAFKA_LOG_DIRS` sets `log.dirs`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `key=value` texts of the command line. */
  readonly overrides: readonly string[];
}

/**
 * The broker's properties: file (or defaults), over that the environment, over that the command line.
 * @throws ConfigError for an override that is not `key=value`
 */
export function startupProperties(sources: PropertySources): Map<string, string> {
  const properties =
    sources.file === null ? new Map(Object.entries(SINGLE_NODE_PROPERTIES)) : parseProperties(sources.file);
  for (const [variable, value] of Object.entries(sources.environment)) {
    const name = propertyOfVariable(variable);
    if (name !== null && value !== undefined) properties.set(name, value);
  }
  for (const text of sources.overrides) {
    const [name, value] = parseOverride(text);
    properties.set(name, value);
  }
  return properties;
}

/** The property that a variable means; null when it is none, such as `KAFKA_HEAP_OPTS`. */
function propertyOfVariable(variable: string): string | null {
  const match = /^KAFKA_([A-Z0-9_]+)$/.exec(variable);
  if (match === null) return null;
  const name = (match[1] ?? '').toLowerCase().replaceAll('_', '.');
  return findKey(brokerKeys, name) === undefined ? null : name;
}
