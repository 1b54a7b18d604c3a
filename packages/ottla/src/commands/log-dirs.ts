import type { Command } from 'commander';
import { printRows } from '../terminal/print.ts';
import {
  reportFailure,
  runOnCluster,
  withClusterOptions,
  type ClusterOptions,
} from '../cluster/run-on-cluster.ts';

/** `ottla log-dirs`: where replicas lie, and how large they are. */
export function registerLogDirs(program: Command): void {
  withClusterOptions(program.command('log-dirs'))
    .description('log directories of the brokers: size of each replica')
    .addHelpText('after', '\nExample:\n  ottla log-dirs --jsonl | jq .sizeBytes')
    .action((options: ClusterOptions) => describeLogDirs(options));
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
        for (const { topic, partition, sizeBytes, offsetLag } of replicas)
          rows.push({ broker, path, topic, partition, sizeBytes, offsetLag });
      }
    }
    await printRows(rows, options);
  });
}
