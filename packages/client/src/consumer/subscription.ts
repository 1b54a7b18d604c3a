import type { TopicPartition } from '../admin/admin-requests.ts';
import type { ClusterMetadata } from '../cluster/metadata.ts';
import { OptionError } from '../errors/client-errors.ts';
import type { Serde } from '../serde/serde.ts';
import { topic as declareTopic, type Topic } from '../topic.ts';
import type { Message } from './delivery/message.ts';
import type { TopicSerdes } from './delivery/record-run.ts';

/** Topics whose whole name matches. With `groupProtocol: 'consumer'` the broker matches (RE2J), otherwise the client. */
export interface TopicPattern<K = unknown, V = unknown> {
  readonly pattern: RegExp | string;
  /** Default: text that may be absent. */
  readonly key?: Serde<K>;
  /** Default: text. */
  readonly value?: Serde<V>;
}

/** Partitions chosen by hand: no rebalance takes them away. */
export interface ManualAssignment<K = unknown, V = unknown> {
  /** `offset` is where to begin; without it the group's committed offset, else `from`. */
  readonly partitions: readonly (TopicPartition & { readonly offset?: number })[];
  readonly key?: Serde<K>;
  readonly value?: Serde<V>;
}

/** Any `Topic`, said in a way from which no types of keys and values are inferred for it. */
interface AnyTopic {
  readonly name: string;
  readonly key: object;
  readonly value: object;
}

/** What a consumer reads. A plain name is the same as `topic(name)`: text. */
export type ConsumerSource =
  | string
  | AnyTopic
  | readonly (string | AnyTopic)[]
  | TopicPattern
  | ManualAssignment;

/** The type of the messages of a source; of several topics, a union. */
export type MessageOf<S> = S extends string
  ? Message<string | null, string>
  : S extends Topic<infer K, infer V>
    ? Message<K, V>
    : S extends readonly (infer E)[]
      ? MessageOf<E>
      : S extends { readonly key?: Serde<infer K>; readonly value?: Serde<infer V> }
        ? Message<unknown extends K ? string | null : K, unknown extends V ? string : V>
        : Message;

const DEFAULTS = declareTopic('defaults');

/** What a consumer wants to read, in one form. */
export class Subscription {
  /** Names; empty with a pattern or partitions. */
  readonly names: readonly string[];
  readonly pattern: RegExp | null;
  readonly manual: readonly (TopicPartition & { readonly offset?: number })[] | null;
  readonly #serdes = new Map<string, TopicSerdes>();
  readonly #fallback: TopicSerdes;

  /** @throws OptionError for a source that is none */
  constructor(source: ConsumerSource) {
    // JavaScript programs may pass anything.
    const given: ConsumerSource | undefined =
      typeof source === 'object' && source !== null ? source : undefined;
    const isList =
      Array.isArray(source) || typeof source === 'string' || (given !== undefined && 'name' in given);
    this.#fallback = serdesOf(isList ? DEFAULTS : ((given ?? {}) as TopicPattern));
    this.names = [];
    this.pattern = null;
    this.manual = null;
    if (isList)
      this.names = this.#takeTopics((Array.isArray(source) ? source : [source]) as (string | AnyTopic)[]);
    else if (given !== undefined && 'pattern' in given) this.pattern = wholePattern(given.pattern);
    else if (given !== undefined && 'partitions' in given) this.manual = checkedPlaces(given.partitions);
    else
      throw new OptionError(
        'What to consume is missing; give a topic, a list of topics, { pattern } or { partitions }',
      );
    if (this.manual === null && this.pattern === null && this.names.length === 0)
      throw new OptionError('The list of topics to consume is empty; name at least one');
  }

  /** How records of a topic are read. */
  serdesOf(topic: string): TopicSerdes {
    return this.#serdes.get(topic) ?? this.#fallback;
  }

  /** The topics of the subscription that exist, as the metadata has them. */
  topicsIn(metadata: ClusterMetadata, excludeInternal: boolean): string[] {
    const { pattern } = this;
    if (pattern === null) return [...this.names];
    return [...metadata.topics.values()]
      .filter(({ name, isInternal }) => pattern.test(name) && !(excludeInternal && isInternal))
      .map(({ name }) => name)
      .sort();
  }

  #takeTopics(topics: readonly (string | AnyTopic)[]): string[] {
    const names = topics.map((each) => {
      const declared: AnyTopic =
        typeof each === 'string' ? (declareTopic(each) as unknown as AnyTopic) : each;
      this.#serdes.set(declared.name, { key: declared.key, value: declared.value } as TopicSerdes);
      return declared.name;
    });
    return [...new Set(names)];
  }
}

function serdesOf(source: { readonly key?: unknown; readonly value?: unknown }): TopicSerdes {
  return { key: source.key ?? DEFAULTS.key, value: source.value ?? DEFAULTS.value } as TopicSerdes;
}

function checkedPlaces(places: NonNullable<Subscription['manual']>): NonNullable<Subscription['manual']> {
  if (!Array.isArray(places))
    throw new OptionError(
      `partitions is no list; give [{ topic, partition }], with the offset to begin at if need be`,
    );
  for (const { topic, partition, offset } of places) {
    if (typeof topic !== 'string' || topic === '')
      throw new OptionError(`partitions has the topic "${String(topic)}"; give its name`);
    if (!isCount(partition))
      throw new OptionError(`Partition "${String(partition)}" of "${topic}" is not an integer of at least 0`);
    if (offset !== undefined && !isCount(offset)) {
      throw new OptionError(
        `Offset "${String(offset)}" to begin ${topic}-${partition} at is not an integer of at least 0; leave it out for the ` +
          'committed one, else `from`, or seek to "beginning", "end" or a time',
      );
    }
  }
  return places;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Java matches the whole name, and so do we. */
function wholePattern(pattern: RegExp | string): RegExp {
  try {
    if (typeof pattern === 'string') return new RegExp(`^(?:${pattern})$`);
    return new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace(/[gy]/g, ''));
  } catch (error) {
    throw new OptionError(`The pattern "${String(pattern)}" is no regular expression`, error);
  }
}
