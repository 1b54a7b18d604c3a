import { afterEach, describe, expect, test } from 'vitest';
import { eventually, runCommand, type Peer } from '../src/index.ts';
import { absent, interop, javaTools, rawProgram, startPeer, unique } from './support.ts';

let peer: Peer | undefined;

afterEach(async () => {
  await peer?.dispose();
  peer = undefined;
});

const partitions = 3;

/** All values of a partition, in order, read by a consumer that has seen nothing of the writes. */
async function readBack(bootstrap: string, topic: string, partition: number): Promise<string[]> {
  const read = await javaTools().run('consumer.ConsoleConsumer', [
    '--bootstrap-server',
    bootstrap,
    '--topic',
    topic,
    '--partition',
    String(partition),
    '--offset',
    'earliest',
    '--timeout-ms',
    '4000',
    '--formatter-property',
    'print.offset=true',
  ]);
  return [...read.out];
}

describe.skipIf(absent(interop.java))('kill -9 in the middle of acknowledged writes', () => {
  test(
    'every acknowledged record is there once, in order, after three kills',
    { timeout: 150_000 },
    async () => {
      peer = await startPeer();
      const topic = unique('crash');
      await javaTools().run('TopicCommand', [
        '--bootstrap-server',
        peer.bootstrap,
        '--create',
        '--topic',
        topic,
        '--partitions',
        String(partitions),
      ]);
      const writer = javaTools().start('AckedWriter', [
        topic,
        String(partitions),
        `bootstrap.servers=${peer.bootstrap}`,
        'acks=all',
        'enable.idempotence=true',
        'linger.ms=1',
        'delivery.timeout.ms=60000',
        'request.timeout.ms=5000',
        'retry.backoff.ms=20',
        'reconnect.backoff.ms=20',
        'reconnect.backoff.max.ms=100',
      ]);
      for (let kills = 0; kills < 3; kills += 1) {
        const acked = writer.out.length;
        await eventually(
          'Writes being acknowledged',
          () => (writer.out.length > acked + 3000 ? true : undefined),
          40_000,
        );
        await peer.stop('SIGKILL');
        await peer.restart();
      }
      const acked = writer.out.length;
      await eventually(
        'Writes after the last restart',
        () => (writer.out.length > acked + 500 ? true : undefined),
        40_000,
      );
      const result = await writer.stop();
      expect(result.out.filter((line) => line.startsWith('failed'))).toEqual([]);

      for (let partition = 0; partition < partitions; partition += 1) {
        const expected = result.out
          .filter((line) => line.startsWith(`acked ${partition} `))
          .map((line) => {
            const [, , offset, number] = line.split(' ');
            return `Offset:${offset}\t${number}`;
          });
        const stored = await readBack(peer.bootstrap, topic, partition);
        expect(expected.length).toBeGreaterThan(500);
        // The writer was stopped with nothing in flight, so the log is exactly what was acknowledged.
        expect(stored.length).toBe(expected.length);
        expect(stored.find((line, i) => line !== expected[i])).toBeUndefined();
        const numbers = stored.map((line) => Number(line.split('\t')[1]));
        expect(numbers.every((number, i) => number === partition + i * partitions)).toBe(true);
      }
    },
  );

  test('topics, configs, committed offsets and the cluster id survive a kill', async () => {
    peer = await startPeer();
    const [topic, group] = [unique('survive'), unique('survivors')];
    const server = ['--bootstrap-server', peer.bootstrap];
    await javaTools().run('TopicCommand', [
      ...server,
      '--create',
      '--topic',
      topic,
      '--partitions',
      '2',
      '--config',
      'retention.ms=987654321',
    ]);
    await javaTools().run(
      'ConsoleProducer',
      [...server, '--topic', topic, '--producer-property', 'partitioner.ignore.keys=true'],
      '1\n2\n3\n4\n5\n',
    );
    const read = await javaTools().run('consumer.ConsoleConsumer', [
      ...server,
      '--topic',
      topic,
      '--group',
      group,
      '--from-beginning',
      '--max-messages',
      '5',
    ]);
    expect(read.out).toHaveLength(5);
    const clusterId = async () => (await javaTools().run('ClusterTool', ['cluster-id', ...server])).out;
    const id = await clusterId();
    await peer.stop('SIGKILL');
    await peer.restart();
    expect(await clusterId()).toEqual(id);
    const described = (await javaTools().run('TopicCommand', [...server, '--describe', '--topic', topic]))
      .out;
    expect(described[0]).toMatch(/PartitionCount: 2.*retention\.ms=987654321/);
    const offsets = await eventually('The group coordinator', async () => {
      const lines = (
        await javaTools().run('consumer.group.ConsumerGroupCommand', [
          ...server,
          '--describe',
          '--group',
          group,
        ])
      ).out;
      return lines.some((line) => line.startsWith(group)) ? lines : undefined;
    });
    const lags = offsets.filter((line) => line.startsWith(group)).map((line) => line.split(/\s+/)[5]);
    expect(lags.every((lag) => lag === '0')).toBe(true);
  });
});

describe('a clean stop', () => {
  test('ends with code 0 (143 from a JVM) and the next start serves what was written', async () => {
    peer = await startPeer();
    const topic = unique('clean');
    if ('absent' in interop.kcat) return;
    expect((await rawProgram(interop.kcat, ['-b', peer.bootstrap, '-P', '-t', topic], 'kept\n')).code).toBe(
      0,
    );
    const code = await peer.stop('SIGTERM');
    expect(code).toBe(interop.kind === 'kafka' ? 143 : 0);
    await peer.restart();
    const read = await runCommand('kcat', [
      '-b',
      peer.bootstrap,
      '-C',
      '-t',
      topic,
      '-o',
      'beginning',
      '-e',
      '-q',
    ]);
    expect(read.stdout).toBe('kept\n');
  });
});
