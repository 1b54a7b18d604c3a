import { isResolvableHost, type Clock } from '@ottla/platform';
import type { BrokerConfig } from '../config/broker-config.ts';
import type { Quorum } from '../controller/change-voters.ts';
import type { Controller } from '../controller/controller.ts';
import type { MetadataStore } from '../metadata/image.ts';
import { addRaftVoterHandler } from './add-raft-voter.ts';
import { alterClientQuotasHandler } from './alter-client-quotas.ts';
import { alterUserScramCredentialsHandler } from './alter-user-scram-credentials.ts';
import { describeClientQuotasHandler } from './describe-client-quotas.ts';
import { describeUserScramCredentialsHandler } from './describe-user-scram-credentials.ts';
import { alterPartitionReassignmentsHandler } from './alter-partition-reassignments.ts';
import { createAclsHandler } from './create-acls.ts';
import { createDelegationTokenHandler } from './create-delegation-token.ts';
import { deleteAclsHandler } from './delete-acls.ts';
import { describeAclsHandler } from './describe-acls.ts';
import { describeClusterHandler } from './describe-cluster.ts';
import { describeDelegationTokenHandler } from './describe-delegation-token.ts';
import { describeQuorumHandler } from './describe-quorum.ts';
import { electLeadersHandler } from './elect-leaders.ts';
import { expireDelegationTokenHandler } from './expire-delegation-token.ts';
import type { AnyApiHandler } from './handler.ts';
import { listPartitionReassignmentsHandler } from './list-partition-reassignments.ts';
import { removeRaftVoterHandler } from './remove-raft-voter.ts';
import { renewDelegationTokenHandler } from './renew-delegation-token.ts';
import { unregisterBrokerHandler } from './unregister-broker.ts';
import { updateFeaturesHandler } from './update-features.ts';

export interface ClusterParts {
  readonly config: () => BrokerConfig;
  readonly metadata: MetadataStore;
  readonly controller: Controller;
  readonly clock: Clock;
}

/** The cluster as a whole: its brokers, its quorum, where its partitions are, and who may do what. */
export function clusterHandlers(parts: ClusterParts): AnyApiHandler[] {
  const { metadata, controller, clock } = parts;
  const quorum = (): Quorum => quorumOf(parts);
  return [
    describeClusterHandler({ metadata }),
    describeQuorumHandler({ controller, clock }),
    addRaftVoterHandler({ quorum }),
    removeRaftVoterHandler({ quorum }),
    unregisterBrokerHandler({ controller }),
    updateFeaturesHandler({ controller }),
    electLeadersHandler({ controller }),
    alterPartitionReassignmentsHandler({ controller }),
    listPartitionReassignmentsHandler({ metadata }),
    describeUserScramCredentialsHandler({ metadata }),
    alterUserScramCredentialsHandler({ controller }),
    describeClientQuotasHandler({ metadata }),
    alterClientQuotasHandler({ controller, isResolvableHost }),
    describeAclsHandler(),
    createAclsHandler(),
    deleteAclsHandler(),
    createDelegationTokenHandler(),
    renewDelegationTokenHandler(),
    expireDelegationTokenHandler(),
    describeDelegationTokenHandler(),
  ];
}

function quorumOf({ config, metadata, controller }: ClusterParts): Quorum {
  return {
    clusterId: metadata.current().clusterId,
    description: controller.describeQuorum(),
    listenerName: config().controllerListenerName,
  };
}
