import { ConfigError } from './config-error.ts';
import type { ConfigKey, ConfigValue, Validator } from './config-key.ts';
import { printValue } from './print-value.ts';

/**
 * Checks a parsed value against the key's validator.
 * @throws ConfigError with Kafka's message
 */
export function ensureValid(name: string, key: ConfigKey, value: ConfigValue): void {
  const { validator } = key;
  if (validator === undefined) return;
  switch (validator.kind) {
    case 'range':
      return ensureInRange(name, key, { validator, value });
    case 'one-of':
      return ensureOneOf(name, validator, value);
    case 'list':
      return ensureList(name, validator, value);
    case 'non-empty':
      if (value === '') throw ConfigError.invalidValue(name, '', 'String must be non-empty');
      return;
    case 'non-null':
      if (value === null) throw ConfigError.invalidValue(name, 'null', 'entry must be non null');
      return;
    case 'throttled-replicas':
      return ensureThrottledReplicas(name, value);
    case 'quorum-voters':
      return ensureQuorumVoters(name, value);
    case 'quorum-bootstrap-servers':
      return ensureBootstrapServers(name, value);
    case 'auto-offset-reset':
      return ensureAutoOffsetReset(name, value);
  }
}

type RangeCheck = {
  readonly validator: Extract<Validator, { kind: 'range' }>;
  readonly value: ConfigValue;
};

function ensureInRange(name: string, key: ConfigKey, { validator, value }: RangeCheck): void {
  // A key without default and without value is simply unset; Kafka's Range is only met by values that are there.
  if (typeof value !== 'number') return;
  const { min, max, or } = validator;
  const printed = printValue(value, key.type) ?? '';
  const outside = value < min || (max !== undefined && value > max);
  if (or !== undefined) {
    if (outside && value !== or) {
      throw ConfigError.invalidValue(
        name,
        printed,
        `Value must be between ${min} and ${max} or equal to ${or}`,
      );
    }
    return;
  }
  if (value < min) throw ConfigError.invalidValue(name, printed, `Value must be at least ${min}`);
  if (outside) throw ConfigError.invalidValue(name, printed, `Value must be no more than ${max}`);
}

function ensureOneOf(
  name: string,
  validator: Extract<Validator, { kind: 'one-of' }>,
  value: ConfigValue,
): void {
  if (typeof value !== 'string') return;
  const { values, ignoreCase } = validator;
  if (ignoreCase ? values.includes(value.toUpperCase()) : values.includes(value)) return;
  const how = ignoreCase ? ' (case insensitive)' : '';
  throw ConfigError.invalidValue(name, value, `String must be one of${how}: ${values.join(', ')}`);
}

function ensureList(name: string, validator: Extract<Validator, { kind: 'list' }>, value: ConfigValue): void {
  if (value === null) {
    if (validator.nullAllowed) return;
    throw new ConfigError(`Configuration '${name}' values must not be null.`);
  }
  if (!isList(value)) return;
  if (value.length === 0 && !validator.emptyAllowed) {
    const valid = validator.values.length > 0 ? `[${validator.values.join(', ')}]` : 'any non-empty value';
    throw new ConfigError(`Configuration '${name}' must not be empty. Valid values include: ${valid}`);
  }
  if (new Set(value).size !== value.length) {
    throw new ConfigError(`Configuration '${name}' values must not be duplicated.`);
  }
  for (const item of value) {
    if (item === '') throw new ConfigError(`Configuration '${name}' values must not be empty.`);
    if (validator.values.length > 0 && !validator.values.includes(item)) {
      throw ConfigError.invalidValue(name, item, `String must be one of: ${validator.values.join(', ')}`);
    }
  }
}

function ensureThrottledReplicas(name: string, value: ConfigValue): void {
  if (!isList(value) || value.length === 0 || (value.length === 1 && value[0] === '*')) return;
  if (value.every((item) => /^\d+:\d+$/.test(item))) return;
  throw ConfigError.invalidValue(
    name,
    `[${value.join(', ')}]`,
    `${name} must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...`,
  );
}

function ensureQuorumVoters(name: string, value: ConfigValue): void {
  if (!isList(value)) return;
  for (const item of value) {
    const form = 'Each entry should be in the form `{id}@{host}:{port}`.';
    if (item.split('@').length !== 2) {
      throw new ConfigError(`Invalid configuration value for ${name}. ${form}`);
    }
    const [id = '', address = ''] = item.split('@');
    if (!/^\d+$/.test(id)) {
      throw new ConfigError(`Failed to parse voter ID as an integer from ${id}`);
    }
    if (!isHostAndPort(address)) {
      throw new ConfigError(
        `Failed to parse host name from entry ${item} for the configuration ${name}. ${form}`,
      );
    }
  }
}

function ensureBootstrapServers(name: string, value: ConfigValue): void {
  if (!isList(value)) return;
  for (const item of value) {
    if (isHostAndPort(item)) continue;
    throw new ConfigError(
      `Failed to parse host name from ${item} for the configuration ${name}. Each entry should be in the form "{host}:{port}"`,
    );
  }
}

function ensureAutoOffsetReset(name: string, value: ConfigValue): void {
  if (typeof value !== 'string' || value === 'earliest' || value === 'latest') return;
  const duration = /^by_duration:P(?=\d|T\d)(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d{1,9})?S)?)?$/i;
  if (duration.test(value)) return;
  throw ConfigError.invalidValue(
    name,
    value,
    `Invalid value \`${value}\` for configuration ${name}. The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.`,
  );
}

function isHostAndPort(text: string): boolean {
  return /^(\[[0-9a-fA-F:.%]+\]|[^:@\s]+):\d+$/.test(text);
}

function isList(value: ConfigValue): value is readonly string[] {
  return Array.isArray(value);
}
