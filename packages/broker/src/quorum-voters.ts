import { ZERO_UUID } from '@ottla/protocol';
import type { BrokerConfig } from './config/broker-config.ts';
import type { Voter } from './controller/metadata-batches.ts';

/** Where Kafka's own single-node configuration puts the controller. */
const DEFAULT_CONTROLLER_PORT = 9093;

/** `id@host:port`; the host may be an IPv6 address in brackets. */
const VOTER = /^(\d+)@\[?(.*?)\]?:(\d+)$/;

/** The voters of the metadata log as far as the configuration says who they are. */
export interface QuorumVoters {
  /**
   * Goes into a new metadata log, where a real Kafka reads it: this node, reached under the controller listener that it
   * would bind. Null when the configuration names the voters.
   */
  readonly firstVoter: Voter | null;
  /** Who votes while the log itself names no voters; without directory ids, as Kafka has it for a static quorum. */
  readonly staticVoters: readonly Voter[];
}

/** What `controller.quorum.voters` and the controller listeners amount to. */
export function quorumVoters(config: BrokerConfig, directoryId: string): QuorumVoters {
  const own = ownVoter(config, directoryId);
  const name = config.controllerListenerName;
  const named = config.get('controller.quorum.voters').map((voter): Voter => {
    const [, id, host = '', port] = VOTER.exec(voter) ?? [];
    return { voterId: Number(id), directoryId: ZERO_UUID, endpoints: [{ name, host, port: Number(port) }] };
  });
  if (named.length > 0) return { firstVoter: null, staticVoters: named };
  return { firstVoter: own, staticVoters: [{ ...own, directoryId: ZERO_UUID }] };
}

function ownVoter(config: BrokerConfig, directoryId: string): Voter {
  const bound = config.listeners.controller.map(({ listenerName, host, port }) => ({
    name: listenerName,
    host: host === '' ? 'localhost' : host,
    port,
  }));
  const unbound = { name: config.controllerListenerName, host: 'localhost', port: DEFAULT_CONTROLLER_PORT };
  return { voterId: config.nodeId, directoryId, endpoints: bound.length > 0 ? bound : [unbound] };
}
