import type { TopicPartition } from '../../replica/append.ts';
import type { Outcome } from '../runtime/state-machine.ts';
import type { TransactionRecord } from './transaction-records.ts';
import type { PartitionSet, TransactionMetadata } from './transaction-state.ts';

/** A producer as it names itself. */
export interface ProducerIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** InitProducerId with a transactional id. */
export interface InitCommand {
  readonly type: 'init-producer-id';
  readonly transactionalId: string;
  readonly timeoutMs: number;
  /** What a producer that goes on believes to be (KIP-360); null for one that starts. */
  readonly expected: ProducerIdentity | null;
  /** An id to hand out if one is needed: made outside. Null on the first try. */
  readonly newProducerId: number | null;
}

/** Who a producer is from now on; or that the command has to come back with a new producer id. */
export type IdentityReply = ProducerIdentity | 'needs-producer-id';

/** AddPartitionsToTxn and AddOffsetsToTxn, and what a broker asks for on behalf of a produce request (KIP-890). */
export interface AddPartitionsCommand extends ProducerIdentity {
  readonly type: 'add-partitions';
  readonly transactionalId: string;
  readonly partitions: readonly TopicPartition[];
  readonly clientVersion: number;
}

/** EndTxn. */
export interface EndCommand extends ProducerIdentity {
  readonly type: 'end-transaction';
  readonly transactionalId: string;
  readonly committed: boolean;
  readonly clientVersion: number;
  readonly newProducerId: number | null;
}

/** Answered as soon as there are decided transactions whose markers nobody has taken. */
export interface TakeMarkersCommand {
  readonly type: 'take-markers';
}

/** Every marker of a decided transaction is written. */
export interface MarkersWrittenCommand extends ProducerIdentity {
  readonly type: 'markers-written';
  readonly transactionalId: string;
}

/** What timers hand back. */
export type TransactionTimerCommand =
  | { readonly type: 'abort-timed-out' }
  | { readonly type: 'expire-transactional-ids' };

export type TransactionCommand =
  | InitCommand
  | AddPartitionsCommand
  | EndCommand
  | TakeMarkersCommand
  | MarkersWrittenCommand
  | TransactionTimerCommand;

/** A decided transaction whose markers are to be written. */
export interface MarkerWork extends ProducerIdentity {
  readonly transactionalId: string;
  readonly committed: boolean;
  readonly partitions: PartitionSet;
  readonly clientVersion: number;
  /** Some of the markers may be there already: written before a restart, or before the outcome could be noted. */
  readonly isRepeated: boolean;
}

/** The reply to each command; refusals come as errors instead. */
export interface TransactionReplies {
  'init-producer-id': IdentityReply;
  'add-partitions': null;
  'end-transaction': IdentityReply;
  'take-markers': readonly MarkerWork[];
  'markers-written': null;
}

/** Transitions whose write has ended. */
export interface TransactionFollowUp {
  readonly transitions: readonly PendingTransition[];
}

/** A transition that is on its way to the log. */
export interface PendingTransition {
  readonly transactionalId: string;
  /** Null: the id expires. */
  readonly metadata: TransactionMetadata | null;
}

/** Soft state: what is on its way, and who writes markers. */
export type TransactionChange =
  | { readonly type: 'pending'; readonly transition: PendingTransition }
  | { readonly type: 'not-pending'; readonly transition: PendingTransition }
  | { readonly type: 'markers'; readonly queue: readonly MarkerWork[] }
  | { readonly type: 'marker-taker'; readonly ticket: number };

/** The type bundle of the transaction coordinator. */
export interface TransactionTypes {
  readonly command: TransactionCommand;
  readonly replies: TransactionReplies;
  readonly followUp: TransactionFollowUp;
  readonly record: TransactionRecord;
  readonly change: TransactionChange;
}

export type TransactionOutcome = Outcome<TransactionTypes>;
