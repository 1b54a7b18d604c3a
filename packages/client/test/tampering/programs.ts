import { expect } from 'vitest';
import { KafkaError, topic, type RecordMetadata } from '../../src/index.ts';
import { LIMITS, type TamperedRun } from './tampered-run.ts';

const PARTITIONS = 2;
const PER_PARTITION = 24;
const TOTAL = PARTITIONS * PER_PARTITION;
const PATIENCE = {
  requestTimeoutMs: LIMITS.requestTimeoutMs,
  deliveryTimeoutMs: LIMITS.operationMs,
  maxBlockMs: LIMITS.operationMs,
};
/** Loops that fail are begun again, this often. */
const MOST_LOOPS = 6;

/** Topics that the programs find. */
export const topics = { t: PARTITIONS };

function id({ partition, offset }: { readonly partition: number; readonly offset: number }): string {
  return `${partition}-${offset}`;
}

function allIds(): string[] {
  return Array.from({ length: PARTITIONS }, (_, partition) => partition).flatMap((partition) =>
    Array.from({ length: PER_PARTITION }, (_, offset) => id({ partition, offset })),
  );
}

/** Puts records into `t` whose values tell where they stand. */
async function fill({ kafka }: TamperedRun): Promise<void> {
  for (let offset = 0; offset < PER_PARTITION; offset += 4)
    for (let partition = 0; partition < PARTITIONS; partition += 1)
      await kafka.produce(
        't',
        [0, 1, 2, 3].map((more) => ({ partition, value: id({ partition, offset: offset + more }) })),
      );
}

/** What was acknowledged is stored, where it was said to be; what was said not to be stored is not; nothing is stored twice. */
export async function produces(run: TamperedRun): Promise<void> {
  const { ottla, kind, random, outcome, kafka } = run;
  run.begin();
  const producer = ottla.producer({
    lingerMs: random.nextInt(3),
    ...PATIENCE,
    batchSizeBytes: 200,
    compression: (['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)[random.nextInt(5)]!,
  });
  const results: (readonly [string, RecordMetadata | KafkaError])[] = [];
  for (let round = 0; round < 3; round += 1) {
    const values = Array.from({ length: 15 }, (_, index) => `${round}.${index}`);
    results.push(
      ...(await Promise.all(
        values.map(
          async (value) =>
            [value, await outcome(`Sending ${value}`, producer.send('t', { key: value, value }))] as const,
        ),
      )),
    );
  }
  await outcome('Flushing', producer.flush());
  await outcome('Closing the producer', producer.close());
  run.honest();
  const stored = await kafka.records('t');
  const values = stored.map(({ value }) => value);
  // Who is lied to about the fate of a record cannot know better.
  if (kind === 'lies') return;
  for (const [value, result] of results) {
    if (result instanceof KafkaError) {
      if (!result.mayBeStored) expect(values).not.toContain(value);
      continue;
    }
    const { partition, offset } = result;
    expect(stored.find((each) => each.value === value)).toMatchObject({ partition, offset });
  }
  expect(new Set(values).size, 'stored twice').toBe(values.length);
}

/** Every record is true and none is skipped; what is committed was handled. */
export function consumes(groupProtocol: 'classic' | 'consumer'): (run: TamperedRun) => Promise<void> {
  return async (run) => {
    await fill(run);
    run.begin();
    const { ottla, kind, signal, outcome } = run;
    const consumer = ottla.consumer('t', {
      group: 'g',
      groupProtocol,
      from: 'earliest',
      autoCommitIntervalMs: 10,
      fetchMaxWaitMs: 30,
      maxPartitionFetchBytes: 400,
      signal,
      ...(groupProtocol === 'classic' && { sessionTimeoutMs: 500, heartbeatIntervalMs: 20 }),
    });
    const finished = new Set<string>();
    const furthest = new Map<number, number>();
    const loop = async (): Promise<void> => {
      for await (const message of consumer) {
        const { partition, offset, value } = message;
        if (kind === 'wire') {
          expect(value).toBe(id(message));
          expect(offset, 'skipped a record').toBeLessThanOrEqual((furthest.get(partition) ?? -1) + 1);
          furthest.set(partition, Math.max(offset, furthest.get(partition) ?? -1));
        } else expect(value).toMatch(/^[01]-\d+$/);
        finished.add(String(value));
        if (finished.size === TOTAL) break;
      }
    };
    for (let loops = 0; loops < MOST_LOOPS && finished.size < TOTAL && !signal.aborted; loops += 1)
      await outcome('Looping', loop());
    await outcome('Closing the consumer', consumer.close({ timeoutMs: LIMITS.operationMs }));
    const offsets = await run.honest().admin().groups.offsets('g');
    if (kind === 'lies') return;
    for (const each of offsets) {
      if (each.error !== null) throw each.error;
      for (let before = 0; before < each.offset; before += 1)
        expect(finished, 'committed and not handled').toContain(id({ ...each, offset: before }));
    }
  };
}

/** What was accepted does not come again; everything that was not does. */
export async function shares(run: TamperedRun): Promise<void> {
  await fill(run);
  const { ottla, kind, signal, random, outcome, kafka } = run;
  await run
    .honest()
    .admin()
    .configs.alter({ type: 'group', name: 's' }, { 'share.auto.offset.reset': 'earliest' });
  run.begin();
  const offered = new Set<string>();
  const acceptedLast = new Set<string>();
  const confirmed = new Set<string>();
  const consumer = ottla.shareConsumer('t', {
    group: 's',
    maxRecords: 7,
    fetchMaxWaitMs: 30,
    signal,
    onAcknowledged: (results) => {
      for (const { partition, offsets, error } of results)
        if (error === null) for (const offset of offsets) confirmed.add(id({ partition, offset }));
        else expect(error).toBeInstanceOf(KafkaError);
    },
  });
  const loop = async (): Promise<void> => {
    for await (const message of consumer) {
      const value = String(message.value);
      if (kind === 'wire') expect(value).toBe(id(message));
      confirmed.delete(value);
      if (random.nextInt(10) === 0) message.release();
      else {
        offered.add(value);
        acceptedLast.add(value);
        continue;
      }
      acceptedLast.delete(value);
    }
  };
  for (let loops = 0; loops < MOST_LOOPS && !signal.aborted; loops += 1) await outcome('Looping', loop());
  await outcome('Closing the share consumer', consumer.close({ timeoutMs: LIMITS.operationMs }));
  const honest = run.honest();
  if (kind === 'lies') return;
  // The locks of sessions that were lost end.
  kafka.clock.advance(60_000);
  await kafka.produce(
    't',
    [0, 1].map((partition) => ({ partition, value: `end${partition}` })),
  );
  const missing = new Set([...allIds().filter((each) => !offered.has(each)), 'end0', 'end1']);
  const again: string[] = [];
  for await (const { value } of honest.shareConsumer('t', { group: 's', fetchMaxWaitMs: 30 })) {
    again.push(String(value));
    missing.delete(String(value));
    if (missing.size === 0) break;
  }
  expect(
    again.filter((each) => acceptedLast.has(each) && confirmed.has(each)),
    'accepted before',
  ).toEqual([]);
}

/** Nothing but typed errors, and what was done is done. */
export async function administers(run: TamperedRun): Promise<void> {
  const { ottla, kind, outcome } = run;
  run.begin();
  const admin = ottla.admin();
  const created = await outcome('Creating', admin.topics.create(topic('made', { partitions: 3 })));
  const ensured = await outcome('Ensuring', admin.topics.ensure('ensured'));
  const list = await outcome('Listing', admin.topics.list());
  const rest: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['Describing', () => admin.topics.describe(['t', 'made'])],
    ['Growing', () => admin.topics.createPartitions({ t: 5 })],
    ['Configs', () => admin.configs.describe({ type: 'topic', name: 't' })],
    ['Altering', () => admin.configs.alter({ type: 'topic', name: 't' }, { 'retention.ms': '1000' })],
    ['Offsets', () => admin.offsets.list(['t'], 'latest')],
    ['Deleting records', () => admin.offsets.deleteRecords([{ topic: 't', partition: 0, beforeOffset: 0 }])],
    ['Groups', () => admin.groups.list()],
    ['Group', () => admin.groups.describe('g')],
    ['Share group', () => admin.shareGroups.describe(['g'])],
    ['Committing', () => admin.groups.alterOffsets('g', [{ topic: 't', partition: 0, offset: 0 }])],
    ['Committed', () => admin.groups.offsets('g')],
    ['Deleting a group', () => admin.groups.delete('g')],
    ['Cluster', () => admin.cluster.describe()],
    ['Versions', () => admin.cluster.apiVersions()],
    ['Log dirs', () => admin.logDirs.describe()],
    ['Transactions', () => admin.transactions.list()],
    ['Transaction', () => admin.transactions.describe(['x'])],
    ['Producers', () => admin.transactions.describeProducers([{ topic: 't', partition: 0 }])],
    ['Features', () => admin.features.describe()],
    ['Quorum', () => admin.quorum.describe()],
  ];
  await Promise.all(rest.map(([what, call]) => outcome(what, call())));
  const deleted = await outcome('Deleting', admin.topics.delete('ensured'));
  await outcome('Closing the admin', admin.close());
  const names = (await run.honest().admin().topics.list()).map(({ name }) => name);
  if (kind === 'lies') return;
  if (!(created instanceof KafkaError)) expect(names).toContain('made');
  if (!(ensured instanceof KafkaError) && !(list instanceof KafkaError))
    expect(list.map(({ name }) => name)).toContain('ensured');
  if (!(deleted instanceof KafkaError)) expect(names).not.toContain('ensured');
}

/** What was committed is there, what was aborted is not, and what is unknown is there wholly or not at all. */
export async function transacts(run: TamperedRun): Promise<void> {
  const { ottla, kind, random, outcome } = run;
  run.begin();
  const transactionalId = 'tx';
  const producer = ottla.producer({
    transactionalId,
    lingerMs: 0,
    ...PATIENCE,
  });
  const ends: (readonly [number, boolean, unknown])[] = [];
  for (let round = 0; round < 4; round += 1) {
    const isWanted = random.nextInt(3) > 0;
    const end = await outcome(
      'A transaction',
      producer.transaction(async (transaction) => {
        for (const partition of [0, 1])
          await transaction.send('t', { partition, value: `${round}.${partition}` });
        await transaction.sendOffsets([{ topic: 't', partition: 0, offset: round }], 'g');
        if (!isWanted) await transaction.abort();
      }),
    );
    ends.push([round, isWanted, end]);
  }
  await outcome('Closing the producer', producer.close());
  const honest = run.honest();
  const fence = honest.producer({ transactionalId });
  await (await fence.begin()).abort();
  await fence.transaction((transaction) =>
    Promise.all([0, 1].map((partition) => transaction.send('t', { partition, value: 'end' }))),
  );
  const seen: unknown[] = [];
  const reader = honest.consumer('t', { from: 'earliest', isolationLevel: 'read_committed' });
  for await (const { value } of reader)
    if (seen.push(value) && seen.filter((each) => each === 'end').length === 2) break;
  if (kind === 'lies') return;
  for (const [round, isWanted, end] of ends) {
    const count = seen.filter((value) => String(value).startsWith(`${round}.`)).length;
    if (!isWanted) expect(count, 'aborted').toBe(0);
    else if (end instanceof KafkaError) expect([0, 2], 'half a transaction').toContain(count);
    else expect(count, 'committed').toBe(2);
  }
}
