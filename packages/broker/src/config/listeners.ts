import { ConfigError } from './config-error.ts';
import type { BrokerValues } from './catalogue.ts';

/** One entry of `listeners` or `advertised.listeners`. */
export interface ListenerEndpoint {
  /** Upper case: `PLAINTEXT`, `EXTERNAL`, ... */
  readonly listenerName: string;
  /** Empty: every interface when listening, the machine's own name when advertised. */
  readonly host: string;
  readonly port: number;
  readonly securityProtocol: SecurityProtocol;
}

/** Kafka's security protocols with their ids on the wire. */
export const securityProtocolIds = { PLAINTEXT: 0, SSL: 1, SASL_PLAINTEXT: 2, SASL_SSL: 3 } as const;
export type SecurityProtocol = keyof typeof securityProtocolIds;

/** What the keys about listeners amount to together. */
export interface Listeners {
  /** The listeners that clients and brokers connect to, in the order of `listeners`. */
  readonly broker: readonly ListenerEndpoint[];
  /** The entries of `listeners` that `controller.listener.names` names: the embedded controller binds none of them. */
  readonly controller: readonly ListenerEndpoint[];
  /** What Metadata tells clients, a subset of the broker listeners by name. */
  readonly advertised: readonly ListenerEndpoint[];
  readonly interBrokerListenerName: string;
}

type ListenerValues = Pick<
  BrokerValues,
  | 'listeners'
  | 'advertised.listeners'
  | 'listener.security.protocol.map'
  | 'controller.listener.names'
  | 'inter.broker.listener.name'
  | 'security.inter.broker.protocol'
  | 'early.start.listeners'
>;

/**
 * Resolves the listener keys and checks them against each other.
 * @param isSet whether a key was set at all; some rules depend on that, not on the value
 * @throws ConfigError with Kafka's message
 */
export function resolveListeners(values: ListenerValues, isSet: (name: string) => boolean): Listeners {
  const controllerNames = new Set(
    (values['controller.listener.names'] ?? []).map((name) => name.toUpperCase()),
  );
  const protocols = securityProtocolMap(values, isSet, controllerNames);
  const all = parseEndpoints(values.listeners, protocols, { distinctPorts: true });
  const advertisedText = values['advertised.listeners'];
  const advertised =
    advertisedText === null ? all : parseEndpoints(advertisedText, protocols, { distinctPorts: false });
  const isController = (endpoint: ListenerEndpoint): boolean => controllerNames.has(endpoint.listenerName);
  const listeners: Listeners = {
    broker: all.filter((endpoint) => !isController(endpoint)),
    controller: all.filter(isController),
    advertised: advertised.filter((endpoint) => !isController(endpoint)),
    interBrokerListenerName: interBrokerListenerName(values, isSet, protocols),
  };
  checkAdvertised(listeners, advertised);
  checkEarlyStart(values, all, controllerNames);
  return listeners;
}

function securityProtocolMap(
  values: ListenerValues,
  isSet: (name: string) => boolean,
  controllerNames: ReadonlySet<string>,
): Map<string, SecurityProtocol> {
  const key = 'listener.security.protocol.map';
  const protocols = new Map<string, SecurityProtocol>();
  for (const entry of values[key].split(',')) {
    const item = entry.trim();
    if (item === '') continue;
    const colon = item.lastIndexOf(':');
    if (colon < 0) {
      throw new ConfigError(
        `Error parsing configuration property '${key}': "${item}" is not of the form NAME:PROTOCOL`,
      );
    }
    const protocol = item.slice(colon + 1).trim();
    if (!isSecurityProtocol(protocol)) {
      throw new ConfigError(`Invalid security protocol \`${protocol}\` defined in ${key}`);
    }
    protocols.set(item.slice(0, colon).trim().toUpperCase(), protocol);
  }
  // A controller listener needs no entry as long as nothing here uses more than plaintext.
  const usesSecurity = values.listeners.some((text) => /^(SSL|SASL_PLAINTEXT|SASL_SSL):/i.test(text));
  if (!isSet(key) && !usesSecurity) {
    for (const name of controllerNames) if (!protocols.has(name)) protocols.set(name, 'PLAINTEXT');
  }
  return protocols;
}

function isSecurityProtocol(text: string): text is SecurityProtocol {
  return Object.hasOwn(securityProtocolIds, text);
}

function parseEndpoints(
  texts: readonly string[],
  protocols: ReadonlyMap<string, SecurityProtocol>,
  { distinctPorts }: { distinctPorts: boolean },
): ListenerEndpoint[] {
  const shown = `[${texts.join(', ')}]`;
  const fail = (reason: string, options: { remedy?: string } = {}): never => {
    throw new ConfigError(`Error creating broker listeners from '${shown}': ${reason}`, options);
  };
  const endpoints = texts.map((text): ListenerEndpoint => {
    const match = /^(.*):\/\/\[?([0-9a-zA-Z\-%._:]*)\]?:(-?[0-9]+)$/.exec(text);
    if (match === null) {
      const remedy = 'A listener has the form NAME://host:port, for example PLAINTEXT://127.0.0.1:9092';
      return fail(`Unable to parse ${text} to a broker endpoint`, { remedy });
    }
    const [, name = '', host = '', port = ''] = match;
    const listenerName = name.toUpperCase();
    const securityProtocol = protocols.get(listenerName);
    if (securityProtocol === undefined)
      return fail(`No security protocol defined for listener ${listenerName}`);
    return { listenerName, host, port: Number(port), securityProtocol };
  });
  if (new Set(endpoints.map((endpoint) => endpoint.listenerName)).size < endpoints.length) {
    fail(`Each listener must have a different name, listeners: ${shown}`);
  }
  if (distinctPorts) checkPorts(endpoints, shown, fail);
  return endpoints;
}

/** Two listeners may share a port only when one is IPv4 and the other IPv6; port 0 never clashes. */
function checkPorts(
  endpoints: readonly ListenerEndpoint[],
  shown: string,
  fail: (reason: string) => never,
): void {
  const bound = endpoints.filter((endpoint) => endpoint.port > 0);
  for (const port of new Set(bound.map((endpoint) => endpoint.port))) {
    const sharing = bound.filter((endpoint) => endpoint.port === port);
    if (sharing.length < 2) continue;
    const versions = sharing.map((endpoint) =>
      endpoint.host.includes(':') ? 6 : /^[\d.]+$/.test(endpoint.host) ? 4 : 0,
    );
    if (sharing.length === 2 && versions.includes(4) && versions.includes(6)) continue;
    const allAddresses = versions.every((version) => version !== 0);
    fail(
      allAddresses
        ? `If you have two listeners on the same port then one needs to be IPv4 and the other IPv6, listeners: ${shown}, port: ${port}`
        : `Each listener must have a different port, listeners: ${shown}`,
    );
  }
}

function interBrokerListenerName(
  values: ListenerValues,
  isSet: (name: string) => boolean,
  protocols: ReadonlyMap<string, SecurityProtocol>,
): string {
  const name = values['inter.broker.listener.name'];
  if (name === null) return values['security.inter.broker.protocol'];
  if (isSet('security.inter.broker.protocol')) {
    throw new ConfigError(
      'Only one of inter.broker.listener.name and security.inter.broker.protocol should be set.',
    );
  }
  if (!protocols.has(name.toUpperCase())) {
    throw new ConfigError(
      `Listener with name ${name} defined in inter.broker.listener.name not found in listener.security.protocol.map.`,
    );
  }
  return name.toUpperCase();
}

function checkEarlyStart(
  values: ListenerValues,
  all: readonly ListenerEndpoint[],
  controllerNames: ReadonlySet<string>,
): void {
  for (const text of values['early.start.listeners'] ?? []) {
    const name = text.toUpperCase();
    if (controllerNames.has(name) || all.some((endpoint) => endpoint.listenerName === name)) continue;
    throw new ConfigError(
      `early.start.listeners contains listener ${name}, but this is not contained in listeners or controller.listener.names`,
    );
  }
}

function checkAdvertised(listeners: Listeners, advertised: readonly ListenerEndpoint[]): void {
  const names = listeners.advertised.map((endpoint) => endpoint.listenerName);
  if (names.length === 0) {
    throw new ConfigError(
      'There must be at least one broker advertised listener. Perhaps all listeners appear in controller.listener.names?',
      { isRequirement: true },
    );
  }
  if (!names.includes(listeners.interBrokerListenerName)) {
    throw new ConfigError(
      `inter.broker.listener.name must be a listener name defined in advertised.listeners. The valid options based on currently configured listeners are ${names.join(',')}`,
      {
        isRequirement: true,
        remedy:
          `It is ${listeners.interBrokerListenerName} here: set inter.broker.listener.name or ` +
          'security.inter.broker.protocol, or add such a listener',
      },
    );
  }
  const bound = listeners.broker.map((endpoint) => endpoint.listenerName);
  if (names.some((name) => !bound.includes(name))) {
    throw new ConfigError(
      `advertised.listeners listener names must be equal to or a subset of the ones defined in listeners. Found ${names.join(',')}. The valid options based on the current configuration are ${bound.join(',')}`,
      { isRequirement: true },
    );
  }
  if (advertised.some((endpoint) => endpoint.host === '0.0.0.0')) {
    throw new ConfigError(
      'advertised.listeners cannot use the nonroutable meta-address 0.0.0.0. Use a routable IP address.',
      { isRequirement: true },
    );
  }
}
