import { produceRequest, produceResponse } from './produce.ts';
import { fetchRequest, fetchResponse } from './fetch.ts';
import { listOffsetsRequest, listOffsetsResponse } from './list-offsets.ts';
import { metadataRequest, metadataResponse } from './metadata.ts';
import { offsetCommitRequest, offsetCommitResponse } from './offset-commit.ts';
import { offsetFetchRequest, offsetFetchResponse } from './offset-fetch.ts';
import { findCoordinatorRequest, findCoordinatorResponse } from './find-coordinator.ts';
import { joinGroupRequest, joinGroupResponse } from './join-group.ts';
import { heartbeatRequest, heartbeatResponse } from './heartbeat.ts';
import { leaveGroupRequest, leaveGroupResponse } from './leave-group.ts';
import { syncGroupRequest, syncGroupResponse } from './sync-group.ts';
import { describeGroupsRequest, describeGroupsResponse } from './describe-groups.ts';
import { listGroupsRequest, listGroupsResponse } from './list-groups.ts';
import { saslHandshakeRequest, saslHandshakeResponse } from './sasl-handshake.ts';
import { apiVersionsRequest, apiVersionsResponse } from './api-versions.ts';
import { createTopicsRequest, createTopicsResponse } from './create-topics.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from './delete-topics.ts';
import { deleteRecordsRequest, deleteRecordsResponse } from './delete-records.ts';
import { initProducerIdRequest, initProducerIdResponse } from './init-producer-id.ts';
import { offsetForLeaderEpochRequest, offsetForLeaderEpochResponse } from './offset-for-leader-epoch.ts';
import { addPartitionsToTxnRequest, addPartitionsToTxnResponse } from './add-partitions-to-txn.ts';
import { addOffsetsToTxnRequest, addOffsetsToTxnResponse } from './add-offsets-to-txn.ts';
import { endTxnRequest, endTxnResponse } from './end-txn.ts';
import { writeTxnMarkersRequest, writeTxnMarkersResponse } from './write-txn-markers.ts';
import { txnOffsetCommitRequest, txnOffsetCommitResponse } from './txn-offset-commit.ts';
import { describeAclsRequest, describeAclsResponse } from './describe-acls.ts';
import { createAclsRequest, createAclsResponse } from './create-acls.ts';
import { deleteAclsRequest, deleteAclsResponse } from './delete-acls.ts';
import { describeConfigsRequest, describeConfigsResponse } from './describe-configs.ts';
import { alterConfigsRequest, alterConfigsResponse } from './alter-configs.ts';
import { alterReplicaLogDirsRequest, alterReplicaLogDirsResponse } from './alter-replica-log-dirs.ts';
import { describeLogDirsRequest, describeLogDirsResponse } from './describe-log-dirs.ts';
import { saslAuthenticateRequest, saslAuthenticateResponse } from './sasl-authenticate.ts';
import { createPartitionsRequest, createPartitionsResponse } from './create-partitions.ts';
import { createDelegationTokenRequest, createDelegationTokenResponse } from './create-delegation-token.ts';
import { renewDelegationTokenRequest, renewDelegationTokenResponse } from './renew-delegation-token.ts';
import { expireDelegationTokenRequest, expireDelegationTokenResponse } from './expire-delegation-token.ts';
import {
  describeDelegationTokenRequest,
  describeDelegationTokenResponse,
} from './describe-delegation-token.ts';
import { deleteGroupsRequest, deleteGroupsResponse } from './delete-groups.ts';
import { electLeadersRequest, electLeadersResponse } from './elect-leaders.ts';
import {
  incrementalAlterConfigsRequest,
  incrementalAlterConfigsResponse,
} from './incremental-alter-configs.ts';
import {
  alterPartitionReassignmentsRequest,
  alterPartitionReassignmentsResponse,
} from './alter-partition-reassignments.ts';
import {
  listPartitionReassignmentsRequest,
  listPartitionReassignmentsResponse,
} from './list-partition-reassignments.ts';
import { offsetDeleteRequest, offsetDeleteResponse } from './offset-delete.ts';
import { describeClientQuotasRequest, describeClientQuotasResponse } from './describe-client-quotas.ts';
import { alterClientQuotasRequest, alterClientQuotasResponse } from './alter-client-quotas.ts';
import {
  describeUserScramCredentialsRequest,
  describeUserScramCredentialsResponse,
} from './describe-user-scram-credentials.ts';
import {
  alterUserScramCredentialsRequest,
  alterUserScramCredentialsResponse,
} from './alter-user-scram-credentials.ts';
import { voteRequest, voteResponse } from './vote.ts';
import { beginQuorumEpochRequest, beginQuorumEpochResponse } from './begin-quorum-epoch.ts';
import { endQuorumEpochRequest, endQuorumEpochResponse } from './end-quorum-epoch.ts';
import { describeQuorumRequest, describeQuorumResponse } from './describe-quorum.ts';
import { alterPartitionRequest, alterPartitionResponse } from './alter-partition.ts';
import { updateFeaturesRequest, updateFeaturesResponse } from './update-features.ts';
import { envelopeRequest, envelopeResponse } from './envelope.ts';
import { fetchSnapshotRequest, fetchSnapshotResponse } from './fetch-snapshot.ts';
import { describeClusterRequest, describeClusterResponse } from './describe-cluster.ts';
import { describeProducersRequest, describeProducersResponse } from './describe-producers.ts';
import { brokerRegistrationRequest, brokerRegistrationResponse } from './broker-registration.ts';
import { brokerHeartbeatRequest, brokerHeartbeatResponse } from './broker-heartbeat.ts';
import { unregisterBrokerRequest, unregisterBrokerResponse } from './unregister-broker.ts';
import { describeTransactionsRequest, describeTransactionsResponse } from './describe-transactions.ts';
import { listTransactionsRequest, listTransactionsResponse } from './list-transactions.ts';
import { allocateProducerIdsRequest, allocateProducerIdsResponse } from './allocate-producer-ids.ts';
import { consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse } from './consumer-group-heartbeat.ts';
import { consumerGroupDescribeRequest, consumerGroupDescribeResponse } from './consumer-group-describe.ts';
import { controllerRegistrationRequest, controllerRegistrationResponse } from './controller-registration.ts';
import {
  getTelemetrySubscriptionsRequest,
  getTelemetrySubscriptionsResponse,
} from './get-telemetry-subscriptions.ts';
import { pushTelemetryRequest, pushTelemetryResponse } from './push-telemetry.ts';
import { assignReplicasToDirsRequest, assignReplicasToDirsResponse } from './assign-replicas-to-dirs.ts';
import { listConfigResourcesRequest, listConfigResourcesResponse } from './list-config-resources.ts';
import {
  describeTopicPartitionsRequest,
  describeTopicPartitionsResponse,
} from './describe-topic-partitions.ts';
import { shareGroupHeartbeatRequest, shareGroupHeartbeatResponse } from './share-group-heartbeat.ts';
import { shareGroupDescribeRequest, shareGroupDescribeResponse } from './share-group-describe.ts';
import { shareFetchRequest, shareFetchResponse } from './share-fetch.ts';
import { shareAcknowledgeRequest, shareAcknowledgeResponse } from './share-acknowledge.ts';
import { addRaftVoterRequest, addRaftVoterResponse } from './add-raft-voter.ts';
import { removeRaftVoterRequest, removeRaftVoterResponse } from './remove-raft-voter.ts';
import { updateRaftVoterRequest, updateRaftVoterResponse } from './update-raft-voter.ts';
import {
  initializeShareGroupStateRequest,
  initializeShareGroupStateResponse,
} from './initialize-share-group-state.ts';
import { readShareGroupStateRequest, readShareGroupStateResponse } from './read-share-group-state.ts';
import { writeShareGroupStateRequest, writeShareGroupStateResponse } from './write-share-group-state.ts';
import { deleteShareGroupStateRequest, deleteShareGroupStateResponse } from './delete-share-group-state.ts';
import {
  readShareGroupStateSummaryRequest,
  readShareGroupStateSummaryResponse,
} from './read-share-group-state-summary.ts';
import { streamsGroupHeartbeatRequest, streamsGroupHeartbeatResponse } from './streams-group-heartbeat.ts';
import { streamsGroupDescribeRequest, streamsGroupDescribeResponse } from './streams-group-describe.ts';
import {
  describeShareGroupOffsetsRequest,
  describeShareGroupOffsetsResponse,
} from './describe-share-group-offsets.ts';
import {
  alterShareGroupOffsetsRequest,
  alterShareGroupOffsetsResponse,
} from './alter-share-group-offsets.ts';
import {
  deleteShareGroupOffsetsRequest,
  deleteShareGroupOffsetsResponse,
} from './delete-share-group-offsets.ts';
import {
  streamsGroupTopologyDescriptionUpdateRequest,
  streamsGroupTopologyDescriptionUpdateResponse,
} from './streams-group-topology-description-update.ts';
import { unregisterControllerRequest, unregisterControllerResponse } from './unregister-controller.ts';

/** Keys of all APIs of the protocol, by Kafka's names. */
export const ApiKeys = {
  Produce: 0,
  Fetch: 1,
  ListOffsets: 2,
  Metadata: 3,
  OffsetCommit: 8,
  OffsetFetch: 9,
  FindCoordinator: 10,
  JoinGroup: 11,
  Heartbeat: 12,
  LeaveGroup: 13,
  SyncGroup: 14,
  DescribeGroups: 15,
  ListGroups: 16,
  SaslHandshake: 17,
  ApiVersions: 18,
  CreateTopics: 19,
  DeleteTopics: 20,
  DeleteRecords: 21,
  InitProducerId: 22,
  OffsetForLeaderEpoch: 23,
  AddPartitionsToTxn: 24,
  AddOffsetsToTxn: 25,
  EndTxn: 26,
  WriteTxnMarkers: 27,
  TxnOffsetCommit: 28,
  DescribeAcls: 29,
  CreateAcls: 30,
  DeleteAcls: 31,
  DescribeConfigs: 32,
  AlterConfigs: 33,
  AlterReplicaLogDirs: 34,
  DescribeLogDirs: 35,
  SaslAuthenticate: 36,
  CreatePartitions: 37,
  CreateDelegationToken: 38,
  RenewDelegationToken: 39,
  ExpireDelegationToken: 40,
  DescribeDelegationToken: 41,
  DeleteGroups: 42,
  ElectLeaders: 43,
  IncrementalAlterConfigs: 44,
  AlterPartitionReassignments: 45,
  ListPartitionReassignments: 46,
  OffsetDelete: 47,
  DescribeClientQuotas: 48,
  AlterClientQuotas: 49,
  DescribeUserScramCredentials: 50,
  AlterUserScramCredentials: 51,
  Vote: 52,
  BeginQuorumEpoch: 53,
  EndQuorumEpoch: 54,
  DescribeQuorum: 55,
  AlterPartition: 56,
  UpdateFeatures: 57,
  Envelope: 58,
  FetchSnapshot: 59,
  DescribeCluster: 60,
  DescribeProducers: 61,
  BrokerRegistration: 62,
  BrokerHeartbeat: 63,
  UnregisterBroker: 64,
  DescribeTransactions: 65,
  ListTransactions: 66,
  AllocateProducerIds: 67,
  ConsumerGroupHeartbeat: 68,
  ConsumerGroupDescribe: 69,
  ControllerRegistration: 70,
  GetTelemetrySubscriptions: 71,
  PushTelemetry: 72,
  AssignReplicasToDirs: 73,
  ListConfigResources: 74,
  DescribeTopicPartitions: 75,
  ShareGroupHeartbeat: 76,
  ShareGroupDescribe: 77,
  ShareFetch: 78,
  ShareAcknowledge: 79,
  AddRaftVoter: 80,
  RemoveRaftVoter: 81,
  UpdateRaftVoter: 82,
  InitializeShareGroupState: 83,
  ReadShareGroupState: 84,
  WriteShareGroupState: 85,
  DeleteShareGroupState: 86,
  ReadShareGroupStateSummary: 87,
  StreamsGroupHeartbeat: 88,
  StreamsGroupDescribe: 89,
  DescribeShareGroupOffsets: 90,
  AlterShareGroupOffsets: 91,
  DeleteShareGroupOffsets: 92,
  StreamsGroupTopologyDescriptionUpdate: 93,
  UnregisterController: 94,
} as const;

/** Request and response of each API, by key. */
export const apiMessages = {
  0: { name: 'Produce', request: produceRequest, response: produceResponse },
  1: { name: 'Fetch', request: fetchRequest, response: fetchResponse },
  2: { name: 'ListOffsets', request: listOffsetsRequest, response: listOffsetsResponse },
  3: { name: 'Metadata', request: metadataRequest, response: metadataResponse },
  8: { name: 'OffsetCommit', request: offsetCommitRequest, response: offsetCommitResponse },
  9: { name: 'OffsetFetch', request: offsetFetchRequest, response: offsetFetchResponse },
  10: { name: 'FindCoordinator', request: findCoordinatorRequest, response: findCoordinatorResponse },
  11: { name: 'JoinGroup', request: joinGroupRequest, response: joinGroupResponse },
  12: { name: 'Heartbeat', request: heartbeatRequest, response: heartbeatResponse },
  13: { name: 'LeaveGroup', request: leaveGroupRequest, response: leaveGroupResponse },
  14: { name: 'SyncGroup', request: syncGroupRequest, response: syncGroupResponse },
  15: { name: 'DescribeGroups', request: describeGroupsRequest, response: describeGroupsResponse },
  16: { name: 'ListGroups', request: listGroupsRequest, response: listGroupsResponse },
  17: { name: 'SaslHandshake', request: saslHandshakeRequest, response: saslHandshakeResponse },
  18: { name: 'ApiVersions', request: apiVersionsRequest, response: apiVersionsResponse },
  19: { name: 'CreateTopics', request: createTopicsRequest, response: createTopicsResponse },
  20: { name: 'DeleteTopics', request: deleteTopicsRequest, response: deleteTopicsResponse },
  21: { name: 'DeleteRecords', request: deleteRecordsRequest, response: deleteRecordsResponse },
  22: { name: 'InitProducerId', request: initProducerIdRequest, response: initProducerIdResponse },
  23: {
    name: 'OffsetForLeaderEpoch',
    request: offsetForLeaderEpochRequest,
    response: offsetForLeaderEpochResponse,
  },
  24: {
    name: 'AddPartitionsToTxn',
    request: addPartitionsToTxnRequest,
    response: addPartitionsToTxnResponse,
  },
  25: { name: 'AddOffsetsToTxn', request: addOffsetsToTxnRequest, response: addOffsetsToTxnResponse },
  26: { name: 'EndTxn', request: endTxnRequest, response: endTxnResponse },
  27: { name: 'WriteTxnMarkers', request: writeTxnMarkersRequest, response: writeTxnMarkersResponse },
  28: { name: 'TxnOffsetCommit', request: txnOffsetCommitRequest, response: txnOffsetCommitResponse },
  29: { name: 'DescribeAcls', request: describeAclsRequest, response: describeAclsResponse },
  30: { name: 'CreateAcls', request: createAclsRequest, response: createAclsResponse },
  31: { name: 'DeleteAcls', request: deleteAclsRequest, response: deleteAclsResponse },
  32: { name: 'DescribeConfigs', request: describeConfigsRequest, response: describeConfigsResponse },
  33: { name: 'AlterConfigs', request: alterConfigsRequest, response: alterConfigsResponse },
  34: {
    name: 'AlterReplicaLogDirs',
    request: alterReplicaLogDirsRequest,
    response: alterReplicaLogDirsResponse,
  },
  35: { name: 'DescribeLogDirs', request: describeLogDirsRequest, response: describeLogDirsResponse },
  36: { name: 'SaslAuthenticate', request: saslAuthenticateRequest, response: saslAuthenticateResponse },
  37: { name: 'CreatePartitions', request: createPartitionsRequest, response: createPartitionsResponse },
  38: {
    name: 'CreateDelegationToken',
    request: createDelegationTokenRequest,
    response: createDelegationTokenResponse,
  },
  39: {
    name: 'RenewDelegationToken',
    request: renewDelegationTokenRequest,
    response: renewDelegationTokenResponse,
  },
  40: {
    name: 'ExpireDelegationToken',
    request: expireDelegationTokenRequest,
    response: expireDelegationTokenResponse,
  },
  41: {
    name: 'DescribeDelegationToken',
    request: describeDelegationTokenRequest,
    response: describeDelegationTokenResponse,
  },
  42: { name: 'DeleteGroups', request: deleteGroupsRequest, response: deleteGroupsResponse },
  43: { name: 'ElectLeaders', request: electLeadersRequest, response: electLeadersResponse },
  44: {
    name: 'IncrementalAlterConfigs',
    request: incrementalAlterConfigsRequest,
    response: incrementalAlterConfigsResponse,
  },
  45: {
    name: 'AlterPartitionReassignments',
    request: alterPartitionReassignmentsRequest,
    response: alterPartitionReassignmentsResponse,
  },
  46: {
    name: 'ListPartitionReassignments',
    request: listPartitionReassignmentsRequest,
    response: listPartitionReassignmentsResponse,
  },
  47: { name: 'OffsetDelete', request: offsetDeleteRequest, response: offsetDeleteResponse },
  48: {
    name: 'DescribeClientQuotas',
    request: describeClientQuotasRequest,
    response: describeClientQuotasResponse,
  },
  49: { name: 'AlterClientQuotas', request: alterClientQuotasRequest, response: alterClientQuotasResponse },
  50: {
    name: 'DescribeUserScramCredentials',
    request: describeUserScramCredentialsRequest,
    response: describeUserScramCredentialsResponse,
  },
  51: {
    name: 'AlterUserScramCredentials',
    request: alterUserScramCredentialsRequest,
    response: alterUserScramCredentialsResponse,
  },
  52: { name: 'Vote', request: voteRequest, response: voteResponse },
  53: { name: 'BeginQuorumEpoch', request: beginQuorumEpochRequest, response: beginQuorumEpochResponse },
  54: { name: 'EndQuorumEpoch', request: endQuorumEpochRequest, response: endQuorumEpochResponse },
  55: { name: 'DescribeQuorum', request: describeQuorumRequest, response: describeQuorumResponse },
  56: { name: 'AlterPartition', request: alterPartitionRequest, response: alterPartitionResponse },
  57: { name: 'UpdateFeatures', request: updateFeaturesRequest, response: updateFeaturesResponse },
  58: { name: 'Envelope', request: envelopeRequest, response: envelopeResponse },
  59: { name: 'FetchSnapshot', request: fetchSnapshotRequest, response: fetchSnapshotResponse },
  60: { name: 'DescribeCluster', request: describeClusterRequest, response: describeClusterResponse },
  61: { name: 'DescribeProducers', request: describeProducersRequest, response: describeProducersResponse },
  62: {
    name: 'BrokerRegistration',
    request: brokerRegistrationRequest,
    response: brokerRegistrationResponse,
  },
  63: { name: 'BrokerHeartbeat', request: brokerHeartbeatRequest, response: brokerHeartbeatResponse },
  64: { name: 'UnregisterBroker', request: unregisterBrokerRequest, response: unregisterBrokerResponse },
  65: {
    name: 'DescribeTransactions',
    request: describeTransactionsRequest,
    response: describeTransactionsResponse,
  },
  66: { name: 'ListTransactions', request: listTransactionsRequest, response: listTransactionsResponse },
  67: {
    name: 'AllocateProducerIds',
    request: allocateProducerIdsRequest,
    response: allocateProducerIdsResponse,
  },
  68: {
    name: 'ConsumerGroupHeartbeat',
    request: consumerGroupHeartbeatRequest,
    response: consumerGroupHeartbeatResponse,
  },
  69: {
    name: 'ConsumerGroupDescribe',
    request: consumerGroupDescribeRequest,
    response: consumerGroupDescribeResponse,
  },
  70: {
    name: 'ControllerRegistration',
    request: controllerRegistrationRequest,
    response: controllerRegistrationResponse,
  },
  71: {
    name: 'GetTelemetrySubscriptions',
    request: getTelemetrySubscriptionsRequest,
    response: getTelemetrySubscriptionsResponse,
  },
  72: { name: 'PushTelemetry', request: pushTelemetryRequest, response: pushTelemetryResponse },
  73: {
    name: 'AssignReplicasToDirs',
    request: assignReplicasToDirsRequest,
    response: assignReplicasToDirsResponse,
  },
  74: {
    name: 'ListConfigResources',
    request: listConfigResourcesRequest,
    response: listConfigResourcesResponse,
  },
  75: {
    name: 'DescribeTopicPartitions',
    request: describeTopicPartitionsRequest,
    response: describeTopicPartitionsResponse,
  },
  76: {
    name: 'ShareGroupHeartbeat',
    request: shareGroupHeartbeatRequest,
    response: shareGroupHeartbeatResponse,
  },
  77: {
    name: 'ShareGroupDescribe',
    request: shareGroupDescribeRequest,
    response: shareGroupDescribeResponse,
  },
  78: { name: 'ShareFetch', request: shareFetchRequest, response: shareFetchResponse },
  79: { name: 'ShareAcknowledge', request: shareAcknowledgeRequest, response: shareAcknowledgeResponse },
  80: { name: 'AddRaftVoter', request: addRaftVoterRequest, response: addRaftVoterResponse },
  81: { name: 'RemoveRaftVoter', request: removeRaftVoterRequest, response: removeRaftVoterResponse },
  82: { name: 'UpdateRaftVoter', request: updateRaftVoterRequest, response: updateRaftVoterResponse },
  83: {
    name: 'InitializeShareGroupState',
    request: initializeShareGroupStateRequest,
    response: initializeShareGroupStateResponse,
  },
  84: {
    name: 'ReadShareGroupState',
    request: readShareGroupStateRequest,
    response: readShareGroupStateResponse,
  },
  85: {
    name: 'WriteShareGroupState',
    request: writeShareGroupStateRequest,
    response: writeShareGroupStateResponse,
  },
  86: {
    name: 'DeleteShareGroupState',
    request: deleteShareGroupStateRequest,
    response: deleteShareGroupStateResponse,
  },
  87: {
    name: 'ReadShareGroupStateSummary',
    request: readShareGroupStateSummaryRequest,
    response: readShareGroupStateSummaryResponse,
  },
  88: {
    name: 'StreamsGroupHeartbeat',
    request: streamsGroupHeartbeatRequest,
    response: streamsGroupHeartbeatResponse,
  },
  89: {
    name: 'StreamsGroupDescribe',
    request: streamsGroupDescribeRequest,
    response: streamsGroupDescribeResponse,
  },
  90: {
    name: 'DescribeShareGroupOffsets',
    request: describeShareGroupOffsetsRequest,
    response: describeShareGroupOffsetsResponse,
  },
  91: {
    name: 'AlterShareGroupOffsets',
    request: alterShareGroupOffsetsRequest,
    response: alterShareGroupOffsetsResponse,
  },
  92: {
    name: 'DeleteShareGroupOffsets',
    request: deleteShareGroupOffsetsRequest,
    response: deleteShareGroupOffsetsResponse,
  },
  93: {
    name: 'StreamsGroupTopologyDescriptionUpdate',
    request: streamsGroupTopologyDescriptionUpdateRequest,
    response: streamsGroupTopologyDescriptionUpdateResponse,
  },
  94: {
    name: 'UnregisterController',
    request: unregisterControllerRequest,
    response: unregisterControllerResponse,
  },
} as const;
