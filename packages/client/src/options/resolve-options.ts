import { environmentVariable, NodeClock, NodeRandom, SILENT_LOGGER } from '@ottla/platform';
import { OptionError } from '../errors/client-errors.ts';
import { saslMechanism } from '../network/sasl/sasl-options.ts';
import { parseAddresses } from './addresses.ts';
import type { ClientOptions, ResolvedClientOptions } from './client-options.ts';

const MEBIBYTE = 1024 * 1024;

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

type NumberName = keyof typeof numbers;

/**
 * Fills in the defaults and checks every value.
 * @throws OptionError naming the option, its value and what is allowed
 */
export function resolveOptions(options: ClientOptions): ResolvedClientOptions {
  const bootstrap =
    options.bootstrap ??
    environmentVariable('KAFKA_BROKERS') ??
    environmentVariable('KAFKA_BOOTSTRAP_SERVERS') ??
    'localhost:9092';
  const random = options.random ?? new NodeRandom();
  const strategy: string = options.metadataRecoveryStrategy ?? 'rebootstrap';
  if (strategy !== 'rebootstrap' && strategy !== 'none')
    throw new OptionError(`metadataRecoveryStrategy "${strategy}" is neither "rebootstrap" nor "none"`);
  return {
    ...resolveNumbers(options),
    bootstrap: parseAddresses(bootstrap),
    clientId: options.clientId ?? 'ottla',
    clientRack: options.clientRack ?? '',
    tls: options.tls === true ? {} : options.tls === false ? null : (options.tls ?? null),
    sasl: options.sasl === undefined ? null : saslMechanism(options.sasl, random),
    metadataRecoveryStrategy: strategy,
    logger: options.logger ?? SILENT_LOGGER,
    metrics: options.metrics ?? {},
    tracer: options.tracer ?? null,
    clock: options.clock ?? new NodeClock({ timersKeepProcessAlive: true }),
    random,
  };
}

function resolveNumbers(options: ClientOptions): Record<NumberName, number> {
  const resolved = {} as Record<NumberName, number>;
  for (const [name, [fallback, least]] of Object.entries(numbers) as [NumberName, [number, number]][]) {
    const value: unknown = options[name] ?? fallback;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least)
      throw new OptionError(`${name} "${String(value)}" is not an integer of at least ${least}`);
    resolved[name] = value;
  }
  return resolved;
}
