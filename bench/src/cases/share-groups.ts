import { RawConnection } from '@ottla/interop';
import {
  decodeResponse,
  encodeRequest,
  incrementalAlterConfigsRequest,
  incrementalAlterConfigsResponse,
} from '@ottla/protocol';
import { freshTopic, type BenchCase, type BenchOptions, type Figures } from '../case.ts';
import { fillTopic } from '../clients/fill-topic.ts';
import { officialTool } from '../official-tool.ts';
import { measured } from '../process-usage.ts';
import { createTopic, deleteTopic, type Subject } from '../subject.ts';

const PARTITIONS = 6;
const RECORDS = 1_000_000;
const RECORD_BYTES = 100;
/** Kafka's number for the configs of a group. */
const GROUP_RESOURCE = 32;

/** ShareConsumerPerformance on a topic that is there already; each record is acknowledged with the next poll. */
async function run(subject: Subject, options: BenchOptions, threads: number): Promise<Figures> {
  const topic = freshTopic(`share-${threads}`);
  const { port, bootstrap, pid } = subject.peer;
  await createTopic(subject, topic, PARTITIONS);
  const records = await fillTopic({
    port,
    topic,
    partitionCount: PARTITIONS,
    recordBytes: RECORD_BYTES,
    compression: 'none',
    records: RECORDS * options.scale,
  });
  // The group has the name of the topic.
  await readFromTheBeginning(port, topic);
  const { result, usage } = await measured(pid, () =>
    officialTool(options, 'ShareConsumerPerformance', [
      '--bootstrap-server',
      bootstrap,
      '--topic',
      topic,
      '--group',
      topic,
      '--num-records',
      String(records),
      '--threads',
      String(threads),
      // With several members the tool takes it for the time of all the reading.
      '--timeout',
      '120000',
      '--hide-header',
    ]),
  );
  await deleteTopic(subject, topic);
  // start, end, MB, MB/s, records/s, records, ms
  const fields = result.trim().split('\n').at(-1)!.split(', ');
  return {
    'records/s': Number(fields[4]),
    'broker cpu s/M records': usage.cpuSeconds / (records / 1e6),
    'peak memory MB': usage.peakMb,
  };
}

async function readFromTheBeginning(port: number, groupId: string): Promise<void> {
  const configs = [{ name: 'share.auto.offset.reset', configOperation: 0, value: 'earliest' }];
  const body = { resources: [{ resourceType: GROUP_RESOURCE, resourceName: groupId, configs }] };
  const header = { correlationId: 1, clientId: 'bench' };
  const connection = await RawConnection.open(port);
  connection.send(...encodeRequest(incrementalAlterConfigsRequest, 1, header, body));
  const frame = await connection.receive(30_000);
  connection.close();
  if (frame === undefined) throw new Error(`The configs of group "${groupId}" were not answered`);
  const [outcome] = decodeResponse(incrementalAlterConfigsResponse, 1, frame).value.responses;
  if (outcome?.errorCode !== 0)
    throw new Error(`The configs of group "${groupId}" were refused with error ${outcome?.errorCode}`);
}

/** Share groups (KIP-932) with Kafka's own consumers. */
export const shareGroups: readonly BenchCase[] = [1, 4].map((threads) => ({
  name: `share-group-${threads}`,
  about: `ShareConsumerPerformance: ${threads} member(s) of a share group, ${RECORD_BYTES} B records, ${PARTITIONS} partitions`,
  metrics: [
    { name: 'records/s', unit: '1/s', better: 'higher', ratioGoal: 1 },
    { name: 'broker cpu s/M records', unit: 's', better: 'lower' },
    { name: 'peak memory MB', unit: 'MB', better: 'lower' },
  ],
  needsJava: true,
  run: (subject, options) => run(subject, options, threads),
}));
