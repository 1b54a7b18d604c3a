import type {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ConfigResourceTypes,
  ConfigSource,
  ResourcePatternTypes,
} from './constants.ts';

/** A topic to create. */
export interface ITopicConfig {
  readonly topic: string;
  readonly numPartitions?: number;
  readonly replicationFactor?: number;
  readonly replicaAssignment?: readonly {
    readonly partition: number;
    readonly replicas: readonly number[];
  }[];
  readonly configEntries?: readonly { readonly name: string; readonly value: string }[];
}

export interface PartitionMetadata {
  readonly partitionErrorCode: number;
  readonly partitionId: number;
  readonly leader: number;
  readonly replicas: number[];
  readonly isr: number[];
  readonly offlineReplicas?: number[];
}

export interface ITopicMetadata {
  readonly name: string;
  readonly partitions: PartitionMetadata[];
}

/** A partition and an offset, as text. */
export interface SeekEntry {
  readonly partition: number;
  readonly offset: string;
}

export interface ResourceConfigQuery {
  readonly type: ConfigResourceTypes;
  readonly name: string;
  readonly configNames?: readonly string[];
}

export interface ConfigEntries {
  readonly configName: string;
  readonly configValue: string;
  readonly isDefault: boolean;
  readonly configSource: ConfigSource;
  readonly isSensitive: boolean;
  readonly readOnly: boolean;
  readonly configSynonyms: {
    readonly configName: string;
    readonly configValue: string;
    readonly configSource: ConfigSource;
  }[];
}

export interface DescribeConfigResponse {
  readonly throttleTime: number;
  readonly resources: {
    readonly configEntries: ConfigEntries[];
    readonly errorCode: number;
    readonly errorMessage: string;
    readonly resourceName: string;
    readonly resourceType: ConfigResourceTypes;
  }[];
}

export interface IResourceConfig {
  readonly type: ConfigResourceTypes;
  readonly name: string;
  readonly configEntries: readonly { readonly name: string; readonly value: string }[];
}

export interface GroupDescription {
  readonly groupId: string;
  readonly members: MemberDescription[];
  readonly protocol: string;
  readonly protocolType: string;
  readonly state: string;
}

export interface MemberDescription {
  readonly clientHost: string;
  readonly clientId: string;
  readonly memberId: string;
  readonly memberAssignment: Buffer;
  readonly memberMetadata: Buffer;
}

export interface AclEntry {
  readonly principal: string;
  readonly host: string;
  readonly operation: AclOperationTypes;
  readonly permissionType: AclPermissionTypes;
  readonly resourceType: AclResourceTypes;
  readonly resourceName: string;
  readonly resourcePatternType: ResourcePatternTypes;
}

export interface AclFilter {
  readonly resourceType: AclResourceTypes;
  readonly resourceName?: string;
  readonly resourcePatternType: ResourcePatternTypes;
  readonly principal?: string;
  readonly host?: string;
  readonly operation: AclOperationTypes;
  readonly permissionType: AclPermissionTypes;
}
