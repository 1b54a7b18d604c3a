import { parseProperties as parseText, PropertiesError } from '@ottla/platform';
import { ConfigError } from './config-error.ts';

/**
 * Reads text in the syntax of Java's `Properties.load`.
 * @throws ConfigError for a malformed `\u` escape, with the line number
 */
export function parseProperties(text: string): Map<string, string> {
  try {
    return parseText(text);
  } catch (error) {
    if (error instanceof PropertiesError) throw new ConfigError(error.message);
    throw error;
  }
}

/**
 * One `key=value` of the command line's `--override`. Unlike in a file, the value is taken as it is.
 * @throws ConfigError when there is no `=` or no key
 */
export function parseOverride(text: string): [key: string, value: string] {
  const equals = text.indexOf('=');
  const key = text.slice(0, Math.max(equals, 0)).trim();
  if (key === '') {
    throw new ConfigError(`Invalid override "${text}": expected the form key=value`);
  }
  return [key, text.slice(equals + 1)];
}
