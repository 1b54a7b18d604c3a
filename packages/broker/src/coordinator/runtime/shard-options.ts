import type { Clock } from '@ottla/platform';
import type { CoordinatorLogAccess, TopicPartition } from '../../replica/replica-manager.ts';
import type { CoordinatorTypes, RecordSerde, StateMachine } from './state-machine.ts';

/** What a shard needs of the world around it. */
export interface ShardOptions<T extends CoordinatorTypes> {
  readonly partition: TopicPartition;
  readonly machine: StateMachine<T>;
  readonly serde: RecordSerde<T['record']>;
  readonly log: CoordinatorLogAccess;
  readonly clock: Clock;
  readonly settings: RuntimeSettings;
  /** Called once when the shard cannot go on: its state may no longer be what the log says. It has refused all its callers. */
  readonly onLost: (errorCode: number, cause: unknown) => void;
}

export interface RuntimeSettings {
  /** How long callers wait for a write, in milliseconds (`offsets.commit.timeout.ms`); the write itself goes on. */
  readonly writeTimeoutMs: number;
  /** How long records wait for company; 0 or less: until the end of the event loop's turn (`group.coordinator.append.linger.ms`). */
  readonly lingerMs: number;
  /** Largest batch, in bytes of its records. */
  readonly maxBatchBytes: number;
  /** Runs a callback at the end of this turn of the event loop. Simulations put their scheduler here. */
  readonly defer: (callback: () => void) => void;
}
