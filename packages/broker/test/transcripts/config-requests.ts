import { ApiKeys } from '@ottla/protocol';
import type { TranscriptRequest } from './topic-requests.ts';

const { AlterConfigs, CreateTopics, DescribeConfigs, IncrementalAlterConfigs, ListConfigResources } = ApiKeys;

const TOPIC = 2;
const BROKER = 4;
const LOGGER = 8;
const METRICS = 16;
const GROUP = 32;
const SET = 0;
const DELETE = 1;
const APPEND = 2;
const SUBTRACT = 3;

type Operation = readonly [name: string, operation: number, value?: string | null];
type Resource = readonly [type: number, name: string, ...operations: Operation[]];

function incremental(resources: readonly Resource[], fields: object = {}, version = 1): TranscriptRequest {
  const body = {
    resources: resources.map(([resourceType, resourceName, ...operations]) => ({
      resourceType,
      resourceName,
      configs: operations.map(([name, configOperation, value = null]) => ({ name, configOperation, value })),
    })),
    validateOnly: false,
    ...fields,
  };
  return { apiKey: IncrementalAlterConfigs, version, body };
}

/** One resource, one request. */
function change(type: number, name: string, ...operations: Operation[]): TranscriptRequest {
  return incremental([[type, name, ...operations]]);
}

type Entry = readonly [name: string, value: string | null];

function legacy(
  resources: readonly (readonly [number, string, ...Entry[]])[],
  fields: object = {},
): TranscriptRequest {
  const body = {
    resources: resources.map(([resourceType, resourceName, ...entries]) => ({
      resourceType,
      resourceName,
      configs: entries.map(([name, value]) => ({ name, value })),
    })),
    validateOnly: false,
    ...fields,
  };
  return { apiKey: AlterConfigs, version: 2, body };
}

function show(
  type: number,
  name: string,
  keys: readonly string[] | null = null,
  fields: object = {},
): TranscriptRequest {
  const resources = [{ resourceType: type, resourceName: name, configurationKeys: keys }];
  return { apiKey: DescribeConfigs, version: 4, body: { resources, includeSynonyms: true, ...fields } };
}

function list(version: number, resourceTypes?: readonly number[]): TranscriptRequest {
  return { apiKey: ListConfigResources, version, body: resourceTypes === undefined ? {} : { resourceTypes } };
}

function everything(): TranscriptRequest[] {
  const topic = { name: 't1', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] };
  return [
    { apiKey: CreateTopics, version: 4, body: { topics: [topic], timeoutMs: 10_000, validateOnly: false } },
    show(TOPIC, 't1'),
    show(BROKER, '1'),
    show(BROKER, ''),
    show(GROUP, 'g1'),
    show(METRICS, 'm1'),
    ...[1, 2, 3].map((version) => ({ ...show(TOPIC, 't1', ['retention.ms', 'segment.ms']), version })),
  ];
}

function topicChanges(): TranscriptRequest[] {
  return [
    change(TOPIC, 't1', ['retention.ms', SET, '1000']),
    { ...change(TOPIC, 't1', ['retention.ms', SET, '1000']), version: 0 },
    change(TOPIC, 'absent', ['retention.ms', SET, '1000']),
    change(TOPIC, 'a/b', ['retention.ms', SET, '1000']),
    change(TOPIC, '', ['retention.ms', SET, '1000']),
    change(TOPIC, 't1', ['foo', SET, '1000']),
    change(TOPIC, 't1', ['retention.ms', SET, 'x']),
    change(TOPIC, 't1', ['retention.ms', SET], ['segment.ms', SET]),
    change(TOPIC, 't1', ['retention.ms', SET, '1'], ['retention.ms', DELETE]),
    incremental([
      [TOPIC, 't1', ['retention.ms', SET, '1']],
      [TOPIC, 't1', ['segment.ms', SET, '1']],
      [TOPIC, 't2', ['segment.ms', SET, '1']],
    ]),
    change(TOPIC, 't1', ['retention.ms', APPEND, '1']),
    change(TOPIC, 't1', ['retention.ms', SUBTRACT, '1']),
    change(TOPIC, 't1', ['cleanup.policy', APPEND, 'compact']),
    show(TOPIC, 't1', ['cleanup.policy', 'retention.ms']),
    change(TOPIC, 't1', ['cleanup.policy', APPEND, 'delete,compact']),
    change(TOPIC, 't1', ['cleanup.policy', SUBTRACT, 'delete']),
    show(TOPIC, 't1', ['cleanup.policy']),
    change(TOPIC, 't1', ['cleanup.policy', SUBTRACT, 'compact']),
    show(TOPIC, 't1', ['cleanup.policy']),
    change(TOPIC, 't1', ['cleanup.policy', SET, 'delete,delete']),
    show(TOPIC, 't1', ['cleanup.policy']),
    change(TOPIC, 't1', ['cleanup.policy', SET, ' delete , compact '], ['retention.ms', SET, ' +0500 ']),
    show(TOPIC, 't1', ['cleanup.policy', 'retention.ms']),
    change(TOPIC, 't1', ['cleanup.policy', DELETE], ['retention.ms', DELETE, 'ignored']),
    change(TOPIC, 't1', ['segment.ms', DELETE]),
    change(TOPIC, 't1', ['foo', DELETE]),
    change(TOPIC, 't1', ['foo', APPEND, 'x']),
    change(TOPIC, 't1', ['retention.ms', 9, 'x']),
    change(TOPIC, 't1', ['retention.ms', -1, 'x']),
    incremental([[TOPIC, 't1', ['retention.ms', SET, '77']]], { validateOnly: true }),
    incremental([[TOPIC, 't1', ['retention.ms', SET, 'z']]], { validateOnly: true }),
    show(TOPIC, 't1', ['retention.ms']),
    change(TOPIC, 't1', ['min.compaction.lag.ms', SET, '10'], ['max.compaction.lag.ms', SET, '5']),
    change(TOPIC, 't1', ['remote.storage.enable', SET, 'true']),
    change(
      TOPIC,
      't1',
      ['min.cleanable.dirty.ratio', SET, '1e-2'],
      ['flush.messages', SET, '9223372036854775806'],
    ),
    show(TOPIC, 't1', ['min.cleanable.dirty.ratio', 'flush.messages']),
    change(TOPIC, 't1', ['leader.replication.throttled.replicas', SET, '0:1,1:x']),
    change(TOPIC, 't1', ['min.insync.replicas', SET, '2']),
    show(TOPIC, 't1', ['min.insync.replicas']),
    incremental([
      [TOPIC, 't1', ['retention.ms', SET, '1']],
      [TOPIC, 'absent', ['retention.ms', SET, '1']],
    ]),
    incremental([[TOPIC, 't1']]),
    incremental([[TOPIC, 'absent']]),
    incremental([]),
    ...[3, 0, 77].map((type) => change(type, 'x', ['a', SET, 'b'])),
    change(TOPIC, 't1', ['internal.segment.bytes', SET, '5000']),
    show(TOPIC, 't1', ['internal.segment.bytes']),
    change(TOPIC, 't1', ['internal.segment.bytes', DELETE]),
  ];
}

function brokerChanges(): TranscriptRequest[] {
  const retention = ['log.retention.ms', 'log.retention.hours', 'log.retention.minutes'];
  return [
    change(BROKER, '1', ['log.cleaner.threads', SET, '2']),
    show(BROKER, '1', ['log.cleaner.threads']),
    // The value for all brokers, whatever this one has for itself.
    change(BROKER, '', ['log.cleaner.threads', SET, '1']),
    show(BROKER, '', ['log.cleaner.threads']),
    change(BROKER, '', ['log.cleaner.threads', DELETE]),
    change(BROKER, '1', ['log.cleaner.threads', DELETE]),
    change(BROKER, '', ['log.retention.ms', SET, '60000']),
    show(TOPIC, 't1', ['retention.ms']),
    show(BROKER, '1', retention),
    show(BROKER, ''),
    change(BROKER, '1', ['log.retention.ms', SET, '70000']),
    show(TOPIC, 't1', ['retention.ms']),
    show(BROKER, '1', retention),
    change(BROKER, '1', ['log.retention.ms', DELETE]),
    change(BROKER, '', ['log.retention.ms', DELETE]),
    change(BROKER, '1', ['num.partitions', SET, '2']),
    change(BROKER, '1', ['num.partitions', SET, '2'], ['node.id', SET, '2'], ['log.retention.ms', SET, '5']),
    change(BROKER, '', ['num.partitions', SET, '2']),
    change(BROKER, '1', ['num.partitions', DELETE]),
    change(BROKER, '1', ['foo.bar', SET, '2']),
    show(BROKER, '1', ['foo.bar']),
    change(BROKER, '1', ['foo.bar', DELETE]),
    change(BROKER, '', ['foo.bar', SET, '2']),
    show(BROKER, ''),
    change(BROKER, '', ['foo.bar', DELETE]),
    change(BROKER, '1', ['foo.bar', APPEND, '2']),
    change(BROKER, '1', ['log.retention.ms', SET, 'z']),
    change(BROKER, '', ['log.cleaner.threads', SET, '-1']),
    change(BROKER, '1', ['log.retention.ms', SET, '0']),
    change(BROKER, '1', ['log.cleaner.dedupe.buffer.size', SET, '5']),
    change(BROKER, '', ['num.io.threads', SET, '100']),
    change(BROKER, '', ['num.io.threads', SET, '1']),
    ...['99', 'abc', '-1'].map((name) => change(BROKER, name, ['log.retention.ms', SET, '5'])),
    change(BROKER, '', ['ssl.keystore.location', SET, '/x']),
    change(BROKER, '', ['listeners', SET, 'PLAINTEXT://:1']),
    change(BROKER, '1', ['ssl.keystore.location', SET, '/x']),
    change(BROKER, '1', ['listener.name.plaintext.max.connections', SET, '100']),
    show(BROKER, '1', ['listener.name.plaintext.max.connections', 'max.connections']),
    change(BROKER, '1', ['listener.name.plaintext.max.connections', DELETE]),
    change(BROKER, '1', ['log.cleanup.policy', APPEND, 'compact']),
    show(BROKER, '1', ['log.cleanup.policy']),
    change(BROKER, '1', ['log.cleanup.policy', SUBTRACT, 'delete,compact']),
    show(BROKER, '1', ['log.cleanup.policy']),
    change(BROKER, '1', ['log.cleanup.policy', DELETE]),
    change(BROKER, '1', ['log.retention.ms', APPEND, '1']),
    change(BROKER, '1', ['log.retention.ms', SUBTRACT, '1']),
    change(BROKER, '', ['min.insync.replicas', SET, '1']),
    change(BROKER, '1', ['min.insync.replicas', SET, '1']),
    change(BROKER, '', ['min.insync.replicas', DELETE]),
    change(BROKER, '1', ['log.retention.ms', 9, 'x']),
    change(BROKER, '1', ['advertised.listeners', SET, 'PLAINTEXT://foo:1']),
    change(BROKER, '', ['log.cleaner.min.cleanable.ratio', SET, '1.5']),
    change(BROKER, '', ['log.retention.hours', SET, '1']),
    incremental([[BROKER, '', ['log.retention.ms', SET, '5']]], { validateOnly: true }),
    show(BROKER, ''),
    change(LOGGER, '1', ['no.such.logger', SET, 'DEBUG']),
    change(LOGGER, '1', ['no.such.logger', APPEND, 'DEBUG']),
    change(LOGGER, '99', ['no.such.logger', SET, 'DEBUG']),
    change(LOGGER, '', ['no.such.logger', SET, 'DEBUG']),
  ];
}

function otherChanges(): TranscriptRequest[] {
  const session = 'consumer.session.timeout.ms';
  return [
    change(METRICS, 'sub', ['interval.ms', SET, '1000']),
    change(METRICS, 'sub', ['interval.ms', SET, '1']),
    change(METRICS, 'sub', ['foo', SET, '1']),
    change(METRICS, 'sub', ['match', SET, 'foo']),
    change(METRICS, 'sub', ['match', SET, 'client_id=[']),
    change(METRICS, 'sub', ['match', SET, 'client_id=x.*,client_software_name=y']),
    change(METRICS, '', ['interval.ms', SET, '1000']),
    change(METRICS, 'sub', ['metrics', APPEND, 'a.b']),
    show(METRICS, 'sub'),
    show(METRICS, 'none'),
    show(METRICS, ''),
    change(GROUP, 'g1', [session, SET, '50000']),
    change(GROUP, 'g1', [session, SET, '5']),
    change(GROUP, 'g1', [session, SET, '100000']),
    change(GROUP, 'g1', ['foo', SET, '5']),
    change(GROUP, '', [session, SET, '50000']),
    show(GROUP, 'g1'),
    show(GROUP, 'g2', [session]),
    show(GROUP, ''),
    change(GROUP, 'g1', [session, APPEND, '50000']),
    // What has no broker config behind it has its own default there.
    change(GROUP, 'g1', ['share.isolation.level', SET, 'read_committed']),
    show(GROUP, 'g1', ['share.isolation.level']),
    change(GROUP, 'g1', ['share.isolation.level', DELETE]),
    list(0),
    list(1, []),
    ...[TOPIC, BROKER, LOGGER, METRICS, GROUP, 0, 77].map((type) => list(1, [type])),
    change(GROUP, 'g1', [session, DELETE]),
    change(METRICS, 'sub', ['interval.ms', DELETE], ['match', DELETE]),
    list(1, [METRICS, GROUP]),
  ];
}

function refusedDescriptions(): TranscriptRequest[] {
  return [
    ...['absent', 'a/b', '', '..'].map((name) => show(TOPIC, name)),
    ...['99', 'abc'].map((name) => show(BROKER, name)),
    ...['99', '', 'x'].map((name) => show(LOGGER, name)),
    show(TOPIC, 't1', ['no.such.key']),
    show(TOPIC, 't1', ['retention.ms', 'segment.ms'], { includeSynonyms: false }),
  ];
}

function legacyChanges(): TranscriptRequest[] {
  return [
    legacy([[TOPIC, 't1', ['retention.ms', '1000'], ['segment.ms', '6000']]]),
    legacy([[TOPIC, 't1', ['retention.ms', '2000']]]),
    show(TOPIC, 't1', ['retention.ms', 'segment.ms']),
    legacy([[TOPIC, 'absent', ['retention.ms', '2000']]]),
    legacy([[TOPIC, 't1', ['retention.ms', null]]]),
    legacy([[TOPIC, 't1', ['retention.ms', '1'], ['retention.ms', '2']]]),
    legacy([[TOPIC, 't1', ['foo', '1']]]),
    legacy([[TOPIC, 't1', ['retention.ms', 'q']]]),
    legacy([[TOPIC, 't1']]),
    show(TOPIC, 't1', ['retention.ms']),
    legacy([[BROKER, '1', ['log.cleaner.threads', '2']]]),
    legacy([[BROKER, '1', ['num.partitions', '2']]]),
    legacy([[BROKER, '1']]),
    legacy([[BROKER, '99', ['log.cleaner.threads', '2']]]),
    legacy([[LOGGER, '1', ['no.such.logger', 'DEBUG']]]),
    legacy([[77, 'x', ['a', 'b']]]),
    legacy([[GROUP, 'g', ['consumer.session.timeout.ms', '50000']]]),
    legacy([[GROUP, 'g']]),
    legacy([[TOPIC, 't1', ['retention.ms', '5']]], { validateOnly: true }),
    show(TOPIC, 't1', ['retention.ms']),
  ];
}

/** What DescribeConfigs, IncrementalAlterConfigs, AlterConfigs and ListConfigResources are asked, in this order. */
export const CONFIG_REQUESTS: readonly TranscriptRequest[] = [
  ...everything(),
  ...topicChanges(),
  ...brokerChanges(),
  ...otherChanges(),
  ...refusedDescriptions(),
  ...legacyChanges(),
];
