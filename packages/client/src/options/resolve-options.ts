import { environmentVariable, NodeClock, NodeRandom, SILENT_LOGGER } from '@ottla/platform';
import { OptionError } from '../errors/client-errors.ts';
import { saslMechanism, type SaslOptions } from '../network/sasl/sasl-options.ts';
import { parseAddresses } from './addresses.ts';
import type { ClientOptions, ResolvedClientOptions } from './client-options.ts';
import { refuseUnknownOptions, type OptionNames } from './known-options.ts';
import { resolveNumbers } from './resolve-numbers.ts';

const MEBIBYTE = 1024 * 1024;

const optionNames: OptionNames<ClientOptions> = {
  bootstrap: true,
  clientId: true,
  clientRack: true,
  tls: true,
  sasl: true,
  requestTimeoutMs: true,
  defaultApiTimeoutMs: true,
  connectionSetupTimeoutMs: true,
  connectionSetupTimeoutMaxMs: true,
  reconnectBackoffMs: true,
  reconnectBackoffMaxMs: true,
  retryBackoffMs: true,
  retryBackoffMaxMs: true,
  metadataMaxAgeMs: true,
  metadataRecoveryStrategy: true,
  metadataRecoveryRebootstrapTriggerMs: true,
  connectionsMaxIdleMs: true,
  maxInFlightRequests: true,
  maxResponseBytes: true,
  logger: true,
  metrics: true,
  tracer: true,
  clock: true,
  random: true,
};

/** Numbers among the options: default, and the least value allowed. */
const numbers = {
  requestTimeoutMs: [30_000, 1],
  defaultApiTimeoutMs: [60_000, 1],
  connectionSetupTimeoutMs: [10_000, 1],
  connectionSetupTimeoutMaxMs: [30_000, 1],
  reconnectBackoffMs: [50, 0],
  reconnectBackoffMaxMs: [1_000, 0],
  retryBackoffMs: [100, 0],
  retryBackoffMaxMs: [1_000, 0],
  metadataMaxAgeMs: [300_000, 0],
  metadataRecoveryRebootstrapTriggerMs: [300_000, 0],
  connectionsMaxIdleMs: [540_000, -1],
  maxInFlightRequests: [100, 1],
  maxResponseBytes: [256 * MEBIBYTE, 1024],
} as const satisfies Record<string, readonly [number, number]>;

/**
 * Fills in the defaults and checks every value.
 * @throws OptionError naming the option, its value and what is allowed
 */
export function resolveOptions(options: ClientOptions): ResolvedClientOptions {
  refuseUnknownOptions('A client', options, optionNames);
  const given =
    options.bootstrap === undefined ? { ...fromEnvironment(), ...withoutAbsent(options) } : options;
  const random = options.random ?? new NodeRandom();
  const strategy: string = options.metadataRecoveryStrategy ?? 'rebootstrap';
  if (strategy !== 'rebootstrap' && strategy !== 'none')
    throw new OptionError(`metadataRecoveryStrategy "${strategy}" is neither "rebootstrap" nor "none"`);
  return {
    ...resolveNumbers(numbers, options),
    bootstrap: parseAddresses(given.bootstrap ?? 'localhost:9092'),
    clientId: options.clientId ?? 'ottla',
    clientRack: options.clientRack ?? '',
    tls: given.tls === true ? {} : given.tls === false ? null : (given.tls ?? null),
    sasl: given.sasl === undefined ? null : saslMechanism(given.sasl, random),
    metadataRecoveryStrategy: strategy,
    logger: options.logger ?? SILENT_LOGGER,
    metrics: options.metrics ?? {},
    tracer: options.tracer ?? null,
    clock: options.clock ?? new NodeClock({ timersKeepProcessAlive: true }),
    random,
  };
}

/**
 * Addresses and credentials of the environment: KAFKA_BROKERS or KAFKA_BOOTSTRAP_SERVERS, KAFKA_SECURITY_PROTOCOL, KAFKA_SASL_MECHANISM,
 * KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD. They belong together: credentials do not go to an address that the program names itself.
 */
function fromEnvironment(): ClientOptions {
  const bootstrap = environmentVariable('KAFKA_BROKERS') ?? environmentVariable('KAFKA_BOOTSTRAP_SERVERS');
  const protocol = environmentVariable('KAFKA_SECURITY_PROTOCOL')?.toUpperCase();
  const mechanism = environmentVariable('KAFKA_SASL_MECHANISM')?.toUpperCase();
  const sasl =
    mechanism === undefined || protocol === 'PLAINTEXT' || protocol === 'SSL'
      ? undefined
      : {
          mechanism,
          username: environmentVariable('KAFKA_SASL_USERNAME') ?? '',
          password: environmentVariable('KAFKA_SASL_PASSWORD') ?? '',
        };
  return {
    ...(bootstrap !== undefined && { bootstrap }),
    ...(protocol?.endsWith('SSL') === true && { tls: true }),
    // What it lacks is refused where every mechanism is checked.
    ...(sasl !== undefined && { sasl: sasl as SaslOptions }),
  };
}

function withoutAbsent(options: ClientOptions): ClientOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
