import { type Disk, type Logger, MemoryDisk, SeededRandom, SILENT_LOGGER, SimClock } from '@ottla/platform';
import { ApiKeys } from '@ottla/protocol';
import { expect, test } from 'vitest';
import { type Broker, startBroker } from '../../src/broker.ts';
import { MetadataLog } from '../../src/controller/metadata-log.ts';
import type { MetadataRecord } from '../../src/metadata/records.ts';
import { PipelinedClient } from '../handlers/pipelined-client.ts';

const FOLDER = '/logs/__cluster_metadata-0';
const TOPIC_ID = 'abcdefghijklmnopqrstuQ';
const clock = new SimClock();

function start(disk: Disk, warnings: string[]): Promise<Broker> {
  const logger: Logger = { ...SILENT_LOGGER, warn: (_fields, message) => void warnings.push(message) };
  const properties = { listeners: 'PLAINTEXT://127.0.0.1:0', 'log.dirs': '/logs' };
  return startBroker({ properties, clock, disk, random: new SeededRandom(1), logger });
}

async function ask(broker: Broker, apiKey: number, version: number, body: object): Promise<unknown> {
  const client = await PipelinedClient.open(broker.listeners[0]!.port);
  const answer = await client.ask({ apiKey, version, body });
  client.close();
  return answer;
}

/** Writes the topic of the metadata log into it, with what another topic's records say. */
async function addMetadataTopic(disk: Disk): Promise<void> {
  const records: MetadataRecord[] = [];
  const keep = (record: MetadataRecord): void => void records.push(record);
  const log = MetadataLog.open(
    { disk, folder: FOLDER, segmentBytes: 1_000_000 },
    { onSnapshotRecord: keep, onRecord: keep, onControlBatch: () => {} },
  );
  const copies = records.flatMap((record): MetadataRecord[] => {
    if (record.type === 'TopicRecord')
      return [{ ...record, data: { ...record.data, name: '__cluster_metadata', topicId: TOPIC_ID } }];
    if (record.type === 'PartitionRecord')
      return [{ ...record, data: { ...record.data, topicId: TOPIC_ID } }];
    return [];
  });
  expect(copies).toHaveLength(2);
  log.append(copies, clock.nowMs());
  await log.sync();
  log.close();
}

test('a log directory whose metadata has a topic __cluster_metadata starts, says so, and serves everything else', async () => {
  const disk = new MemoryDisk({ clock });
  const first = await start(disk, []);
  const topics = [{ name: 't', numPartitions: 1, replicationFactor: 1 }];
  await ask(first, ApiKeys.CreateTopics, 7, { topics, timeoutMs: 1000 });
  await first.close();
  await addMetadataTopic(disk);

  const warnings: string[] = [];
  const second = await start(disk, warnings);
  expect(warnings.filter((warning) => warning.includes('the name of the metadata log'))).toHaveLength(1);
  const before = disk.listSync(FOLDER);
  expect(await ask(second, ApiKeys.Metadata, 12, { topics: [{ name: 't' }] })).toMatchObject({
    topics: [{ errorCode: 0, partitions: [{ errorCode: 0, leaderId: 1 }] }],
  });
  const listed = { name: '__cluster_metadata', partitions: [{ partitionIndex: 0, timestamp: -1 }] };
  // NOT_LEADER_OR_FOLLOWER: known, and not here.
  expect(await ask(second, ApiKeys.ListOffsets, 7, { replicaId: -1, topics: [listed] })).toMatchObject({
    topics: [{ partitions: [{ errorCode: 6 }] }],
  });
  const deleted = { topics: [{ name: '__cluster_metadata' }], timeoutMs: 1000 };
  expect(await ask(second, ApiKeys.DeleteTopics, 6, deleted)).toMatchObject({
    responses: [{ errorCode: 0 }],
  });
  expect(disk.listSync(FOLDER)).toEqual(before);
  await second.close();

  const later: string[] = [];
  const third = await start(disk, later);
  expect(later.filter((warning) => warning.includes('the name of the metadata log'))).toEqual([]);
  await third.close();
});
