import { SILENT_LOGGER, type Clock, type SeededRandom, type SimDisk } from '@ottla/platform';
import { ErrorCodes, type BatchSummary } from '@ottla/protocol';
import { DEFAULT_LOG_CONFIG, LogManager, type CleanerOptions, type LogConfig } from '@ottla/storage';
import type { ConnectionContext } from '../../src/handlers/handler.ts';
import type { MetadataStore } from '../../src/metadata/image.ts';
import {
  failedAppend,
  type AppendRequest,
  type AppendResult,
  type TopicPartition,
} from '../../src/replica/append.ts';
import type { Partition } from '../../src/replica/partition.ts';
import { ReplicaManager } from '../../src/replica/replica-manager.ts';

/** Opens the logs on a disk in memory, as a broker does when it starts. */
export async function openReplicas(world: {
  readonly disk: SimDisk;
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly metadata: MetadataStore;
  /** `log.dirs`; one by default. */
  readonly dirs?: readonly string[];
  readonly config?: Partial<LogConfig>;
  /** With compaction, which the test starts. */
  readonly cleaner?: CleanerOptions;
  readonly moveBytesPerSecond?: () => number;
  readonly onDirectoryChange?: (partition: Partition, directoryId: string) => void;
}): Promise<ReplicaManager> {
  const { disk, clock, random, metadata, dirs = ['/logs'] } = world;
  const config = { ...DEFAULT_LOG_CONFIG, ...world.config };
  let replicas: ReplicaManager | null = null;
  const logManager = await LogManager.open({
    disk,
    clock,
    random,
    dirs,
    nodeId: 1,
    clusterId: 'AAAAAAAAAAAAAAAAAAAAAw',
    configFor: () => config,
    ...(world.cleaner && { cleaner: world.cleaner }),
    onDirFailure: (dir) => replicas?.onDirFailure(dir),
  });
  const partitionConfig = { log: config, minInsyncReplicas: 1, writeCaching: false };
  replicas = new ReplicaManager({
    nodeId: 1,
    clock,
    logger: SILENT_LOGGER,
    logManager,
    configFor: () => partitionConfig,
    image: () => metadata.current(),
    ...(world.moveBytesPerSecond && { moveBytesPerSecond: world.moveBytesPerSecond }),
    ...(world.onDirectoryChange && { onDirectoryChange: world.onDirectoryChange }),
  });
  replicas.start(metadata.current());
  return replicas;
}

/** Makes appends end badly now and then: refused, or written but reported as timed out. */
export class FailingAppends {
  /** How many in a hundred end badly. */
  failurePercent = 8;
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  async run(
    requests: readonly AppendRequest[],
    append: () => Promise<AppendResult[]>,
  ): Promise<AppendResult[]> {
    const dice = this.#random.nextInt(200);
    if (dice < this.failurePercent) return requests.map(() => failedAppend(ErrorCodes.NOT_ENOUGH_REPLICAS));
    const results = await append();
    if (dice >= 2 * this.failurePercent) return results;
    return results.map((result) =>
      result.errorCode === ErrorCodes.NONE ? failedAppend(ErrorCodes.REQUEST_TIMED_OUT) : result,
    );
  }

  /** The log of a coordinator, with appends like that. */
  logOf(replicas: ReplicaManager) {
    return {
      append: async (request: AppendRequest, options: Parameters<ReplicaManager['append']>[1]) =>
        (await this.run([request], () => replicas.append(request, options).then((result) => [result])))[0]!,
      scan: (
        partition: TopicPartition,
        onBatches: (records: Buffer, summaries: readonly BatchSummary[]) => void | Promise<void>,
      ) => replicas.scan(partition, onBatches),
      trim: (topic: string, partition: number, beforeOffset: number) =>
        replicas.trim(topic, partition, beforeOffset),
    };
  }
}

/** Lets everything run that is due in this and the next turns of the event loop. */
export async function turns(count = 12): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Where the requests of simulated clients come from. */
export const CONNECTION: ConnectionContext = {
  id: 'connection',
  clientHost: '/127.0.0.1',
  listenerName: 'PLAINTEXT',
  principal: 'User:ANONYMOUS',
  softwareName: 'test',
  softwareVersion: '1',
  closed: new AbortController().signal,
  pendingWait: null,
  mute: () => {},
};
