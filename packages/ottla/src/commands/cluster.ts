import type { Command } from 'commander';
import { printRows } from '../cluster/print.ts';
import {
  reportFailure,
  runOnCluster,
  withClusterOptions,
  type ClusterOptions,
} from '../cluster/run-on-cluster.ts';

/** `ottla cluster`, `ottla log-dirs`, `ottla transactions`: what there is, and how it is. */
export function registerCluster(program: Command): void {
  withClusterOptions(program.command('cluster'))
    .description('the brokers of the cluster')
    .addHelpText('after', '\nExample:\n  ottla cluster -b localhost:9092')
    .action((options: ClusterOptions) => describeCluster(options));
  withClusterOptions(program.command('log-dirs'))
    .description('log directories of the brokers: size of each replica')
    .addHelpText('after', '\nExample:\n  ottla log-dirs --jsonl | jq .sizeBytes')
    .action((options: ClusterOptions) => describeLogDirs(options));
  withClusterOptions(program.command('transactions'))
    .description('transactional producers and the state of their transactions')
    .addHelpText('after', '\nExample:\n  ottla transactions')
    .action((options: ClusterOptions) => listTransactions(options));
}

function describeCluster(options: ClusterOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const { clusterId, controllerId, nodes } = await admin.cluster.describe(limits);
    const rows = nodes.map(({ nodeId, host, port, rack }) => ({
      clusterId,
      nodeId,
      host,
      port,
      rack,
      isController: nodeId === controllerId,
    }));
    await printRows(rows, options);
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
        for (const { topic, partition, sizeBytes, offsetLag } of replicas)
          rows.push({ broker, path, topic, partition, sizeBytes, offsetLag });
      }
    }
    await printRows(rows, options);
  });
}

function listTransactions(options: ClusterOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const found = await admin.transactions.list(limits);
    await printRows(
      found.map(({ transactionalId, producerId, state }) => ({ transactionalId, producerId, state })),
      options,
    );
  });
}
