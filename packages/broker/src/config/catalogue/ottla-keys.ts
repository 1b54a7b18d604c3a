import type { ConfigKeys } from '../config-key.ts';

/** Broker keys that Kafka does not have. */
export const ottlaBrokerKeys = {
  'write.caching': {
    type: 'boolean',
    default: 'false',
    importance: 'high',
    scope: 'cluster-wide',
    honoured: true,
    doc: 'Default of the topic key `write.caching`: whether acks=all is answered from the page cache or after fdatasync',
  },
} as const satisfies ConfigKeys;

/** Topic keys that Kafka does not have. */
export const ottlaTopicKeys = {
  'write.caching': {
    type: 'boolean',
    default: 'false',
    importance: 'high',
    synonyms: ['write.caching'],
    honoured: true,
    doc: 'True answers acks=all from the page cache, as Kafka does, and a power cut may lose records; false waits for a grouped fdatasync',
  },
} as const satisfies ConfigKeys;
