import { ErrorCodes } from '@ottla/protocol';
import type { Clock } from '@ottla/platform';
import type { CoordinatorLogAccess } from '../../replica/replica-manager.ts';
import { CoordinatorError } from './coordinator-error.ts';
import { CoordinatorShard } from './shard.ts';
import type { RuntimeSettings } from './shard-options.ts';
import type { CoordinatorTypes, RecordSerde, ReplyTo, StateMachine } from './state-machine.ts';

/** A coordinator as the runtime needs it: its topic, its record formats and how a shard's machine is made. */
export interface CoordinatorDefinition<T extends CoordinatorTypes, M extends StateMachine<T>> {
  readonly topic: string;
  readonly serde: RecordSerde<T['record']>;
  /** A machine with empty state, for one partition. */
  createMachine(): M;
}

/** What the runtime needs of the world. */
export interface RuntimeDeps {
  readonly log: CoordinatorLogAccess;
  readonly clock: Clock;
  readonly settings: RuntimeSettings;
  /** Told of what nobody waits for: a shard that failed to load or had to be loaded again. */
  readonly onProblem: (message: string, cause: unknown) => void;
}

interface ShardEntry<T extends CoordinatorTypes> {
  readonly shard: CoordinatorShard<T>;
  readonly leaderEpoch: number;
}

/**
 * The shards of one coordinator on this broker: one for each partition of its internal topic that is led here. Shared by
 * all coordinators; nothing in here knows what a group is.
 */
export class CoordinatorRuntime<T extends CoordinatorTypes, M extends StateMachine<T>> {
  readonly #definition: CoordinatorDefinition<T, M>;
  readonly #deps: RuntimeDeps;
  readonly #shards = new Map<number, ShardEntry<T>>();
  #closed = false;

  constructor(definition: CoordinatorDefinition<T, M>, deps: RuntimeDeps) {
    this.#definition = definition;
    this.#deps = deps;
  }

  /** This broker leads the partition from `leaderEpoch` on: loads its shard. A repeated call for the same epoch does nothing. */
  elected(partition: number, leaderEpoch: number): void {
    const current = this.#shards.get(partition);
    if (this.#closed || (current !== undefined && current.leaderEpoch >= leaderEpoch)) return;
    current?.shard.close(ErrorCodes.NOT_COORDINATOR);
    this.#start(partition, leaderEpoch);
  }

  /** Another broker leads the partition, or it is gone: everybody who waits is told NOT_COORDINATOR. */
  resigned(partition: number): void {
    this.#shards.get(partition)?.shard.close(ErrorCodes.NOT_COORDINATOR);
    this.#shards.delete(partition);
  }

  /** The partitions that are led here. */
  partitions(): number[] {
    return [...this.#shards.keys()];
  }

  /** Hands a command to the shard of a partition; rejects with a `CoordinatorError`. */
  submit<C extends T['command']>(partition: number, command: C): Promise<ReplyTo<T, C>> {
    const entry = this.#shards.get(partition);
    if (entry === undefined) return Promise.reject(new CoordinatorError(ErrorCodes.NOT_COORDINATOR));
    return entry.shard.submit(command);
  }

  /** Appends the end of a producer's transaction to a partition and takes it in; resolves to an error code. */
  async endTransaction(
    partition: number,
    end: { readonly records: Buffer; readonly producerId: number; readonly committed: boolean },
  ): Promise<number> {
    const entry = this.#shards.get(partition);
    return entry === undefined ? ErrorCodes.NOT_LEADER_OR_FOLLOWER : entry.shard.endTransaction(end);
  }

  /** Reads the state of one shard; throws a `CoordinatorError` when it is not served here or still loading. */
  read<R>(partition: number, query: (machine: M) => R): R {
    const entry = this.#shards.get(partition);
    if (entry === undefined) throw new CoordinatorError(ErrorCodes.NOT_COORDINATOR);
    return entry.shard.read((machine) => query(machine as M));
  }

  /** Finishes what is being written, then refuses whoever still waits with NOT_COORDINATOR. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(Array.from(this.#shards.values(), ({ shard }) => shard.drained()));
    for (const { shard } of this.#shards.values()) shard.close(ErrorCodes.NOT_COORDINATOR);
    this.#shards.clear();
  }

  #start(partition: number, leaderEpoch: number): void {
    const { log, clock, settings } = this.#deps;
    const shard: CoordinatorShard<T> = new CoordinatorShard<T>({
      partition: { topic: this.#definition.topic, partition },
      machine: this.#definition.createMachine(),
      serde: this.#definition.serde,
      log,
      clock,
      settings,
      onLost: (errorCode, cause) => this.#onLost(partition, shard, { errorCode, cause }),
    });
    this.#shards.set(partition, { shard, leaderEpoch });
    void shard.load();
  }

  /** A shard whose state may differ from the log is loaded again, a moment later: a log that keeps failing must not spin. */
  #onLost(partition: number, shard: CoordinatorShard<T>, why: { errorCode: number; cause: unknown }): void {
    const name = `${this.#definition.topic}-${partition}`;
    this.#deps.onProblem(
      `Coordinator partition "${name}" failed with error ${why.errorCode}; loading it again`,
      why.cause,
    );
    this.#deps.clock.setTimer(RELOAD_DELAY_MS, () => {
      const entry = this.#shards.get(partition);
      if (entry === undefined || entry.shard !== shard || this.#closed) return;
      this.#start(partition, entry.leaderEpoch);
    });
  }
}

const RELOAD_DELAY_MS = 1000;
