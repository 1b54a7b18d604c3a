import { ConfigError } from './config/config-error.ts';
import { securityProtocolIds } from './config/listeners.ts';
import type { Listeners } from './config/listeners.ts';
import type { EndpointImage } from './metadata/image.ts';
import type { ListenerOptions } from './network/listener.ts';

const MAX_PORT = 65_535;

/**
 * The sockets to bind. Controller listeners are in the file of every real Kafka node; the embedded controller has no
 * peers, so they are accepted and left alone.
 * @throws ConfigError for a listener with TLS or SASL
 */
export function listenersToBind(listeners: Listeners): ListenerOptions[] {
  return listeners.broker.map(({ listenerName, host, port, securityProtocol }) => {
    if (securityProtocol !== 'PLAINTEXT') {
      throw new ConfigError(
        `Listener "${listenerName}" uses ${securityProtocol}, which is not supported yet: use PLAINTEXT, or map its name ` +
          'to PLAINTEXT in listener.security.protocol.map',
      );
    }
    if (port < 0 || port > MAX_PORT) {
      throw new ConfigError(
        `Listener "${listenerName}" has port "${port}": use 0 (any free one) to ${MAX_PORT}`,
      );
    }
    return { name: listenerName, host, port, securityProtocol };
  });
}

/**
 * What clients are told: the advertised addresses, where port 0 means the port that was bound and an empty host
 * the machine's own name.
 */
export function endpointsToAdvertise(
  listeners: Listeners,
  bound: readonly { readonly name: string; readonly port: number }[],
  hostName: string,
): EndpointImage[] {
  return listeners.advertised.map(({ listenerName, host, port, securityProtocol }) => ({
    listenerName,
    host: host === '' ? hostName : host,
    port: port === 0 ? (bound.find(({ name }) => name === listenerName)?.port ?? 0) : port,
    securityProtocol: securityProtocolIds[securityProtocol],
  }));
}
