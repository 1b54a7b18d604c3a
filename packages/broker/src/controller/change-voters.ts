import { ErrorCodes, ZERO_UUID } from '@ottla/protocol';
import type { ItemResult, QuorumDescription } from './controller.ts';

/** A voter as requests name it (KIP-853): node id and the id of the directory that holds its metadata log. */
export interface VoterKey {
  readonly clusterId: string | null;
  readonly voterId: number;
  readonly directoryId: string;
}

export interface NewVoter extends VoterKey {
  readonly endpoints: readonly { readonly name: string; readonly host: string; readonly port: number }[];
}

/** The quorum, the cluster it belongs to and the listener by which its voters reach each other. */
export interface Quorum {
  readonly clusterId: string;
  readonly description: QuorumDescription;
  readonly listenerName: string;
}

/**
 * AddRaftVoter (KIP-853), as far as it can come with one voter that replicates its log to nobody: a new voter never catches
 * up, which Kafka reports as a timeout.
 */
export function addVoter(quorum: Quorum, voter: NewVoter): ItemResult {
  const refusal = keyRefusal(quorum, voter, 'Add');
  if (refusal !== null) return refusal;
  if (!voter.endpoints.some(({ name }) => name === quorum.listenerName)) {
    const given = voter.endpoints.map(
      ({ name, host, port }) => `ListenerName(${name})=${host}/<unresolved>:${port}`,
    );
    return invalid(
      `Add voter request didn't include the endpoint (Endpoints(endpoints={${given.join(', ')}})) ` +
        `for the default listener ListenerName(${quorum.listenerName})`,
    );
  }
  const { kraftVersion, voters } = quorum.description;
  if (kraftVersion === 0) return unsupported('adding');
  if (voters.some(({ voterId }) => voterId === voter.voterId)) {
    const errorMessage =
      `The voter id for ${keyText(voter)} is already part of the set of voters ` +
      `[${voters.map(keyText).join(', ')}].`;
    return { errorCode: ErrorCodes.DUPLICATE_VOTER, errorMessage };
  }
  const errorMessage = `New voter ${keyText(voter)} is not ready to receive requests`;
  return { errorCode: ErrorCodes.REQUEST_TIMED_OUT, errorMessage };
}

/** RemoveRaftVoter (KIP-853): there is one voter, and the last one stays. */
export function removeVoter(quorum: Quorum, voter: VoterKey): ItemResult {
  const refusal = keyRefusal(quorum, voter, 'Remove');
  if (refusal !== null) return refusal;
  const { kraftVersion, voters } = quorum.description;
  if (kraftVersion === 0) return unsupported('removing');
  const errorMessage =
    `Cannot remove voter ${keyText(voter)} from the set of voters ` + `[${voters.map(keyText).join(', ')}]`;
  return { errorCode: ErrorCodes.VOTER_NOT_FOUND, errorMessage };
}

function keyRefusal(quorum: Quorum, voter: VoterKey, verb: 'Add' | 'Remove'): ItemResult | null {
  if (voter.clusterId !== null && voter.clusterId !== quorum.clusterId) {
    const errorMessage = `The given id "${voter.clusterId}" doesn't match the cluster id "${quorum.clusterId}"`;
    return { errorCode: ErrorCodes.INCONSISTENT_CLUSTER_ID, errorMessage };
  }
  if (voter.voterId < 0 || voter.directoryId === ZERO_UUID) {
    return invalid(`${verb} voter request didn't include a valid voter`);
  }
  return null;
}

function keyText({
  voterId,
  directoryId,
}: {
  readonly voterId: number;
  readonly directoryId: string;
}): string {
  return `ReplicaKey(id=${voterId}, directoryId=${directoryId})`;
}

function invalid(errorMessage: string): ItemResult {
  return { errorCode: ErrorCodes.INVALID_REQUEST, errorMessage };
}

function unsupported(verb: string): ItemResult {
  const errorMessage = `Cluster doesn't support ${verb} voter because the kraft.version feature is 0`;
  return { errorCode: ErrorCodes.UNSUPPORTED_VERSION, errorMessage };
}
