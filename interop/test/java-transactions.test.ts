import {
  ApiKeys,
  decodeResponse,
  encodeBatch,
  encodeRequest,
  messagesByApiKey,
  type MessageInput,
} from '@ottla/protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually, RawConnection, type Peer, type RunningTool } from '../src/index.ts';
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
  // The producer sends its last records after its `main` has returned.
  await eventually('The filling of the input topic', async () => {
    const { out } = await javaTools().run('GetOffsetShell', [...server, '--topic', input]);
    return out.includes(`${input}:0:${MESSAGES}`) ? true : undefined;
  });
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

const PRODUCER_ID = 4711;

/** One exchange in the raw, for what no client would send. */
async function ask(port: number, apiKey: number, version: number, body: object): Promise<unknown> {
  const api = messagesByApiKey(apiKey)!;
  const connection = await RawConnection.open(port);
  const header = { correlationId: 1, clientId: 'test' };
  connection.send(...encodeRequest(api.request, version, header, body as MessageInput<unknown>));
  const frame = await connection.receive();
  connection.close();
  return decodeResponse(api.response, version, frame!).value;
}

describe.skipIf(absent(interop.java))(title('kafka-transactions.sh', interop.java), () => {
  test('finds a transaction that hangs and aborts it', { timeout: 120_000 }, async () => {
    // Without verification, as brokers before KIP-890, anybody can open a transaction that has no coordinator.
    peer = await startPeer({ properties: { 'transaction.partition.verification.enable': 'false' } });
    const topic = unique('hanging');
    const server = ['--bootstrap-server', peer.bootstrap];
    await javaTools().run('TopicCommand', [...server, '--create', '--topic', topic]);
    const records = encodeBatch({
      // Two hours old: longer than any transaction may take.
      records: [{ key: null, value: Buffer.from('x'), timestamp: Date.now() - 7_200_000 }],
      producerId: PRODUCER_ID,
      producerEpoch: 3,
      baseSequence: 0,
      isTransactional: true,
    });
    const produced = await ask(peer.port, ApiKeys.Produce, 11, {
      transactionalId: 'hanging',
      acks: -1,
      timeoutMs: 5_000,
      topicData: [{ name: topic, partitionData: [{ index: 0, records }] }],
    });
    expect(produced).toMatchObject({
      responses: [{ partitionResponses: [{ errorCode: 0, baseOffset: 0 }] }],
    });

    const tool = async (...args: string[]) => [
      ...(await javaTools().run('TransactionsCommand', [...server, ...args])).out,
    ];
    const place = ['--topic', topic, '--partition', '0'];
    const found = await tool('find-hanging', '--broker-id', '1', '--max-transaction-timeout', '60');
    expect(found.join('\n')).toMatch(new RegExp(`${topic}\\s+0\\s+${PRODUCER_ID}\\s+3\\s`));
    const described = await tool('describe-producers', ...place);
    expect(described.join('\n')).toMatch(new RegExp(`${PRODUCER_ID}\\s+3\\s`));
    await tool('abort', ...place, '--start-offset', '0');
    expect(await tool('find-hanging', '--broker-id', '1', '--max-transaction-timeout', '60')).toHaveLength(1);
    const end = await ask(peer.port, ApiKeys.ListOffsets, 8, {
      replicaId: -1,
      isolationLevel: 1,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
    });
    expect(end).toMatchObject({ topics: [{ partitions: [{ offset: 2 }] }] });
  });

  test('lists and describes transactional ids', { timeout: 120_000 }, async () => {
    peer = await startPeer();
    const topics = await prepare(peer.bootstrap);
    await copy(peer.bootstrap, topics).done;
    const server = ['--bootstrap-server', peer.bootstrap];
    const { out: listed } = await javaTools().run('TransactionsCommand', [...server, 'list']);
    const [id] = /\S*copier\S*/.exec(listed.join('\n')) ?? [''];
    // EndTxn is answered when the decision is durable; its markers may still be on their way.
    expect(listed.join('\n')).toMatch(/copier\S*\s+1\s+\d+\s+(Prepare|Complete|Ongoing|Empty)/);
    const { out: described } = await javaTools().run('TransactionsCommand', [
      ...server,
      'describe',
      '--transactional-id',
      id!,
    ]);
    expect(described.join('\n')).toContain(id);
  });
});
