import { describe, expect, test } from 'vitest';
import { classPath, runCommand } from '../src/index.ts';
import { absent, bootstrap, interop, javaTools, title, unique } from './support.ts';
import { eventsOf } from './verifiable.ts';

const tool = (main: string, ...args: string[]) =>
  javaTools().run(main, ['--bootstrap-server', bootstrap, ...args]);
/** The verifiable tools finish in hooks of the JVM itself, so they get one of their own. */
async function ownJvm(main: string, ...args: string[]) {
  if ('absent' in interop.java) throw new Error(interop.java.absent);
  const jvm = [
    '-cp',
    classPath(interop.java.libs),
    `org.apache.kafka.tools.${main}`,
    '--bootstrap-server',
    bootstrap,
  ];
  const result = await runCommand('java', [...jvm, ...args]);
  return { ...result, out: result.stdout.trim().split('\n') };
}

const createTopic = (topic: string, ...args: string[]) =>
  tool('TopicCommand', '--create', '--topic', topic, ...args);

describe.skipIf(absent(interop.java))(title('verifiable and performance tools', interop.java), () => {
  test('the verifiable consumer reads what the verifiable producer was acknowledged', async () => {
    const [topic, group] = [unique('verifiable'), unique('verifiers')];
    await createTopic(topic, '--partitions', '3');
    const produced = await ownJvm(
      'VerifiableProducer',
      '--topic',
      topic,
      '--max-messages',
      '2000',
      '--acks',
      '-1',
    );
    const acked = eventsOf(produced.out).filter((event) => event.name === 'producer_send_success');
    expect(acked).toHaveLength(2000);
    expect(eventsOf(produced.out).at(-1)).toMatchObject({ name: 'tool_data', sent: 2000, acked: 2000 });
    const consumed = await ownJvm(
      'VerifiableConsumer',
      '--topic',
      topic,
      '--group-id',
      group,
      '--max-messages',
      '2000',
      '--verbose',
      '--reset-policy',
      'earliest',
    );
    const values = eventsOf(consumed.out)
      .filter((event) => event.name === 'record_data')
      .map((event) => event['value']);
    expect(new Set(values)).toEqual(new Set(acked.map((event) => event['value'])));
    expect(
      eventsOf(consumed.out).some((event) => event.name === 'offsets_committed' && event['success'] === true),
    ).toBe(true);
  });

  test('the performance tools run to their end', async () => {
    const topic = unique('performance');
    await createTopic(topic, '--partitions', '6');
    const produced = await javaTools().run('ProducerPerformance', [
      '--topic',
      topic,
      '--num-records',
      '50000',
      '--record-size',
      '200',
      '--throughput',
      '-1',
      '--producer-props',
      `bootstrap.servers=${bootstrap}`,
      'acks=all',
      'compression.type=lz4',
    ]);
    expect(produced.out.at(-1)).toMatch(/^50000 records sent/);
    const consumed = await tool(
      'ConsumerPerformance',
      '--topic',
      topic,
      '--num-records',
      '50000',
      '--timeout',
      '20000',
    );
    const fields = consumed.out.at(-1)!.split(', ');
    expect(Number(fields[4])).toBeGreaterThanOrEqual(50_000);
    const group = unique('share-performance');
    const entity = ['--alter', '--entity-type', 'groups', '--entity-name', group];
    const config = ['--add-config', 'share.auto.offset.reset=earliest'];
    await tool('kafka.admin.ConfigCommand', ...entity, ...config);
    // The tool interrupts its own threads, and fails of that, when the reading as a whole takes longer than its time-out.
    const reading = ['--topic', topic, '--group', group, '--num-records', '50000', '--timeout', '40000'];
    const share = await tool('ShareConsumerPerformance', ...reading);
    expect({ code: share.code, err: share.err.filter((line) => line.includes('Interrupt')) }).toEqual({
      code: 0,
      err: [],
    });
    expect(Number(share.out.at(-1)!.split(', ')[5])).toBeGreaterThanOrEqual(50_000);
  });

  test('the end-to-end latency tool gets each of its messages back', async () => {
    const topic = unique('latency');
    await createTopic(topic);
    const result = await tool(
      'EndToEndLatency',
      '--topic',
      topic,
      '--num-records',
      '300',
      '--producer-acks',
      'all',
      '--record-size',
      '100',
    );
    expect([...result.out, ...result.err].join('\n')).toMatch(/Percentiles: 50th = /);
  });
});
