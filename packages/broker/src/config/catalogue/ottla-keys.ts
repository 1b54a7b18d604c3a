import type { ConfigKeys } from '../config-key.ts';

/** Broker keys that Kafka does not have. */
export const ottlaBrokerKeys = {
  'write.caching': {
    type: 'boolean',
    default: 'false',
    importance: 'high',
    scope: 'cluster-wide',
    honoured: true,
    doc: 'Default of the topic key `write.caching`: true acknowledges acks=all from the page cache as Kafka does, false only after fdatasync.',
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
    doc: 'True acknowledges acks=all from the page cache, as Kafka does: faster, but a power cut can lose what was acknowledged. False waits for a grouped fdatasync.',
  },
} as const satisfies ConfigKeys;
