import { type Logger, MemoryDisk, SeededRandom, SILENT_LOGGER, SimClock } from '@ottla/platform';
import { ApiKeys } from '@ottla/protocol';
import { expect, test } from 'vitest';
import { startBroker } from '../../src/broker.ts';
import { PipelinedClient } from './pipelined-client.ts';

const { CreateTopics, DeleteTopics, FindCoordinator, ListGroups } = ApiKeys;

test('coordinators forget a deleted topic and are done with it: their own topic may go, too, and nothing is told of', async () => {
  const problems: string[] = [];
  const note = (_fields: object, message: string): void => void problems.push(message);
  const logger: Logger = { ...SILENT_LOGGER, warn: note, error: note };
  const clock = new SimClock();
  const properties = {
    listeners: 'PLAINTEXT://127.0.0.1:0',
    'log.dirs': '/logs',
    'offsets.topic.num.partitions': '4',
  };
  const disk = new MemoryDisk({ clock });
  const broker = await startBroker({ properties, clock, disk, random: new SeededRandom(1), logger });
  const client = await PipelinedClient.open(broker.listeners[0]!.port);
  try {
    const ask = (apiKey: number, version: number, body: object): Promise<unknown> =>
      client.ask({ apiKey, version, body });
    const topics = [{ name: 't', numPartitions: 1, replicationFactor: 1 }];
    await ask(CreateTopics, 7, { topics, timeoutMs: 1000 });
    const isLoaded = async (): Promise<boolean> => {
      await ask(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] });
      return ((await ask(ListGroups, 5, {})) as { errorCode: number }).errorCode === 0;
    };
    while (!(await isLoaded())) clock.advance(10);
    problems.length = 0;
    for (const name of ['t', '__consumer_offsets']) {
      const answer = await ask(DeleteTopics, 6, { topics: [{ name }], timeoutMs: 1000 });
      expect(answer).toMatchObject({ responses: [{ errorCode: 0 }] });
    }
    expect(problems).toEqual([]);
  } finally {
    client.close();
    await broker.close();
  }
});
