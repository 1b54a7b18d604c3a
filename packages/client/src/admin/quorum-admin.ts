import { ErrorCodes, ZERO_UUID } from '@ottla/protocol';
import type { CallLimits } from '../cluster/limits.ts';
import { brokerError, throwIfError } from '../errors/kafka-error.ts';
import { apis } from '../network/apis.ts';
import type { AdminRequests } from './admin-requests.ts';

/** A voter or observer of the metadata log. Times are milliseconds since the epoch. */
export interface QuorumReplica {
  readonly replicaId: number;
  /** Undefined before KIP-853. */
  readonly directoryId: string | undefined;
  readonly logEndOffset: number;
  readonly lastFetchTimestampMs: number | undefined;
  readonly lastCaughtUpTimestampMs: number | undefined;
}

/** The quorum as its leader sees it. */
export interface QuorumDescription {
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly highWatermark: number;
  readonly voters: readonly QuorumReplica[];
  readonly observers: readonly QuorumReplica[];
  /** Endpoints of controllers, by node id; empty before KIP-853. */
  readonly nodes: ReadonlyMap<
    number,
    readonly { readonly name: string; readonly host: string; readonly port: number }[]
  >;
}

/** The quorum of controllers (KIP-595, KIP-853). */
export class QuorumAdmin {
  readonly #requests: AdminRequests;

  constructor(requests: AdminRequests) {
    this.#requests = requests;
  }

  /** Who leads the metadata log, and how far the others are. */
  describe(options: CallLimits = {}): Promise<QuorumDescription> {
    const body = { topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }] };
    return this.#requests.ask('controller', { api: apis.describeQuorum, body }, options, (answer) => {
      throwIfError(answer.errorCode, answer.errorMessage);
      const partition = answer.topics[0]?.partitions[0];
      if (partition === undefined)
        throw brokerError(ErrorCodes.UNKNOWN_SERVER_ERROR, 'The broker did not describe the metadata log');
      throwIfError(partition.errorCode, partition.errorMessage);
      return {
        leaderId: partition.leaderId,
        leaderEpoch: partition.leaderEpoch,
        highWatermark: partition.highWatermark,
        voters: partition.currentVoters.map(replicaOf),
        observers: partition.observers.map(replicaOf),
        nodes: new Map(answer.nodes.map(({ nodeId, listeners }) => [nodeId, listeners])),
      };
    });
  }

  /** Adds a voter: a controller that runs as an observer. */
  addVoter(
    voter: {
      readonly voterId: number;
      readonly directoryId: string;
      readonly endpoints: readonly { readonly name: string; readonly host: string; readonly port: number }[];
    },
    options: CallLimits & { readonly clusterId?: string } = {},
  ): Promise<void> {
    const { voterId, directoryId, endpoints } = voter;
    const body = {
      clusterId: options.clusterId ?? null,
      timeoutMs: options.timeoutMs ?? this.#requests.cluster.options.requestTimeoutMs,
      voterId,
      voterDirectoryId: directoryId,
      listeners: endpoints,
    };
    return this.#requests.ask(
      'controller',
      { api: apis.addRaftVoter, body },
      options,
      ({ errorCode, errorMessage }) => throwIfError(errorCode, errorMessage, `voter ${voterId}`),
    );
  }

  /** Removes a voter. */
  removeVoter(
    voter: { readonly voterId: number; readonly directoryId: string },
    options: CallLimits & { readonly clusterId?: string } = {},
  ): Promise<void> {
    const { voterId, directoryId } = voter;
    const body = { clusterId: options.clusterId ?? null, voterId, voterDirectoryId: directoryId };
    return this.#requests.ask(
      'controller',
      { api: apis.removeRaftVoter, body },
      options,
      ({ errorCode, errorMessage }) => throwIfError(errorCode, errorMessage, `voter ${voterId}`),
    );
  }

  /** Removes a controller that is shut down for good from the metadata. */
  unregisterController(controllerId: number, options: CallLimits = {}): Promise<void> {
    const request = { api: apis.unregisterController, body: { controllerId } };
    return this.#requests.ask('controller', request, options, ({ errorCode, errorMessage }) =>
      throwIfError(errorCode, errorMessage, `controller ${controllerId}`),
    );
  }
}

function replicaOf(replica: {
  readonly replicaId: number;
  readonly replicaDirectoryId: string;
  readonly logEndOffset: number;
  readonly lastFetchTimestamp: number;
  readonly lastCaughtUpTimestamp: number;
}): QuorumReplica {
  return {
    replicaId: replica.replicaId,
    directoryId: replica.replicaDirectoryId === ZERO_UUID ? undefined : replica.replicaDirectoryId,
    logEndOffset: replica.logEndOffset,
    lastFetchTimestampMs: replica.lastFetchTimestamp < 0 ? undefined : replica.lastFetchTimestamp,
    lastCaughtUpTimestampMs: replica.lastCaughtUpTimestamp < 0 ? undefined : replica.lastCaughtUpTimestamp,
  };
}
