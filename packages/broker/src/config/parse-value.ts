import { ConfigError } from './config-error.ts';
import {
  type ConfigKey,
  type ConfigType,
  type ConfigValue,
  MAX_LONG_TEXT,
  MIN_LONG_TEXT,
  Password,
} from './config-key.ts';
import { printValue } from './print-value.ts';
import { ensureValid } from './validate-value.ts';

const MAX_LONG = BigInt(MAX_LONG_TEXT);
const MIN_LONG = BigInt(MIN_LONG_TEXT);

/** Bounds of the Java integer types. */
const integerBounds = {
  int: [-2147483648n, 2147483647n],
  short: [-32768n, 32767n],
  long: [MIN_LONG, MAX_LONG],
} as const;

/**
 * Parses and validates one value as Kafka's ConfigDef does: trimmed, by type, then by the key's validator.
 * An int64 beyond +-(2^53-1) saturates.
 * @throws ConfigError with Kafka's message
 */
export function parseValue(name: string, key: ConfigKey, text: string | null): ConfigValue {
  let value = text === null ? null : parseType(name, key.type, text.trim());
  if (key.validator?.kind === 'list') value = withoutDuplicates(value);
  ensureValid(name, key, value);
  return value;
}

/** The value of a key that nobody set. */
export function defaultValue(name: string, key: ConfigKey): ConfigValue {
  return key.default === null ? null : parseType(name, key.type, key.default);
}

/**
 * A value in the form in which Kafka prints it back: integers without sign and leading zeros, doubles as
 * `Double.toString`, lists joined by a comma. Unlike the parsed number, an int64 keeps all its digits.
 * @throws ConfigError when the text does not parse
 */
export function canonicalText(name: string, key: ConfigKey, text: string): string {
  const trimmed = text.trim();
  if (key.type === 'long') return parseInteger(name, key.type, trimmed).toString();
  let value = parseType(name, key.type, trimmed);
  if (key.validator?.kind === 'list') value = withoutDuplicates(value);
  return printValue(value, key.type) ?? '';
}

/** KIP-1161: a list that is checked at all loses its duplicates instead of being refused for them. */
function withoutDuplicates(value: ConfigValue): ConfigValue {
  return Array.isArray(value) ? [...new Set<string>(value)] : value;
}

function parseType(name: string, type: ConfigType, trimmed: string): ConfigValue {
  switch (type) {
    case 'boolean': {
      const lower = trimmed.toLowerCase();
      if (lower === 'true') return true;
      if (lower === 'false') return false;
      throw ConfigError.invalidValue(name, trimmed, 'Expected value to be either true or false');
    }
    case 'int':
    case 'short':
    case 'long':
      // Nearly every value is short, and this runs for hundreds of defaults at each start.
      if (type !== 'short' && /^-?\d{1,9}$/.test(trimmed)) return Number(trimmed) + 0;
      return saturate(parseInteger(name, type, trimmed));
    case 'double':
      return parseDouble(name, trimmed);
    case 'list':
      return trimmed === '' ? [] : trimmed.split(',').map((item) => item.trim());
    case 'password':
      return new Password(trimmed);
    case 'string':
    case 'class':
      return trimmed;
  }
}

function parseInteger(name: string, type: 'int' | 'short' | 'long', trimmed: string): bigint {
  const [min, max] = integerBounds[type];
  // Java accepts one sign and decimal digits only. The length cap keeps BigInt from chewing on a megabyte of digits.
  if (/^[+-]?\d+$/.test(trimmed) && trimmed.length <= 64) {
    const value = BigInt(trimmed.startsWith('+') ? trimmed.slice(1) : trimmed);
    if (value >= min && value <= max) return value;
  }
  throw ConfigError.invalidValue(name, trimmed, `Not a number of type ${type.toUpperCase()}`);
}

function saturate(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) return Number.MAX_SAFE_INTEGER;
  if (value < BigInt(Number.MIN_SAFE_INTEGER)) return Number.MIN_SAFE_INTEGER;
  return Number(value);
}

/** Java's `Double.parseDouble`: a decimal with optional exponent and type suffix, `NaN`, `Infinity`. */
function parseDouble(name: string, trimmed: string): number {
  if (/^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?[fFdD]?$/.test(trimmed)) {
    return Number(trimmed.replace(/[fFdD]$/, ''));
  }
  if (/^[+-]?Infinity$/.test(trimmed)) return trimmed.startsWith('-') ? -Infinity : Infinity;
  if (/^[+-]?NaN$/.test(trimmed)) return Number.NaN;
  throw ConfigError.invalidValue(name, trimmed, 'Not a number of type DOUBLE');
}
