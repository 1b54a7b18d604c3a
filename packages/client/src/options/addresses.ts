import { OptionError } from '../errors/client-errors.ts';
import type { HostAndPort } from './client-options.ts';

const DEFAULT_PORT = 9092;

/**
 * Reads addresses: `host`, `host:port`, `[::1]:port`, comma-separated or as a list; a `PROTOCOL://` in front is ignored, as Kafka does.
 * @throws OptionError for anything else
 */
export function parseAddresses(text: string | readonly string[]): HostAndPort[] {
  const list = (typeof text === 'string' ? text.split(',') : text.flatMap((part) => part.split(',')))
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (list.length === 0) throw new OptionError('bootstrap is empty: give at least one host:port');
  return list.map(parseAddress);
}

function parseAddress(text: string): HostAndPort {
  const bare = text.replace(/^[A-Za-z_]+:\/\//, '');
  const match = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^:[\]\s/]+))(?::(\d{1,5}))?$/.exec(bare);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? DEFAULT_PORT : Number(match[3]);
  if (host === undefined || port < 1 || port > 65_535)
    throw new OptionError(
      `bootstrap address "${text}" is not valid: expected host:port, such as "localhost:9092"`,
    );
  return { host, port };
}
