import type { BrokerKeyName, BrokerValues } from './catalogue.ts';
import { ConfigError } from './config-error.ts';
import type { ConfigValue } from './config-key.ts';

/**
 * Keys that must not be ignored quietly: whoever sets them believes to be protected by them.
 */
const refusedKeys = [
  'authorizer.class.name',
  'create.topic.policy.class.name',
  'alter.config.policy.class.name',
  'client.quota.callback.class',
] as const;

/** What the rules read of a `BrokerConfig`, whose constructor calls them. */
interface ReadableConfig {
  readonly nodeId: number;
  readonly logDirs: readonly string[];
  readonly logRetentionMs: number;
  readonly logRollMs: number;
  readonly logRollJitterMs: number;
  get<Name extends BrokerKeyName>(name: Name): BrokerValues[Name];
  lookup(name: string): ConfigValue | undefined;
}

/**
 * The rules between keys, in Kafka's order and words.
 * @throws ConfigError for the first rule that is broken
 */
export function checkBrokerRules(config: ReadableConfig, properties: ReadonlyMap<string, string>): void {
  checkIdentity(config);
  checkLog(config);
  checkReplication(config);
  checkNetwork(config);
  checkGroups(config);
  for (const name of refusedKeys) {
    const value = config.get(name);
    if (value !== null && value !== '' && properties.has(name)) {
      throw new ConfigError(`Property "${name}" is not supported yet: remove it to start without "${value}"`);
    }
  }
}

/** Kafka's `require`. */
function demand(holds: boolean, message: string): void {
  if (!holds) throw new ConfigError(message, { isRequirement: true });
}

function checkIdentity(config: ReadableConfig): void {
  const brokerId = config.get('broker.id');
  if (brokerId !== -1 && brokerId !== config.nodeId) {
    throw new ConfigError('You must set `node.id` to the same value as `broker.id`.');
  }
  const voters = config.get('controller.quorum.voters').map((voter) => Number(voter.split('@')[0]));
  const roles = config.get('process.roles');
  demand(
    voters.length === 0 || !roles.includes('controller') || voters.includes(config.nodeId),
    `If process.roles contains the 'controller' role, the node id ${config.nodeId} must be included in the set of voters controller.quorum.voters=Set(${voters.join(', ')})`,
  );
}

function checkLog(config: ReadableConfig): void {
  demand(config.logRollMs >= 1, 'log.roll.ms must be greater than or equal to 1');
  demand(config.logRollJitterMs >= 0, 'log.roll.jitter.ms must be greater than or equal to 0');
  demand(
    config.logRetentionMs >= 1 || config.logRetentionMs === -1,
    'log.retention.ms must be unlimited (-1) or, greater than or equal to 1',
  );
  demand(
    config.get('log.cleaner.dedupe.buffer.size') / config.get('log.cleaner.threads') > 1024 * 1024,
    'log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.',
  );
  const cordoned = config.get('cordoned.log.dirs') ?? [];
  const missing = cordoned.filter((dir) => dir !== '*' && !config.logDirs.includes(dir));
  demand(
    missing.length === 0,
    `All entries in cordoned.log.dirs must be present in log.dirs or log.dir. Missing entries : ${missing.join(',')}`,
  );
}

function checkReplication(config: ReadableConfig): void {
  const fetchWaitMs = config.get('replica.fetch.wait.max.ms');
  demand(
    fetchWaitMs <= config.get('replica.socket.timeout.ms'),
    'replica.socket.timeout.ms should always be at least replica.fetch.wait.max.ms to prevent unnecessary socket timeouts',
  );
  demand(
    fetchWaitMs <= config.get('replica.lag.time.max.ms'),
    'replica.fetch.wait.max.ms should always be less than or equal to replica.lag.time.max.ms to prevent frequent changes in ISR',
  );
}

function checkNetwork(config: ReadableConfig): void {
  const queuedMaxBytes = config.get('queued.max.request.bytes');
  demand(
    queuedMaxBytes <= 0 || queuedMaxBytes >= config.get('socket.request.max.bytes'),
    'queued.max.request.bytes must be larger or equal to socket.request.max.bytes',
  );
  const overrides = parseConnectionOverrides(config.get('max.connections.per.ip.overrides'));
  demand(
    config.get('max.connections.per.ip') > 0 || overrides.size > 0,
    'max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.',
  );
  const idleMs = config.get('connections.max.idle.ms');
  const delayMs = config.get('connection.failed.authentication.delay.ms');
  demand(
    idleMs < 0 || delayMs < idleMs,
    `connection.failed.authentication.delay.ms=${delayMs} should always be less than connections.max.idle.ms=${idleMs} to prevent failed authentication responses from timing out`,
  );
}

/**
 * The value of `max.connections.per.ip.overrides` as connections allowed by address; hosts' names are not looked up.
 * @throws ConfigError when an entry is not of the form `host:count`
 */
export function parseConnectionOverrides(text: string): ReadonlyMap<string, number> {
  const overrides = new Map<string, number>();
  for (const entry of text.split(',')) {
    const item = entry.trim();
    if (item === '') continue;
    const match = /^(\S+):(\d+)$/.exec(item);
    if (match === null) {
      throw new ConfigError(
        `Error parsing configuration property 'max.connections.per.ip.overrides': "${item}" is not of the form host:count`,
      );
    }
    overrides.set(match[1] ?? '', Number(match[2]));
  }
  return overrides;
}

function ensure(holds: boolean, message: string): void {
  if (!holds) throw new ConfigError(message);
}

/** Group settings with a lower and an upper limit of their own: `group.KIND.min.THING`, `group.KIND.max.THING`. */
const limitedGroupKeys = ['consumer', 'share', 'streams'].flatMap((kind) =>
  ['heartbeat.interval.ms', 'session.timeout.ms', 'assignment.interval.ms'].map(
    (thing) => [kind, thing] as const,
  ),
);

function checkGroups(config: ReadableConfig): void {
  const valueOf = (name: string): number => Number(config.lookup(name));
  for (const [kind, thing] of [...limitedGroupKeys, ['share', 'record.lock.duration.ms'] as const]) {
    const [key, min, max] = [
      `group.${kind}.${thing}`,
      `group.${kind}.min.${thing}`,
      `group.${kind}.max.${thing}`,
    ];
    ensure(valueOf(max) >= valueOf(min), `${max} must be greater than or equal to ${min}`);
    ensure(valueOf(key) >= valueOf(min), `${key} must be greater than or equal to ${min}`);
    ensure(valueOf(key) <= valueOf(max), `${key} must be less than or equal to ${max}`);
  }
  for (const kind of ['consumer', 'share', 'streams']) {
    const [heartbeat, session] = [`group.${kind}.heartbeat.interval.ms`, `group.${kind}.session.timeout.ms`];
    ensure(valueOf(heartbeat) < valueOf(session), `${heartbeat} must be less than ${session}`);
  }
  const locks = 'group.share.partition.max.record.locks';
  const maxLocks = 'group.share.max.partition.max.record.locks';
  ensure(valueOf(maxLocks) >= valueOf(locks), `${maxLocks} must be greater than or equal to ${locks}`);
  const standbys = 'group.streams.num.standby.replicas';
  const maxStandbys = 'group.streams.max.standby.replicas';
  ensure(
    valueOf(standbys) <= valueOf(maxStandbys),
    `${standbys} must be less than or equal to ${maxStandbys}`,
  );
  ensure(
    config.get('group.coordinator.rebalance.protocols').includes('classic'),
    "Disabling the 'classic' protocol is not supported.",
  );
  const codec = config.get('offsets.topic.compression.codec');
  ensure(codec >= 0 && codec <= 4, `Unknown compression type id: ${codec}`);
}
