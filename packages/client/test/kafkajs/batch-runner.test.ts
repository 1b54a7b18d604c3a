import { expect, test } from 'vitest';
import type { Consumer, Message } from '../../src/index.ts';
import { BatchRunner, type BatchRunnerDeps } from '../../src/kafkajs/batch-runner.ts';

interface Given {
  readonly partition: number;
  readonly offsets: readonly number[];
  /** Partitions that are ours when the batch is handed out. */
  readonly assigned: readonly number[];
}

/** Runs `eachBatch` over batches of topic `t`; what it commits and where it goes back to. */
async function run(given: readonly Given[], config: BatchRunnerDeps['config']) {
  const commits: string[] = [];
  const seeks: string[] = [];
  let assigned: readonly number[] = [];
  const consumer = {
    async *batches() {
      for (const { partition, offsets, assigned: now } of given) {
        assigned = now;
        yield offsets.map((offset) => ({ topic: 't', partition, offset, headers: [] }) as unknown as Message);
      }
    },
    lag: () => [],
    get assignment() {
      return assigned.map((partition) => ({ topic: 't', partition }));
    },
    commit: async (offsets: readonly { partition: number; offset: number }[]) => {
      commits.push(offsets.map(({ partition, offset }) => `${partition}:${offset}`).join(' '));
    },
    seek: ({ partition }: { partition: number }, offset: number) => void seeks.push(`${partition}:${offset}`),
  };
  await new BatchRunner({
    consumer: consumer as unknown as Consumer,
    config,
    isRunning: () => true,
    nowMs: () => 0,
    pause: () => () => {},
    onBatch: () => {},
    onCommit: () => {},
  }).run();
  return { commits, seeks };
}

test('offsets of a partition that is not ours any more are not committed', async () => {
  const { commits } = await run(
    [
      { partition: 0, offsets: [0, 1], assigned: [0, 1] },
      { partition: 1, offsets: [7], assigned: [1] },
    ],
    {
      autoCommit: false,
      eachBatch: async ({ batch, resolveOffset, commitOffsetsIfNecessary, uncommittedOffsets }) => {
        resolveOffset(batch.lastOffset());
        if (batch.partition === 1) await commitOffsetsIfNecessary(uncommittedOffsets());
      },
    },
  );
  expect(commits).toEqual(['1:8']);
});

test('what is not resolved of an older batch comes again, whatever was resolved before', async () => {
  const { seeks } = await run(
    [
      { partition: 0, offsets: [100, 101], assigned: [0] },
      // After a seek back, or another member that had the partition.
      { partition: 0, offsets: [50, 51, 52], assigned: [0] },
    ],
    {
      eachBatchAutoResolve: false,
      eachBatch: async ({ batch, resolveOffset }) => {
        if (batch.firstOffset() === '100') resolveOffset(batch.lastOffset());
      },
    },
  );
  expect(seeks).toEqual(['0:50']);
});
