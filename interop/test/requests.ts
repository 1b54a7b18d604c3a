import {
  apiVersionsRequest,
  apiVersionsResponse,
  createTopicsRequest,
  createTopicsResponse,
  decodeResponse,
  encodeBatch,
  encodeRequest,
  type MessageInput,
  type MessageSchema,
} from '@ottla/protocol';
import { RawConnection } from '../src/index.ts';
import { interop } from './support.ts';

/** What a well-formed request needs to know of the broker. */
export interface RequestWorld {
  readonly topic: string;
  readonly topicId: string;
  /** A name no other request uses. */
  readonly fresh: string;
  /** The version asked for: a field that it does not carry must stay out of the body. */
  readonly version: number;
}

let correlationId = 100;

/** Sends a request and decodes its answer strictly. Throws when the connection ends or the correlation id is wrong. */
export async function call<Q, A>(
  connection: RawConnection,
  api: { readonly request: MessageSchema<Q>; readonly response: MessageSchema<A>; readonly version: number },
  body: MessageInput<Q>,
): Promise<A> {
  const id = (correlationId += 1);
  connection.send(
    ...encodeRequest(api.request, api.version, { correlationId: id, clientId: 'interop' }, body),
  );
  const frame = await connection.receive();
  if (frame === undefined) throw new Error('no answer');
  const answer = decodeResponse(api.response, api.version, frame);
  if (answer.correlationId !== id) throw new Error(`correlation id ${answer.correlationId} instead of ${id}`);
  return answer.value;
}

/** Whether the shared broker announces the API. */
export async function announces(apiKey: number): Promise<boolean> {
  const connection = await RawConnection.open(interop.port);
  const api = { request: apiVersionsRequest, response: apiVersionsResponse, version: 3 };
  const software = { clientSoftwareName: 'interop', clientSoftwareVersion: '1' };
  const answer = await call(connection, api, software);
  connection.close();
  return answer.apiKeys.some((each) => each.apiKey === apiKey);
}

/** Creates a topic and returns its id. */
export async function createTopic(
  name: string,
  port = interop.port,
  config: Readonly<Record<string, string>> = {},
): Promise<string> {
  const connection = await RawConnection.open(port);
  const api = { request: createTopicsRequest, response: createTopicsResponse, version: 7 };
  const configs = Object.entries(config).map(([key, value]) => ({ name: key, value }));
  const topics = [{ name, numPartitions: 1, replicationFactor: 1, configs }];
  const answer = await call(connection, api, { topics, timeoutMs: 10_000 });
  connection.close();
  return answer.topics[0]!.topicId;
}

/** A batch of one record. */
export const batch = (): Buffer =>
  encodeBatch({ records: [{ timestamp: Date.now(), value: Buffer.from('swept') }] });

/** Bodies that make a broker do its work, by API; an API without one is asked with the defaults of its fields. */
export const bodies: Readonly<Record<string, (world: RequestWorld) => object>> = {
  Produce: ({ topic, topicId }) => ({
    acks: -1,
    timeoutMs: 5000,
    topicData: [{ name: topic, topicId, partitionData: [{ index: 0, records: batch() }] }],
  }),
  Fetch: ({ topic, topicId }) => ({
    replicaId: -1,
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 1_000_000,
    sessionEpoch: -1,
    topics: [{ topic, topicId, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 100_000 }] }],
  }),
  ListOffsets: ({ topic }) => ({
    replicaId: -1,
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
  }),
  Metadata: ({ topic }) => ({ topics: [{ name: topic }] }),
  OffsetCommit: ({ topic, topicId, fresh }) => ({
    groupId: fresh,
    generationIdOrMemberEpoch: -1,
    topics: [{ name: topic, topicId, partitions: [{ partitionIndex: 0, committedOffset: 1 }] }],
  }),
  OffsetFetch: ({ topic, topicId, fresh, version }) =>
    version < 8
      ? { groupId: fresh, topics: [{ name: topic, partitionIndexes: [0] }] }
      : { groups: [{ groupId: fresh, topics: [{ name: topic, topicId, partitionIndexes: [0] }] }] },
  FindCoordinator: ({ fresh, version }) => (version < 4 ? { key: fresh } : { coordinatorKeys: [fresh] }),
  JoinGroup: ({ fresh }) => ({
    groupId: fresh,
    sessionTimeoutMs: 6000,
    rebalanceTimeoutMs: 1000,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.from('00000000000000000000', 'hex') }],
  }),
  Heartbeat: ({ fresh }) => ({ groupId: fresh, generationId: 1, memberId: 'nobody' }),
  LeaveGroup: ({ fresh, version }) =>
    version < 3
      ? { groupId: fresh, memberId: 'nobody' }
      : { groupId: fresh, members: [{ memberId: 'nobody' }] },
  SyncGroup: ({ fresh }) => ({
    groupId: fresh,
    generationId: 1,
    memberId: 'nobody',
    protocolType: 'consumer',
    protocolName: 'range',
  }),
  DescribeGroups: ({ fresh }) => ({ groups: [fresh] }),
  ApiVersions: () => ({ clientSoftwareName: 'interop', clientSoftwareVersion: '1.0' }),
  CreateTopics: ({ fresh }) => ({
    topics: [{ name: fresh, numPartitions: 1, replicationFactor: 1 }],
    timeoutMs: 5000,
  }),
  DeleteTopics: ({ fresh, version }) =>
    version < 6 ? { topicNames: [fresh], timeoutMs: 5000 } : { topics: [{ name: fresh }], timeoutMs: 5000 },
  DeleteRecords: ({ topic }) => ({
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset: 0 }] }],
    timeoutMs: 5000,
  }),
  InitProducerId: () => ({ transactionalId: null, transactionTimeoutMs: 60_000 }),
  OffsetForLeaderEpoch: ({ topic }) => ({
    replicaId: -2,
    topics: [{ topic, partitions: [{ partition: 0, leaderEpoch: 0 }] }],
  }),
  DescribeConfigs: ({ topic }) => ({
    resources: [{ resourceType: 2, resourceName: topic, configurationKeys: null }],
  }),
  AlterConfigs: ({ topic }) => ({
    resources: [{ resourceType: 2, resourceName: topic, configs: [{ name: 'retention.ms', value: '1' }] }],
    validateOnly: true,
  }),
  IncrementalAlterConfigs: ({ topic }) => ({
    resources: [
      {
        resourceType: 2,
        resourceName: topic,
        configs: [{ name: 'retention.ms', configOperation: 0, value: '1' }],
      },
    ],
    validateOnly: true,
  }),
  DescribeLogDirs: ({ topic }) => ({ topics: [{ topic, partitions: [0] }] }),
  CreatePartitions: ({ fresh }) => ({
    topics: [{ name: fresh, count: 2, assignments: null }],
    timeoutMs: 5000,
  }),
  DeleteGroups: ({ fresh }) => ({ groupsNames: [fresh] }),
  AddOffsetsToTxn: ({ fresh }) => ({ transactionalId: fresh, producerId: 1, groupId: fresh }),
  EndTxn: ({ fresh }) => ({ transactionalId: fresh, producerId: 1 }),
  WriteTxnMarkers: ({ topic }) => ({
    markers: [{ producerId: 1, producerEpoch: 0, topics: [{ name: topic, partitionIndexes: [0] }] }],
  }),
  TxnOffsetCommit: ({ topic, fresh }) => ({
    transactionalId: fresh,
    groupId: fresh,
    producerId: 1,
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, committedOffset: 1 }] }],
  }),
  DescribeProducers: ({ topic }) => ({ topics: [{ name: topic, partitionIndexes: [0] }] }),
  DescribeTransactions: ({ fresh }) => ({ transactionalIds: [fresh] }),
  ListTransactions: () => ({ stateFilters: ['Ongoing'] }),
  ConsumerGroupHeartbeat: ({ topic, fresh }) => ({
    groupId: fresh,
    memberId: 'AAAAAAAAAAAAAAAAAAAAAQ',
    memberEpoch: 0,
    rebalanceTimeoutMs: 1000,
    subscribedTopicNames: [topic],
    topicPartitions: [],
  }),
  ConsumerGroupDescribe: ({ fresh }) => ({ groupIds: [fresh] }),
  StreamsGroupHeartbeat: ({ topic, fresh }) => ({
    groupId: fresh,
    memberId: 'AAAAAAAAAAAAAAAAAAAAAQ',
    memberEpoch: 0,
    endpointInformationEpoch: -1,
    rebalanceTimeoutMs: 1000,
    topology: { epoch: 0, subtopologies: [{ subtopologyId: '0', sourceTopics: [topic] }] },
    activeTasks: [],
    standbyTasks: [],
    warmupTasks: [],
    processId: fresh,
    clientTags: [],
  }),
  StreamsGroupDescribe: ({ fresh }) => ({ groupIds: [fresh] }),
  ShareGroupHeartbeat: ({ topic, fresh }) => ({
    groupId: fresh,
    memberId: 'AAAAAAAAAAAAAAAAAAAAAQ',
    memberEpoch: 0,
    subscribedTopicNames: [topic],
  }),
  ShareGroupDescribe: ({ fresh }) => ({ groupIds: [fresh] }),
  // A session without partitions: a group that no member has joined has no state to fetch by.
  ShareFetch: ({ fresh }) => ({
    groupId: fresh,
    memberId: 'AAAAAAAAAAAAAAAAAAAAAQ',
    maxRecords: 10,
    batchSize: 10,
  }),
  ShareAcknowledge: ({ topicId, fresh }) => ({
    groupId: fresh,
    memberId: 'AAAAAAAAAAAAAAAAAAAAAQ',
    shareSessionEpoch: 1,
    topics: [{ topicId, partitions: [{ partitionIndex: 0 }] }],
  }),
  InitializeShareGroupState: ({ topicId, fresh }) => ({
    groupId: fresh,
    topics: [{ topicId, partitions: [{ partition: 0 }] }],
  }),
  ReadShareGroupState: ({ topicId, fresh }) => ({
    groupId: fresh,
    topics: [{ topicId, partitions: [{ partition: 0 }] }],
  }),
  WriteShareGroupState: ({ topicId, fresh }) => ({
    groupId: fresh,
    topics: [{ topicId, partitions: [{ partition: 0 }] }],
  }),
  DeleteShareGroupState: ({ topicId, fresh }) => ({
    groupId: fresh,
    topics: [{ topicId, partitions: [{ partition: 0 }] }],
  }),
  ReadShareGroupStateSummary: ({ topicId, fresh }) => ({
    groupId: fresh,
    topics: [{ topicId, partitions: [{ partition: 0 }] }],
  }),
  DescribeShareGroupOffsets: ({ topic, fresh }) => ({
    groups: [{ groupId: fresh, topics: [{ topicName: topic, partitions: [0] }] }],
  }),
  AlterShareGroupOffsets: ({ topic, fresh }) => ({
    groupId: fresh,
    topics: [{ topicName: topic, partitions: [{ partitionIndex: 0, startOffset: 0 }] }],
  }),
  DeleteShareGroupOffsets: ({ topic, fresh }) => ({ groupId: fresh, topics: [{ topicName: topic }] }),
  OffsetDelete: ({ topic, fresh }) => ({
    groupId: fresh,
    topics: [{ name: topic, partitions: [{ partitionIndex: 0 }] }],
  }),
  AddPartitionsToTxn: ({ topic, fresh, version }) =>
    version < 4
      ? { v3AndBelowTransactionalId: fresh, v3AndBelowTopics: [{ name: topic, partitions: [0] }] }
      : {
          transactions: [
            { transactionalId: fresh, producerId: 1, topics: [{ name: topic, partitions: [0] }] },
          ],
        },
  DescribeAcls: () => ({ resourceTypeFilter: 1, patternTypeFilter: 1, operation: 1, permissionType: 1 }),
  DescribeQuorum: () => ({
    topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }],
  }),
  ElectLeaders: ({ topic }) => ({ topicPartitions: [{ topic, partitions: [0] }], timeoutMs: 5000 }),
  AlterPartitionReassignments: ({ topic }) => ({
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, replicas: null }] }],
  }),
  // The node itself would serve nobody any more.
  UnregisterBroker: () => ({ brokerId: 9999 }),
  DescribeTopicPartitions: ({ topic }) => ({ topics: [{ name: topic }], responsePartitionLimit: 100 }),
};
