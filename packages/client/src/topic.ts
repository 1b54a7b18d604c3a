import { OptionError } from './errors/client-errors.ts';
import type { Serde } from './serde/serde.ts';
import { serde } from './serde/serdes.ts';

/** A topic with the types of its keys and values; made by `topic()`. */
export interface Topic<K = unknown, V = unknown> {
  readonly name: string;
  readonly key: Serde<K>;
  readonly value: Serde<V>;
  /** For `admin.topics.create` and `ensure`; the broker's default when absent. */
  readonly partitions: number | undefined;
  readonly replicationFactor: number | undefined;
  /** Kafka's topic configs by their names: `{ 'cleanup.policy': 'compact' }`. */
  readonly configs: Readonly<Record<string, string>>;
}

/** The type of a topic's keys. */
export type KeyOf<T> = T extends Topic<infer K, infer _V> ? K : never;

/** The type of a topic's values. */
export type ValueOf<T> = T extends Topic<infer _K, infer V> ? V : never;

/** What a topic is made of; absent numbers are the broker's defaults when it is created. */
export interface TopicOptions<K, V> {
  /** Default: text that may be absent. */
  readonly key?: Serde<K>;
  /** Default: text. */
  readonly value?: Serde<V>;
  readonly partitions?: number;
  readonly replicationFactor?: number;
  readonly configs?: Readonly<Record<string, string | number | boolean>>;
}

/**
 * Declares a topic: its name, how keys and values become bytes and, for creating it, its shape. Nothing is sent.
 * @throws OptionError for a name that Kafka does not allow
 *
 * @example
 * const orders = topic('orders', { key: serde.string, value: serde.json<{ total: number }>(), partitions: 6 });
 */
export function topic<K = string | null, V = string>(
  name: string,
  options: TopicOptions<K, V> = {},
): Topic<K, V> {
  checkTopicName(name);
  return {
    name,
    key: options.key ?? (serde.nullable(serde.string) as Serde<unknown> as Serde<K>),
    value: options.value ?? (serde.string as Serde<unknown> as Serde<V>),
    partitions: options.partitions,
    replicationFactor: options.replicationFactor,
    configs: Object.fromEntries(
      Object.entries(options.configs ?? {}).map(([key, value]) => [key, String(value)]),
    ),
  };
}

/** Longest topic name that Kafka allows. */
const MAX_NAME_LENGTH = 249;

function checkTopicName(name: string): void {
  const problem =
    typeof name !== 'string' || name === ''
      ? 'it is empty'
      : name === '.' || name === '..'
        ? 'it is a folder name'
        : name.length > MAX_NAME_LENGTH
          ? `it is longer than ${MAX_NAME_LENGTH} characters`
          : /[^a-zA-Z0-9._-]/.test(name)
            ? 'only letters, digits, ".", "_" and "-" are allowed'
            : null;
  if (problem !== null) throw new OptionError(`Topic name "${name}" is not valid: ${problem}`);
}
