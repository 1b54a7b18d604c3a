import type { MessageDecoder, MessageEncoder } from '../codec/compiled-codec.ts';
import type { Fields, FieldsValue } from './field.ts';
import { parseVersions } from './version-range.ts';

export type MessageType =
  | 'request'
  | 'response'
  | 'header'
  | 'data'
  | 'metadata'
  | 'coordinator-key'
  | 'coordinator-value';

/** Who serves an API: brokers, KRaft controllers, or both. */
export type ApiListener = 'broker' | 'controller';

/** The facts of a message besides its fields. */
export interface MessageFacts {
  /** Key of the API, or of the record type in its log; absent when the message has none. */
  readonly apiKey?: number;
  readonly versions: string;
  /** Versions in KIP-482's flexible encoding. */
  readonly flexible: string;
  readonly listeners?: readonly ApiListener[];
  /** The highest version is not yet stable in this Kafka release: not to be announced. */
  readonly unstable?: boolean;
}

/**
 * A declared message: its facts, its fields, and the codecs compiled so far. `T` is the type of a decoded message.
 * The fields come from a function, so that loading a declaration costs next to nothing until it is used.
 */
export class MessageSchema<T> {
  readonly name: string;
  readonly type: MessageType;
  /** -1 when the message has none. */
  readonly apiKey: number;
  readonly minVersion: number;
  readonly maxVersion: number;
  /** Infinity when no version is flexible. */
  readonly firstFlexibleVersion: number;
  readonly listeners: readonly ApiListener[];
  readonly latestVersionUnstable: boolean;
  /** Compiled codecs by version; filled by `codec/codec.ts` on first use. */
  readonly decoders: (MessageDecoder<T> | undefined)[] = [];
  readonly encoders: (MessageEncoder | undefined)[] = [];
  readonly #declare: () => Fields;
  #fields: Fields | undefined;

  constructor(name: string, type: MessageType, facts: MessageFacts, declare: () => Fields) {
    const versions = parseVersions(facts.versions);
    this.name = name;
    this.type = type;
    this.apiKey = facts.apiKey ?? -1;
    this.minVersion = versions.min;
    this.maxVersion = versions.max;
    this.firstFlexibleVersion = parseVersions(facts.flexible).min;
    this.listeners = facts.listeners ?? [];
    this.latestVersionUnstable = facts.unstable ?? false;
    this.#declare = declare;
  }

  /** The declared fields in wire order. */
  get fields(): Fields {
    return (this.#fields ??= this.#declare());
  }

  isFlexible(version: number): boolean {
    return version >= this.firstFlexibleVersion;
  }

  supports(version: number): boolean {
    return version >= this.minVersion && version <= this.maxVersion;
  }
}

/** The type of a decoded message: every field present. */
export type Infer<S> = S extends MessageSchema<infer T> ? T : never;

/**
 * What encoding accepts: absent fields take their defaults, and byte fields may be lists of buffers, written one after
 * the other without being joined.
 */
export type MessageInput<T> = T extends Buffer
  ? Buffer | readonly Buffer[]
  : T extends readonly (infer E)[]
    ? readonly MessageInput<E>[]
    : T extends object
      ? { readonly [K in keyof T]?: MessageInput<T[K]> | undefined }
      : T;

type Declare = <const F extends Fields>(
  name: string,
  facts: MessageFacts,
  fields: () => F,
) => MessageSchema<FieldsValue<F>>;

function declarer(type: MessageType): Declare {
  return (name, facts, fields) => new MessageSchema(name, type, facts, fields);
}

export const request = declarer('request');
export const response = declarer('response');
export const header = declarer('header');
export const data = declarer('data');
export const metadataRecord = declarer('metadata');
export const coordinatorKey = declarer('coordinator-key');
export const coordinatorValue = declarer('coordinator-value');
