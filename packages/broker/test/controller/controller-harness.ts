import { SeededRandom, SILENT_LOGGER, SimClock, SimDisk } from '@ottla/platform';
import type { ControllerRules } from '../../src/controller/command.ts';
import type { Voter } from '../../src/controller/metadata-batches.ts';
import { LocalController } from '../../src/controller/local-controller.ts';
import type { NewTopic } from '../../src/controller/controller.ts';
import type { MetadataImage } from '../../src/metadata/image.ts';

export const LOG_DIR = '/data';
export const METADATA_FOLDER = `${LOG_DIR}/__cluster_metadata-0`;

/** Every config is valid; one partition and one replica by default. */
export const LENIENT_RULES: ControllerRules = {
  numPartitions: 1,
  defaultReplicationFactor: 1,
  minInSyncReplicas: 1,
  configs: { validate: () => null, isList: () => true, inheritedValue: () => null },
};

export interface HarnessOptions {
  readonly snapshotIntervalBytes?: number;
  readonly segmentBytes?: number;
  readonly staticVoters?: readonly Voter[];
  readonly onFailure?: (error: unknown) => void;
}

export function newDisk(seed: number): SimDisk {
  const disk = new SimDisk({ random: new SeededRandom(seed) });
  disk.mkdirSync(LOG_DIR);
  disk.syncFolderSync('/');
  return disk;
}

/** A controller on a simulated disk, with its one broker registered. */
export async function openController(disk: SimDisk, options: HarnessOptions = {}): Promise<LocalController> {
  const controller = LocalController.open({
    disk,
    clock: new SimClock(),
    random: disk.random,
    logger: SILENT_LOGGER,
    logDir: LOG_DIR,
    clusterId: 'SBklB0SHTsC2sNXZ-fNGmQ',
    nodeId: 1,
    rules: () => LENIENT_RULES,
    firstVoter: null,
    directoryId: 'd0Ddz1Y37jl8M96YP7Tw8A',
    staticVoters: options.staticVoters ?? [],
    minInSyncReplicas: 1,
    segmentBytes: options.segmentBytes ?? 1_000_000,
    snapshotIntervalBytes: options.snapshotIntervalBytes ?? 1_000_000,
    onFailure: options.onFailure ?? (() => {}),
  });
  await controller.register({
    brokerId: 1,
    incarnationId: disk.random.uuid(),
    rack: null,
    endpoints: [{ listenerName: 'PLAINTEXT', host: 'localhost', port: 9092, securityProtocol: 0 }],
    logDirs: ['d0Ddz1Y37jl8M96YP7Tw8A'],
  });
  return controller;
}

export function newTopic(name: string, fields: Partial<NewTopic> = {}): NewTopic {
  return { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [], ...fields };
}

/** What two images have to agree on, whatever restarts lie between them: everything but epochs. */
export function essence(image: MetadataImage): unknown {
  const topics = [...image.topics.byId.values()].map((topic) => ({
    name: topic.name,
    id: topic.id,
    isFoundByName: image.topics.byName.get(topic.name)?.id === topic.id,
    partitions: topic.partitions.map(({ partition, replicas, isr, leader, directories }) => ({
      partition,
      replicas,
      isr,
      leader,
      directories,
    })),
  }));
  const configs = [...image.configs.resources()].map(([type, name]) => ({
    type,
    name,
    values: [...image.configs.get(type, name)].sort(),
  }));
  return {
    topics: topics.sort((a, b) => (a.id < b.id ? -1 : 1)),
    configs: configs.sort((a, b) => (a.name < b.name ? -1 : 1)),
    nextProducerId: image.nextProducerId,
    features: [...image.features].sort(),
    brokers: [...image.brokers.keys()],
  };
}
