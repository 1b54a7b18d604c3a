import { clientMetricsKeys, findKey } from './catalogue.ts';
import { ConfigError } from './config-error.ts';
import { parseValue } from './parse-value.ts';

const MIN_INTERVAL_MS = 100;
const MAX_INTERVAL_MS = 3_600_000;

/** What a `match` pattern may select clients by (KIP-714). */
const matchKeys = [
  'client_instance_id',
  'client_id',
  'client_software_name',
  'client_software_version',
  'client_source_address',
  'client_source_port',
];

/**
 * Checks a client metrics subscription. Returns what makes it an invalid request, or null.
 * @throws ConfigError for what makes it an invalid config
 */
export function validateClientMetricsConfigs(overrides: ReadonlyMap<string, string>): string | null {
  for (const [name, text] of overrides) {
    const key = findKey(clientMetricsKeys, name);
    if (key === undefined) return `Unknown client metrics configuration: ${name}`;
    const value = parseValue(name, key, text);
    if (name === 'interval.ms' && typeof value === 'number') {
      if (value < MIN_INTERVAL_MS || value > MAX_INTERVAL_MS) {
        return `Invalid value ${value} for ${name}, interval must be between ${MIN_INTERVAL_MS} and ${MAX_INTERVAL_MS} (1 hour)`;
      }
    }
    if (name === 'match' && Array.isArray(value)) value.forEach(ensureMatchPattern);
  }
  return null;
}

function ensureMatchPattern(pattern: string): void {
  const [name = '', expression] = pattern.split('=');
  if (expression !== undefined && matchKeys.includes(name.trim()) && isRegularExpression(expression.trim()))
    return;
  throw new ConfigError(`Illegal client matching pattern: ${pattern}`);
}

/** Only asked whether it parses; a stored pattern is never run on the event loop. */
function isRegularExpression(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}
