import type { StreamsGroupDescribeResponse, StreamsGroupTopologyValue } from '@ottla/protocol';
import type { Endpoint } from './streams-member.ts';
import type { TaskIds, Tasks, AssignedTasks } from './tasks.ts';
import type { InternalTopic } from './topology/configured-topology.ts';
import type { Status } from './topology/topology-error.ts';

/** StreamsGroupHeartbeat as the state machine takes it; a field that has not changed since the last one is null. */
export interface StreamsHeartbeatCommand {
  readonly type: 'streams-heartbeat';
  readonly groupId: string;
  readonly memberId: string;
  /** 0: joins; -1: leaves. */
  readonly memberEpoch: number;
  /** The endpoints that the member knows. */
  readonly endpointEpoch: number;
  readonly rackId: string | null;
  /** -1: unchanged. */
  readonly rebalanceTimeoutMs: number;
  /** Given when joining. */
  readonly topology: StreamsGroupTopologyValue | null;
  /** What the member has; all null when it does not say. */
  readonly activeTasks: readonly TaskIds[] | null;
  readonly standbyTasks: readonly TaskIds[] | null;
  readonly warmupTasks: readonly TaskIds[] | null;
  readonly processId: string | null;
  readonly userEndpoint: Endpoint | null;
  readonly clientTags: readonly { readonly key: string; readonly value: string }[] | null;
  /** The whole application is to shut down. */
  readonly shutdownApplication: boolean;
  readonly clientId: string;
  readonly clientHost: string;
}

export interface StreamsHeartbeatReply {
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly heartbeatIntervalMs: number;
  readonly status: readonly Status[];
  /** Null when they are as the member knows them. */
  readonly tasks: Tasks | AssignedTasks | null;
  readonly endpointEpoch: number;
  /** Null when they are as the member knows them. */
  readonly endpoints: readonly EndpointPartitions[] | null;
  /** Internal topics that are to be created now. */
  readonly missingTopics: ReadonlyMap<string, InternalTopic>;
}

/** Where the state of which partitions can be asked for. */
export interface EndpointPartitions {
  readonly userEndpoint: Endpoint;
  readonly activePartitions: readonly EndpointTopic[];
  readonly standbyPartitions: readonly EndpointTopic[];
}

export interface EndpointTopic {
  readonly topic: string;
  readonly partitions: readonly number[];
}

/** StreamsGroupDescribe for one group. */
export interface DescribeStreamsGroupCommand {
  readonly type: 'describe-streams-group';
  readonly groupId: string;
}

/** A streams group as StreamsGroupDescribe shows it, without what belongs to the asker. */
export type DescribedStreamsGroup = Omit<
  StreamsGroupDescribeResponse['groups'][number],
  'authorizedOperations'
>;

/** What the timers of streams groups hand back. */
export type StreamsTimerCommand =
  | { readonly type: 'streams-member-expired'; readonly groupId: string; readonly memberId: string }
  /** A member has not given up its tasks in time. */
  | {
      readonly type: 'streams-rebalance-expired';
      readonly groupId: string;
      readonly memberId: string;
      readonly memberEpoch: number;
    }
  /** A new group has waited long enough for more members. */
  | { readonly type: 'streams-initial-delay-over'; readonly groupId: string };

export type StreamsCommand = StreamsHeartbeatCommand | DescribeStreamsGroupCommand | StreamsTimerCommand;

/** The reply to each command; refusals come as errors instead. */
export interface StreamsReplies {
  'streams-heartbeat': StreamsHeartbeatReply;
  'describe-streams-group': DescribedStreamsGroup;
}

/** A change of what only memory knows. */
export type StreamsGroupChange =
  | { readonly type: 'streams-initial-delay'; readonly groupId: string; readonly isRunning: boolean }
  | { readonly type: 'streams-shutdown'; readonly groupId: string; readonly memberId: string }
  | { readonly type: 'streams-endpoint-epoch'; readonly groupId: string; readonly epoch: number };
