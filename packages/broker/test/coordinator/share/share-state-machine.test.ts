import { expect, test } from 'vitest';
import { DEFAULT_SHARE_COORDINATOR_CONFIG } from '../../../src/coordinator/share/share-coordinator-config.ts';
import { ShareStateMachine } from '../../../src/coordinator/share/share-state-machine.ts';
import { shareStateRecordSerde } from '../../../src/coordinator/share/share-state-records.ts';
import type {
  ShareStateCommand,
  WriteStateCommand,
} from '../../../src/coordinator/share/share-state-types.ts';

const KEY = { groupId: 'g', topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partition: 0, isKnown: true };
const CONFIG = { ...DEFAULT_SHARE_COORDINATOR_CONFIG, snapshotUpdateRecordsPerSnapshot: 3 };

/** A machine with its log: records go through the bytes that the topic would hold. */
class Shard {
  readonly machine = new ShareStateMachine(CONFIG);
  readonly log: { readonly type: string; readonly key: Buffer; readonly value: Buffer | null }[] = [];

  /** The reply to a command, whose records are committed at once. */
  run(command: ShareStateCommand, nowMs = 0): unknown {
    const { records, replies } = this.machine.handle(command, 1, nowMs);
    for (const record of records) {
      const bytes = shareStateRecordSerde.encode(record);
      this.machine.replay(shareStateRecordSerde.decode(bytes.key, bytes.value)!, this.#position());
      this.log.push({ type: record.type, ...bytes });
    }
    const [reply] = replies;
    return reply !== undefined && 'value' in reply ? reply.value : undefined;
  }

  /** What a restart makes of the log from an offset on. */
  reloaded(fromOffset: number): ShareStateMachine {
    const machine = new ShareStateMachine(CONFIG);
    for (let offset = fromOffset; offset < this.log.length; offset++) {
      const { key, value } = this.log[offset]!;
      machine.replay(shareStateRecordSerde.decode(key, value)!, { ...this.#position(), offset });
    }
    return machine;
  }

  #position(): { offset: number; producerId: number; producerEpoch: number } {
    return { offset: this.log.length, producerId: -1, producerEpoch: -1 };
  }
}

const write = (fields: Partial<WriteStateCommand> = {}): WriteStateCommand => ({
  type: 'write-state',
  ...KEY,
  stateEpoch: 1,
  leaderEpoch: 0,
  startOffset: 0,
  deliveryCompleteCount: 0,
  stateBatches: [],
  ...fields,
});

const initialize = (partition = 0): ShareStateCommand => ({
  type: 'initialize-state',
  ...KEY,
  partition,
  stateEpoch: 1,
  startOffset: 0,
});

test('a snapshot is written after so many updates, and holds all that they said', () => {
  const shard = new Shard();
  shard.run(initialize());
  for (let offset = 0; offset < 5; offset++) {
    const batch = { firstOffset: offset, lastOffset: offset, deliveryState: 2, deliveryCount: 1 };
    shard.run(write({ stateBatches: [batch] }));
  }
  expect(shard.log.map(({ type }) => type)).toEqual([
    'share-snapshot',
    'share-update',
    'share-update',
    'share-update',
    'share-snapshot',
    'share-update',
  ]);
  expect(shard.machine.states.get(KEY)).toMatchObject({
    snapshotEpoch: 1,
    stateBatches: [{ firstOffset: 0, lastOffset: 4, deliveryState: 2, deliveryCount: 1 }],
  });
});

test('what lies before the last snapshots may be cut off: a restart from there has the same state', () => {
  const shard = new Shard();
  shard.run(initialize(0));
  shard.run(initialize(1));
  for (let round = 0; round < 12; round++) {
    const batch = { firstOffset: round, lastOffset: round, deliveryState: 0, deliveryCount: round };
    shard.run(write({ partition: round % 2, stateBatches: [batch] }));
  }
  const redundant = shard.machine.states.lastRedundantOffset();
  expect(redundant).toBe(8);
  const reloaded = shard.reloaded(redundant!);
  for (const partition of [0, 1]) {
    const key = { ...KEY, partition };
    expect(reloaded.states.get(key)).toEqual(shard.machine.states.get(key));
  }
});

test('leaders and states of older epochs are fenced, after a restart too', () => {
  const shard = new Shard();
  shard.run(initialize());
  shard.run({ type: 'read-state', ...KEY, leaderEpoch: 4 });
  for (const machine of [shard.machine, shard.reloaded(0)]) {
    const errorOf = (command: ShareStateCommand): unknown => {
      const [reply] = machine.handle(command, 1, 0).replies;
      return reply !== undefined && 'value' in reply
        ? (reply.value as { errorCode: number }).errorCode
        : null;
    };
    expect(errorOf(write({ leaderEpoch: 3 }))).toBe(74);
    expect(errorOf(write({ leaderEpoch: 4, stateEpoch: 0 }))).toBe(124);
    expect(errorOf(write({ leaderEpoch: 4 }))).toBe(0);
  }
});

test('states of deleted topics go, and leave nothing that would hold the log back', () => {
  const shard = new Shard();
  shard.run(initialize(0));
  shard.run(initialize(1));
  shard.run({ type: 'topics-deleted', topicIds: [KEY.topicId] });
  expect(shard.machine.states.size).toBe(0);
  expect(shard.machine.states.lastRedundantOffset()).toBe(3);
});

test('a state that nobody changes is written again, so that the log before it can go', () => {
  const shard = new Shard();
  shard.run(initialize(0));
  shard.run(write(), 1);
  shard.run({ type: 'snapshot-cold' }, CONFIG.coldPartitionSnapshotIntervalMs + 1);
  expect(shard.machine.states.lastRedundantOffset()).toBe(2);
});
