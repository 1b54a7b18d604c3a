import { afterEach, describe, expect, test } from 'vitest';
import { eventually, type Peer, type RunningTool } from '../src/index.ts';
import { absent, interop, javaTools, startPeer, title, unique } from './support.ts';

const MESSAGES = 1_200;

let peer: Peer | undefined;

afterEach(async () => {
  await peer?.dispose();
  peer = undefined;
});

/** Two topics, the first filled with the numbers from 0 on. */
async function prepare(bootstrap: string): Promise<{ input: string; output: string }> {
  const [input, output] = [unique('input'), unique('output')];
  const server = ['--bootstrap-server', bootstrap];
  for (const topic of [input, output])
    await javaTools().run('TopicCommand', [...server, '--create', '--topic', topic]);
  await javaTools().run('VerifiableProducer', [
    ...server,
    '--topic',
    input,
    '--max-messages',
    String(MESSAGES),
  ]);
  return { input, output };
}

/** Kafka's own copier: reads, writes and commits its offsets in one transaction, and aborts every third or so. */
function copy(bootstrap: string, { input, output }: { input: string; output: string }): RunningTool {
  return javaTools().start('org.apache.kafka.tools.TransactionalMessageCopier', [
    '--broker-list',
    bootstrap,
    '--input-topic',
    input,
    '--output-topic',
    output,
    '--input-partition',
    '0',
    '--transactional-id',
    unique('copier'),
    '--consumer-group',
    unique('copiers'),
    '--transaction-size',
    '20',
    '--max-messages',
    String(MESSAGES),
    '--enable-random-aborts',
  ]);
}

async function readCommitted(bootstrap: string, topic: string): Promise<string[]> {
  const { out } = await javaTools().run('consumer.ConsoleConsumer', [
    '--bootstrap-server',
    bootstrap,
    '--topic',
    topic,
    '--from-beginning',
    '--timeout-ms',
    '3000',
    '--command-property',
    'isolation.level=read_committed',
  ]);
  return [...out];
}

const numbers = Array.from({ length: MESSAGES }, (_, number) => String(number));

describe.skipIf(absent(interop.java))(title('TransactionalMessageCopier', interop.java), () => {
  test('copies every record exactly once, whatever it aborts', { timeout: 120_000 }, async () => {
    peer = await startPeer();
    const topics = await prepare(peer.bootstrap);
    const { code, err } = await copy(peer.bootstrap, topics).done;
    expect({ code, err: err.slice(-5) }).toMatchObject({ code: 0 });
    expect(await readCommitted(peer.bootstrap, topics.output)).toEqual(numbers);
  });

  test('copies every record exactly once across kill -9 of the broker', { timeout: 180_000 }, async () => {
    peer = await startPeer();
    const topics = await prepare(peer.bootstrap);
    const copier = copy(peer.bootstrap, topics);
    for (let kills = 1; kills <= 3; kills++) {
      const lines = copier.out.length;
      await eventually('Progress', () => (copier.out.length > lines + 5 ? true : undefined), 60_000);
      await peer.stop('SIGKILL');
      await peer.restart();
    }
    const { code, err } = await copier.done;
    expect({ code, err: err.slice(-5) }).toMatchObject({ code: 0 });
    expect(await readCommitted(peer.bootstrap, topics.output)).toEqual(numbers);
  });
});
