import { ZERO_UUID } from '@ottla/protocol';
import type { CallLimits } from '../cluster/limits.ts';
import { type KafkaError, throwIfError } from '../errors/kafka-error.ts';
import { apis } from '../network/apis.ts';
import { operationsOf, type AclOperation } from './acl-names.ts';
import type { AdminRequests } from './admin-requests.ts';

/** A broker of the cluster. */
export interface NodeDescription {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
  /** Registered, but not in service (KIP-1073); false when the broker does not say. */
  readonly isFenced: boolean;
}

/** The cluster as one of its brokers knows it. */
export interface ClusterDescription {
  readonly clusterId: string;
  /** With KRaft any broker, which forwards to the controller; -1 when there is none. */
  readonly controllerId: number;
  readonly nodes: readonly NodeDescription[];
  readonly authorizedOperations: readonly AclOperation[] | undefined;
}

/** The cluster as a whole: its nodes. */
export class ClusterAdmin {
  readonly #requests: AdminRequests;

  constructor(requests: AdminRequests) {
    this.#requests = requests;
  }

  /** Who is in the cluster. */
  async describe(
    options: CallLimits & {
      readonly includeAuthorizedOperations?: boolean;
      readonly includeFencedBrokers?: boolean;
    } = {},
  ): Promise<ClusterDescription> {
    const body = {
      includeClusterAuthorizedOperations: options.includeAuthorizedOperations ?? false,
      ...(options.includeFencedBrokers === true && { includeFencedBrokers: true }),
    };
    return this.#requests.ask('any', { api: apis.describeCluster, body }, options, (answer) => {
      throwIfError(answer.errorCode, answer.errorMessage);
      return {
        clusterId: answer.clusterId,
        controllerId: answer.controllerId,
        nodes: answer.brokers.map(({ brokerId, host, port, rack, isFenced }) => ({
          nodeId: brokerId,
          host,
          port,
          rack,
          isFenced,
        })),
        authorizedOperations: operationsOf(answer.clusterAuthorizedOperations),
      };
    });
  }

  /** Removes a broker that is shut down for good from the metadata. */
  unregisterBroker(brokerId: number, options: CallLimits = {}): Promise<void> {
    const request = { api: apis.unregisterBroker, body: { brokerId } };
    return this.#requests.ask('controller', request, options, ({ errorCode, errorMessage }) =>
      throwIfError(errorCode, errorMessage, `broker ${brokerId}`),
    );
  }

  /** The id that the cluster's metrics know this client by (KIP-714). Throws UNSUPPORTED_VERSION where no broker collects metrics. */
  clientInstanceId(options: CallLimits = {}): Promise<string> {
    const request = { api: apis.getTelemetrySubscriptions, body: { clientInstanceId: ZERO_UUID } };
    return this.#requests.ask('any', request, options, ({ errorCode, clientInstanceId }) => {
      throwIfError(errorCode);
      return clientInstanceId;
    });
  }

  /** Versions of every API at each broker of the cluster by its key; a broker that cannot be reached has its error. */
  async apiVersions(
    options: CallLimits = {},
  ): Promise<
    ReadonlyMap<number, ReadonlyMap<number, { readonly min: number; readonly max: number }> | KafkaError>
  > {
    const { cluster } = this.#requests;
    const { brokers } = await cluster.refreshMetadata({}, options);
    return this.#requests.toNodes(
      'Asking for versions',
      [...brokers.keys()],
      options,
      async (nodeId, attempt) => {
        const features = await cluster.features(nodeId, {
          timeoutMs: attempt.remainingMs,
          signal: attempt.signal,
        });
        return features.versions;
      },
    );
  }
}
