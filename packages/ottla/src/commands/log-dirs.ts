import type { Command } from 'commander';
import { printRows } from '../terminal/print.ts';
import {
  reportFailure,
  runOnCluster,
  UsageError,
  wholeNumber,
  withClusterOptions,
  type ClusterOptions,
} from '../cluster/run-on-cluster.ts';

interface MoveOptions extends ClusterOptions {
  readonly broker?: number;
}

/** `ottla log-dirs`: where replicas lie and how large they are; moves them to other directories of their brokers. */
export function registerLogDirs(program: Command): void {
  const logDirs = program.command('log-dirs').description('log directories of the brokers: sizes, moves');
  withClusterOptions(logDirs.command('list', { isDefault: true }))
    .description('size of each replica, and what it still has to copy while it is moved (isFuture)')
    .addHelpText('after', '\nExample:\n  ottla log-dirs --jsonl | jq .sizeBytes')
    .action((options: ClusterOptions) => describeLogDirs(options));
  withClusterOptions(logDirs.command('move <topic> <partition> <path>'))
    .description('begin to move a replica to another log directory of its broker')
    .option('--broker <id>', 'whose replica; needed when several brokers have one', wholeNumber)
    .addHelpText('after', '\nExample:\n  ottla log-dirs move orders 0 /mnt/disk2/kafka')
    .action((topic: string, partition: string, path: string, options: MoveOptions) =>
      moveReplica({ topic, partition: wholeNumber(partition), path }, options),
    );
}

/** The broker is asked for the replica first: without one, Kafka only remembers the directory for a later creation. */
function moveReplica(
  { topic, partition, path }: { topic: string; partition: number; path: string },
  options: MoveOptions,
): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const described = await admin.topics.describe(topic, limits);
    const replicas = described.partitions.find((each) => each.partition === partition)?.replicas;
    if (replicas === undefined) throw new UsageError(`Topic "${topic}" has no partition ${partition}`);
    if (options.broker === undefined && replicas.length > 1)
      throw new UsageError(
        `Partition ${partition} of "${topic}" is on the brokers ${replicas.join(', ')}: choose one with --broker`,
      );
    const brokerId = options.broker ?? replicas[0]!;
    if (!replicas.includes(brokerId))
      throw new UsageError(`Broker ${brokerId} has no replica of "${topic}-${partition}"`);
    const [result] = await admin.logDirs.alterReplicas([{ topic, partition, brokerId, path }], limits);
    if (result!.error !== null) throw result!.error;
    await printRows([{ broker: brokerId, topic, partition, path }], options);
  });
}

function describeLogDirs(options: ClusterOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const rows = [];
    for (const [broker, dirs] of await admin.logDirs.describe(limits)) {
      if (dirs instanceof Error) {
        reportFailure(dirs);
        continue;
      }
      for (const { path, error, replicas } of dirs) {
        if (error !== null) reportFailure(error);
        for (const { topic, partition, sizeBytes, offsetLag, isFuture } of replicas)
          rows.push({ broker, path, topic, partition, sizeBytes, offsetLag, isFuture });
      }
    }
    await printRows(rows, options);
  });
}
