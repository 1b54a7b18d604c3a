import { NodeDisk, parseProperties, PropertiesError } from '@ottla/platform';
import { OptionError } from '../errors/client-errors.ts';
import { clientCredentials } from '../network/sasl/client-credentials.ts';
import type { SaslOptions } from '../network/sasl/sasl-options.ts';
import type { ClientOptions } from './client-options.ts';
import { tlsFromProperties } from './tls-properties.ts';

/** Kafka's properties that are plain values, by the options that they are here. */
const numbers: Readonly<Record<string, keyof ClientOptions>> = {
  'request.timeout.ms': 'requestTimeoutMs',
  'default.api.timeout.ms': 'defaultApiTimeoutMs',
  'socket.connection.setup.timeout.ms': 'connectionSetupTimeoutMs',
  'socket.connection.setup.timeout.max.ms': 'connectionSetupTimeoutMaxMs',
  'reconnect.backoff.ms': 'reconnectBackoffMs',
  'reconnect.backoff.max.ms': 'reconnectBackoffMaxMs',
  'retry.backoff.ms': 'retryBackoffMs',
  'retry.backoff.max.ms': 'retryBackoffMaxMs',
  'metadata.max.age.ms': 'metadataMaxAgeMs',
  'metadata.recovery.rebootstrap.trigger.ms': 'metadataRecoveryRebootstrapTriggerMs',
  'connections.max.idle.ms': 'connectionsMaxIdleMs',
};

const PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'];

/** Options from properties, and the properties that are not about connecting (`group.id`, `acks`, ...). */
export interface ClientProperties {
  readonly options: ClientOptions;
  readonly rest: ReadonlyMap<string, string>;
}

/**
 * Client options from Kafka's own properties, as in the files that its tools take with `--command-config`: bootstrap.servers, client.id,
 * security.protocol, sasl.mechanism, sasl.jaas.config, ssl.* with PEM or PKCS12 stores, timeouts and backoffs.
 * Give the text of such a file, or the properties.
 * @throws OptionError for a value that cannot be used
 *
 * @example
 * const { options } = clientOptionsFromProperties(readFileSync('client.properties', 'utf8'));
 * await using ottla = connect(options);
 */
export function clientOptionsFromProperties(
  properties: string | ReadonlyMap<string, string> | Readonly<Record<string, string>>,
): ClientProperties {
  const rest = new Map(read(properties));
  const take = (name: string): string | undefined => {
    const value = rest.get(name);
    rest.delete(name);
    return value?.trim();
  };
  const options: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(numbers)) {
    const value = take(name);
    if (value === undefined) continue;
    if (!/^-?\d+$/.test(value)) throw new OptionError(`${name} "${value}" is not an integer`);
    options[option] = Number(value);
  }
  const bootstrap = take('bootstrap.servers');
  if (bootstrap !== undefined) options['bootstrap'] = bootstrap;
  const clientId = take('client.id');
  if (clientId !== undefined) options['clientId'] = clientId;
  const clientRack = take('client.rack');
  if (clientRack !== undefined) options['clientRack'] = clientRack;
  const strategy = take('metadata.recovery.strategy');
  if (strategy !== undefined) options['metadataRecoveryStrategy'] = strategy.toLowerCase();
  takeSecurity(take, options);
  return { options: options as ClientOptions, rest };
}

function read(
  properties: Parameters<typeof clientOptionsFromProperties>[0],
): Iterable<readonly [string, string]> {
  if (typeof properties !== 'string')
    return properties instanceof Map ? properties : Object.entries(properties as Record<string, string>);
  try {
    return parseProperties(properties);
  } catch (error) {
    if (error instanceof PropertiesError) throw new OptionError(error.message, error);
    throw error;
  }
}

function takeSecurity(take: (name: string) => string | undefined, options: Record<string, unknown>): void {
  const protocol = (take('security.protocol') ?? 'PLAINTEXT').toUpperCase();
  if (!PROTOCOLS.includes(protocol))
    throw new OptionError(`security.protocol "${protocol}" is none of ${PROTOCOLS.join(', ')}`);
  const disk = new NodeDisk();
  const tls = tlsFromProperties(take, (file) => disk.readFileSync(file));
  if (protocol.endsWith('SSL')) options['tls'] = tls;
  const mechanism = take('sasl.mechanism') ?? 'GSSAPI';
  const jaas = take('sasl.jaas.config');
  const tokenEndpoint = take('sasl.oauthbearer.token.endpoint.url');
  if (protocol.startsWith('SASL_')) options['sasl'] = saslFromJaas(mechanism, jaas, tokenEndpoint);
}

function saslFromJaas(
  mechanism: string,
  jaas: string | undefined,
  tokenEndpoint: string | undefined,
): SaslOptions {
  const entries = parseJaas(jaas ?? '');
  if (mechanism === 'OAUTHBEARER' && tokenEndpoint !== undefined)
    return { mechanism, token: tokensFromJaas(entries, tokenEndpoint) };
  if (!['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'].includes(mechanism))
    throw new OptionError(
      `sasl.mechanism "${mechanism}" cannot be set up from these properties: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER with sasl.oauthbearer.token.endpoint.url can; for others pass connect({ sasl })`,
    );
  const username = entries.get('username');
  const password = entries.get('password');
  if (username === undefined || password === undefined)
    throw new OptionError(
      'sasl.jaas.config has no username and password: expected `...LoginModule required username="..." password="...";`',
    );
  if (mechanism === 'PLAIN') return { mechanism, username, password };
  return {
    mechanism: mechanism as 'SCRAM-SHA-256' | 'SCRAM-SHA-512',
    username,
    password,
    tokenAuth: entries.get('tokenauth') === 'true',
  };
}

/** Java's login module names the three as here. */
function tokensFromJaas(entries: ReadonlyMap<string, string>, tokenEndpoint: string): () => Promise<string> {
  const clientId = entries.get('clientId');
  const clientSecret = entries.get('clientSecret');
  const scope = entries.get('scope');
  if (clientId === undefined || clientSecret === undefined)
    throw new OptionError('sasl.jaas.config has no clientId and clientSecret for the token endpoint');
  return clientCredentials({ tokenEndpoint, clientId, clientSecret, ...(scope !== undefined && { scope }) });
}

/** Options of the first login module: `Module required key="value" other=value;`, with backslashes escaping in quotes. */
function parseJaas(text: string): Map<string, string> {
  const entries = new Map<string, string>();
  for (const match of text.matchAll(
    /([\w.]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s;"']+))/g,
  )) {
    const quoted = match[2] ?? match[3];
    entries.set(match[1]!, quoted === undefined ? match[4]! : quoted.replace(/\\(.)/g, '$1'));
  }
  return entries;
}
