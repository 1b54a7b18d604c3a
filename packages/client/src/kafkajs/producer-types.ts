import type { PartitionMetadata } from './admin-types.ts';
import type { RetryOptions } from './config.ts';
import type { CompressionTypes } from './constants.ts';
import type { IHeaders, Offsets } from './consumer-types.ts';

export interface Message {
  readonly key?: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly partition?: number;
  readonly headers?: IHeaders;
  /** Milliseconds since the epoch, as text. */
  readonly timestamp?: string;
}

export interface PartitionerArgs {
  readonly topic: string;
  readonly partitionMetadata: readonly PartitionMetadata[];
  readonly message: Message;
}

/** Makes the function that gives each message its partition. */
export type ICustomPartitioner = () => (args: PartitionerArgs) => number;

export interface ProducerConfig {
  readonly createPartitioner?: ICustomPartitioner;
  readonly retry?: RetryOptions;
  readonly metadataMaxAge?: number;
  readonly allowAutoTopicCreation?: boolean;
  readonly idempotent?: boolean;
  readonly transactionalId?: string;
  readonly transactionTimeout?: number;
  readonly maxInFlightRequests?: number;
}

export interface ProducerRecord {
  readonly topic: string;
  readonly messages: readonly Message[];
  /** -1: all in-sync replicas, 1: the leader, 0: nobody. */
  readonly acks?: number;
  readonly timeout?: number;
  readonly compression?: CompressionTypes;
}

export interface ProducerBatch {
  readonly acks?: number;
  readonly timeout?: number;
  readonly compression?: CompressionTypes;
  readonly topicMessages?: readonly { readonly topic: string; readonly messages: readonly Message[] }[];
}

/** What became of the messages of one partition. */
export interface RecordMetadata {
  readonly topicName: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly baseOffset: string;
  readonly logAppendTime: string;
  readonly logStartOffset: string;
}

/** What can send. */
export interface Sender {
  send(record: ProducerRecord): Promise<RecordMetadata[]>;
  sendBatch(batch: ProducerBatch): Promise<RecordMetadata[]>;
}

/** A transaction of a kafkajs producer. */
export interface Transaction extends Sender {
  sendOffsets(offsets: Offsets & { readonly consumerGroupId: string }): Promise<void>;
  commit(): Promise<void>;
  abort(): Promise<void>;
  isActive(): boolean;
}
