import { afterEach, describe, expect, test } from 'vitest';
import { eventually, type JavaProgram, type Peer } from '../src/index.ts';
import { absent, interop, javaTools, startPeer, title } from './support.ts';
import { argumentsOf, createTopicOf, startTool } from './verifiable.ts';

const PARTITIONS = 2;
const MESSAGES = 6_000;
/** After how many copies something is killed: early enough that enough is left to be copied. */
const STEP = 500;

let peer: Peer | undefined;
let copiers: JavaProgram[] = [];

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.error(copiers.map(tail).join('\n'));
  await Promise.all(copiers.map((copier) => copier.end('SIGKILL')));
  await peer?.dispose();
  copiers = [];
  peer = undefined;
});

const tail = ({ out, err }: JavaProgram): string => [...out.slice(-4), ...err.slice(-8)].join('\n  ');

/** How many records the copier knows to have copied, and whether it has ended. */
function progress({ out }: JavaProgram): { copied: number; isDone: boolean } {
  const status = out.findLast((line) => line.startsWith('{') && line.endsWith('}'));
  const { totalProcessed = 0 } = JSON.parse(status ?? '{}') as { totalProcessed?: number };
  return { copied: totalProcessed, isDone: out.some((line) => line.includes('shutdown_complete')) };
}

/**
 * Kafka's own copier as a member of a group, which aborts every third transaction. The successor of a killed one needs its
 * transactional id, by which the open transaction is ended at once. Any other waits for offsets that this transaction holds until it
 * times out (a minute, and up to ten seconds more), and the tool gives up after a minute: with a real Kafka too.
 */
function startCopier(name: string): JavaProgram {
  const copier = startTool('TransactionalMessageCopier', {
    'broker-list': peer!.bootstrap,
    'input-topic': 'input',
    'input-partition': '-1',
    'output-topic': 'output',
    'group-mode': true,
    'use-group-metadata': true,
    'consumer-group': 'copiers',
    'transactional-id': name,
    'transaction-size': '20',
    'enable-random-aborts': true,
  });
  copiers.push(copier);
  return copier;
}

/** Waits until one of the running copiers has copied so many records more. */
async function copied(running: readonly JavaProgram[], count: number): Promise<void> {
  const before = running.map((copier) => progress(copier).copied);
  await eventually(
    `${count} more copies`,
    () => (running.some((copier, i) => progress(copier).copied >= before[i]! + count) ? true : undefined),
    120_000,
  );
}

async function committedOutput(): Promise<Record<number, number[]>> {
  const reading = argumentsOf({
    'bootstrap-server': peer!.bootstrap,
    topic: 'output',
    'from-beginning': true,
    'timeout-ms': '4000',
    'command-property': 'isolation.level=read_committed',
    'formatter-property': 'print.partition=true',
  });
  const { out } = await javaTools().run('consumer.ConsoleConsumer', reading);
  const values: Record<number, number[]> = {};
  for (const line of out) {
    const [, partition, value] = /^Partition:(\d+)\t(\d+)$/.exec(line) ?? [];
    (values[Number(partition)] ??= []).push(Number(value));
  }
  return values;
}

/** The numbers below MESSAGES, dealt to the partitions in turn. */
const expected = Object.fromEntries(
  Array.from({ length: PARTITIONS }, (_, partition) => [
    partition,
    Array.from({ length: MESSAGES / PARTITIONS }, (_unused, i) => i * PARTITIONS + partition),
  ]),
);

describe.skipIf(absent(interop.java))(title('TransactionalMessageCopier in a group', interop.java), () => {
  test.each([2, 1])(
    'with transactions of version %i: every record is copied exactly once and in order, while copiers are killed and the broker is',
    { timeout: 400_000 },
    async (version) => {
      peer = await startPeer({ features: { 'transaction.version': version } });
      for (const topic of ['input', 'output']) await createTopicOf(peer.bootstrap, topic, PARTITIONS);
      const settings = [`bootstrap.servers=${peer.bootstrap}`, `records=${MESSAGES}`];
      await javaTools().start('AckedWriter', ['input', String(PARTITIONS), ...settings]).done;

      const [one, two] = [startCopier('one'), startCopier('two')];
      await copied([one, two], STEP);
      await peer.stop('SIGKILL');
      await peer.restart();
      await copied([one, two], STEP);
      expect(progress(one)).toMatchObject({ isDone: false });
      await one.end('SIGKILL');
      const again = startCopier('one');
      await copied([again, two], STEP);
      await peer.stop('SIGKILL');
      await peer.restart();
      for (const copier of [again, two]) expect(await copier.ended).toBe(0);
      expect(await committedOutput()).toEqual(expected);
    },
  );
});
