/** Kafka's `ConfigDef.Type`, in lower case. */
export type ConfigType =
  | 'boolean'
  | 'string'
  | 'int'
  | 'short'
  | 'long'
  | 'double'
  | 'list'
  | 'class'
  | 'password';

/** What a value must satisfy beyond its type, as data: `ensureValid` checks it, the docs print it. */
export type Validator =
  | { readonly kind: 'range'; readonly min: number; readonly max?: number; readonly or?: number }
  | { readonly kind: 'one-of'; readonly values: readonly string[]; readonly ignoreCase: boolean }
  | {
      readonly kind: 'list';
      readonly values: readonly string[];
      readonly emptyAllowed: boolean;
      readonly nullAllowed: boolean;
    }
  | {
      readonly kind:
        | 'non-empty'
        | 'non-null'
        | 'throttled-replicas'
        | 'quorum-voters'
        | 'quorum-bootstrap-servers'
        | 'auto-offset-reset';
    };

/** How a broker key may change while the broker runs; absent in a declaration: `read-only`. */
export type DynamicScope = 'read-only' | 'per-broker' | 'cluster-wide';

/** The declaration of one configuration key: everything that parser, validation, DescribeConfigs and docs know of it. */
export interface ConfigKey {
  readonly type: ConfigType;
  /** The default as Kafka prints it; null: none. Kept as text because an int64 default does not fit a number exactly. */
  readonly default: string | null;
  /** Without a default, the key must be set. */
  readonly required?: true;
  readonly validator?: Validator;
  readonly importance: 'high' | 'medium' | 'low';
  readonly scope?: Exclude<DynamicScope, 'read-only'>;
  /**
   * Of a broker key: all keys that set the same thing, most specific first (`log.retention.ms`, `.minutes`, `.hours`).
   * Of a topic or group key: the broker keys that give its default, in the same order.
   */
  readonly synonyms?: readonly string[];
  /** Kept out of DescribeConfigs, as Kafka does with keys made for its own tests. */
  readonly internal?: true;
  /** Ottla acts on it. The others are accepted, validated and described, and listed in GAPS.md. */
  readonly honoured?: true;
  readonly doc: string;
}

/** A table of declarations by key name. */
export type ConfigKeys = Readonly<Record<string, ConfigKey>>;

/** The largest and smallest int64 as text; as numbers they saturate at +-(2^53-1). */
export const MAX_LONG_TEXT = '9223372036854775807';
export const MIN_LONG_TEXT = '-9223372036854775808';

/** A password: prints as `[hidden]` wherever it ends up by accident. */
export class Password {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The secret itself. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  /** What `console.log` and `util.inspect` show. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return HIDDEN;
  }
}

/** Stands for every password in what people or clients read. */
export const HIDDEN = '[hidden]';

type ScalarOf<Type extends ConfigType> = Type extends 'boolean'
  ? boolean
  : Type extends 'int' | 'short' | 'long' | 'double'
    ? number
    : Type extends 'list'
      ? readonly string[]
      : Type extends 'password'
        ? Password
        : string;

/** The TypeScript type of a key's parsed value, `null` included when nothing need be set. */
export type ConfigValueOf<Key extends ConfigKey> = Key extends { readonly required: true }
  ? ScalarOf<Key['type']>
  : Key['default'] extends null
    ? ScalarOf<Key['type']> | null
    : ScalarOf<Key['type']>;

/** The parsed values of a whole table, by key name. */
export type ConfigValuesOf<Keys extends ConfigKeys> = {
  readonly [Name in keyof Keys]: ConfigValueOf<Keys[Name]>;
};

/** Any parsed value. */
export type ConfigValue = boolean | number | string | readonly string[] | Password | null;

/** `[min, ...]` */
export function atLeast(min: number): Validator {
  return { kind: 'range', min };
}

/** `[min, ..., max]`, or the one value `or` outside of it. */
export function between(min: number, max: number, or?: number): Validator {
  return or === undefined ? { kind: 'range', min, max } : { kind: 'range', min, max, or };
}

/** One of the texts exactly. */
export function oneOf(...values: string[]): Validator {
  return { kind: 'one-of', values, ignoreCase: false };
}

/** One of the texts in any case. */
export function oneOfIgnoringCase(...values: string[]): Validator {
  return { kind: 'one-of', values, ignoreCase: true };
}

/** A list without duplicates or empty items, of the given values if there are any. */
export function listOf(
  options: { values?: readonly string[]; emptyAllowed?: false; nullAllowed?: true } = {},
): Validator {
  return {
    kind: 'list',
    values: options.values ?? [],
    emptyAllowed: options.emptyAllowed ?? true,
    nullAllowed: options.nullAllowed ?? false,
  };
}

/** A text with at least one character. */
export function nonEmpty(): Validator {
  return { kind: 'non-empty' };
}

/** Anything but null. */
export function nonNull(): Validator {
  return { kind: 'non-null' };
}

/** `*` or a list of `partition:broker`. */
export function throttledReplicas(): Validator {
  return { kind: 'throttled-replicas' };
}

/** A list of `id@host:port`. */
export function quorumVoters(): Validator {
  return { kind: 'quorum-voters' };
}

/** A list of `host:port`. */
export function quorumBootstrapServers(): Validator {
  return { kind: 'quorum-bootstrap-servers' };
}

/** `earliest`, `latest` or `by_duration:` with an ISO-8601 duration (KIP-932). */
export function autoOffsetReset(): Validator {
  return { kind: 'auto-offset-reset' };
}
