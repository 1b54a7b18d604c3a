import type { RetryOptions } from './config.ts';

/** One header or several of the same name. */
export type IHeaders = Record<string, Buffer | string | (Buffer | string)[] | undefined>;

/** A record as kafkajs hands it out: bytes, and numbers as text. */
export interface KafkaMessage {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp: string;
  readonly attributes: number;
  readonly offset: string;
  readonly headers: IHeaders;
}

export interface ConsumerConfig {
  readonly groupId: string;
  readonly partitionAssigners?: readonly unknown[];
  readonly metadataMaxAge?: number;
  readonly sessionTimeout?: number;
  readonly rebalanceTimeout?: number;
  readonly heartbeatInterval?: number;
  readonly maxBytesPerPartition?: number;
  readonly minBytes?: number;
  readonly maxBytes?: number;
  readonly maxWaitTimeInMs?: number;
  readonly retry?: RetryOptions;
  readonly allowAutoTopicCreation?: boolean;
  readonly maxInFlightRequests?: number;
  readonly readUncommitted?: boolean;
  readonly rackId?: string;
}

export interface ConsumerSubscribeTopics {
  readonly topics: readonly (string | RegExp)[];
  readonly fromBeginning?: boolean;
}

export interface ConsumerSubscribeTopic {
  readonly topic: string | RegExp;
  readonly fromBeginning?: boolean;
}

export interface TopicPartitionOffsetAndMetadata {
  readonly topic: string;
  readonly partition: number;
  /** The next record to read. */
  readonly offset: string;
  readonly metadata?: string | null;
}

/** Offsets by topic. */
export interface Offsets {
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly offset: string }[];
  }[];
}

export interface TopicPartitions {
  readonly topic: string;
  readonly partitions?: readonly number[];
}

export interface EachMessagePayload {
  readonly topic: string;
  readonly partition: number;
  readonly message: KafkaMessage;
  /** Heartbeats go out by themselves here, so there is nothing to do. */
  heartbeat(): Promise<void>;
  /** Pauses the partition; what it returns resumes it. */
  pause(): () => void;
}

/** Records of one partition. */
export interface Batch {
  readonly topic: string;
  readonly partition: number;
  readonly highWatermark: string;
  readonly messages: KafkaMessage[];
  isEmpty(): boolean;
  firstOffset(): string | null;
  lastOffset(): string;
  offsetLag(): string;
  offsetLagLow(): string;
}

export interface EachBatchPayload {
  readonly batch: Batch;
  /** Everything up to and including this offset has been handled. */
  resolveOffset(offset: string): void;
  heartbeat(): Promise<void>;
  pause(): () => void;
  /** Commits what is resolved, or these offsets, when the interval or threshold says so. */
  commitOffsetsIfNecessary(offsets?: Offsets): Promise<void>;
  uncommittedOffsets(): Offsets;
  isRunning(): boolean;
  isStale(): boolean;
}

export interface ConsumerRunConfig {
  readonly autoCommit?: boolean;
  readonly autoCommitInterval?: number | null;
  readonly autoCommitThreshold?: number | null;
  readonly eachBatchAutoResolve?: boolean;
  readonly partitionsConsumedConcurrently?: number;
  readonly eachBatch?: (payload: EachBatchPayload) => Promise<void>;
  readonly eachMessage?: (payload: EachMessagePayload) => Promise<void>;
}
