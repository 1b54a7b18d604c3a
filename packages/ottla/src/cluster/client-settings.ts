import type { ConsumerOptions, ProducerOptions } from '@ottla/client';
import { nearestName } from '@ottla/platform';
import { UsageError } from './run-on-cluster.ts';

/** How the text of a property becomes the value of an option. */
type Kind = 'number' | 'boolean' | 'text';

type Names<T> = Readonly<Record<string, readonly [keyof T, Kind]>>;

/** Kafka's properties of a producer, by the options that they are here. */
const producerNames: Names<ProducerOptions> = {
  acks: ['acks', 'text'],
  'enable.idempotence': ['idempotence', 'boolean'],
  'transactional.id': ['transactionalId', 'text'],
  'transaction.timeout.ms': ['transactionTimeoutMs', 'number'],
  'compression.type': ['compression', 'text'],
  'linger.ms': ['lingerMs', 'number'],
  'batch.size': ['batchSizeBytes', 'number'],
  'buffer.memory': ['bufferMemoryBytes', 'number'],
  'max.block.ms': ['maxBlockMs', 'number'],
  'max.request.size': ['maxRequestSizeBytes', 'number'],
  'max.in.flight.requests.per.connection': ['maxInFlightRequests', 'number'],
  'delivery.timeout.ms': ['deliveryTimeoutMs', 'number'],
  retries: ['retries', 'number'],
  'partitioner.adaptive.partitioning.enable': ['adaptivePartitioning', 'boolean'],
};

/** Those of a consumer. */
const consumerNames: Names<ConsumerOptions> = {
  'group.id': ['group', 'text'],
  'group.instance.id': ['groupInstanceId', 'text'],
  'group.protocol': ['groupProtocol', 'text'],
  'group.remote.assignor': ['remoteAssignor', 'text'],
  'auto.offset.reset': ['from', 'text'],
  'auto.commit.interval.ms': ['autoCommitIntervalMs', 'number'],
  'isolation.level': ['isolationLevel', 'text'],
  'fetch.min.bytes': ['fetchMinBytes', 'number'],
  'fetch.max.bytes': ['fetchMaxBytes', 'number'],
  'fetch.max.wait.ms': ['fetchMaxWaitMs', 'number'],
  'max.partition.fetch.bytes': ['maxPartitionFetchBytes', 'number'],
  'check.crcs': ['checkCrcs', 'boolean'],
  'session.timeout.ms': ['sessionTimeoutMs', 'number'],
  'heartbeat.interval.ms': ['heartbeatIntervalMs', 'number'],
  'max.poll.interval.ms': ['maxPollIntervalMs', 'number'],
  'exclude.internal.topics': ['excludeInternalTopics', 'boolean'],
};

/** Properties that say how a Java program decodes, or what its tools print: nothing here needs them. */
const WITHOUT_MEANING = /^(?:key|value)\.(?:de)?serializer$|^(?:metric\.reporters|interceptor\.classes)$/;

/**
 * Options of a producer from Kafka's properties, as its tools take them.
 * @throws UsageError for a value that is no number or boolean where one is needed
 */
export function producerSettings(properties: ReadonlyMap<string, string>): ProducerOptions {
  const { acks, ...options } = settingsOf(properties, producerNames) as { acks?: string };
  return acks === undefined ? options : { ...options, acks: acksOf(acks) };
}

/** Who has to have a record, as people write it. @throws UsageError for anything else */
export function acksOf(text: string): 'all' | 0 | 1 | -1 {
  const acks = text.trim();
  if (acks !== 'all' && acks !== '-1' && acks !== '0' && acks !== '1')
    throw new UsageError(`acks "${text}" is not all, 1 or 0`);
  return acks === 'all' ? acks : (Number(acks) as 0 | 1 | -1);
}

/** The same for a consumer. */
export function consumerSettings(properties: ReadonlyMap<string, string>): ConsumerOptions {
  return settingsOf(properties, consumerNames) as ConsumerOptions;
}

function settingsOf<T>(properties: ReadonlyMap<string, string>, names: Names<T>): object {
  const options: Record<string, unknown> = {};
  for (const [name, text] of properties) {
    const known = Object.hasOwn(names, name) ? names[name] : undefined;
    if (known === undefined) warnOfUnknown(name, names);
    else options[known[0] as string] = valueOf(name, text.trim(), known[1]);
  }
  return options;
}

function valueOf(name: string, text: string, kind: Kind): string | number | boolean {
  if (kind === 'text') return text;
  if (kind === 'number') {
    if (!/^-?\d+$/.test(text)) throw new UsageError(`Property ${name} "${text}" is not a whole number`);
    return Number(text);
  }
  if (text !== 'true' && text !== 'false')
    throw new UsageError(`Property ${name} "${text}" is neither true nor false`);
  return text === 'true';
}

/** A file for several programs may hold properties of the others: they are told of, and left alone. */
function warnOfUnknown(name: string, names: Readonly<Record<string, unknown>>): void {
  const ofTheOther = Object.hasOwn(producerNames, name) || Object.hasOwn(consumerNames, name);
  if (ofTheOther || WITHOUT_MEANING.test(name)) return;
  const nearest = nearestName(name, Object.keys(names));
  const hint = nearest === null ? '' : `; did you mean "${nearest}"?`;
  process.stderr.write(`ottla: Property "${name}" is not known here and has no effect${hint}\n`);
}
