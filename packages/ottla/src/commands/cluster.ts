import type { Command } from 'commander';
import { confirmed, withConfirmation, type ConfirmOptions } from '../terminal/confirm.ts';
import { printRows } from '../terminal/print.ts';
import {
  runOnCluster,
  wholeNumber,
  withClusterOptions,
  type ClusterOptions,
} from '../cluster/run-on-cluster.ts';

/** `ottla cluster`: its brokers, its feature levels, its quorum of controllers. */
export function registerCluster(program: Command): void {
  const cluster = program.command('cluster').description('brokers, features and quorum of the cluster');
  withClusterOptions(cluster.command('brokers', { isDefault: true }))
    .description('the brokers of the cluster')
    .option('--fenced', 'those too that are registered and not in service')
    .addHelpText('after', '\nExample:\n  ottla cluster -b localhost:9092')
    .action((options: ClusterOptions & { fenced?: boolean }) => describeCluster(options));
  withClusterOptions(cluster.command('features'))
    .description('levels of features that are in force, and that brokers could have (KIP-584)')
    .addHelpText('after', '\nExample:\n  ottla cluster features')
    .action((options: ClusterOptions) => describeFeatures(options));
  withClusterOptions(cluster.command('quorum'))
    .description('leader, voters and observers of the metadata log')
    .addHelpText('after', '\nExample:\n  ottla cluster quorum --jsonl')
    .action((options: ClusterOptions) => describeQuorum(options));
  withConfirmation(withClusterOptions(cluster.command('unregister <broker>')))
    .description('remove a broker that is shut down for good from the metadata')
    .addHelpText('after', '\nExample:\n  ottla cluster unregister 3')
    .action((broker: string, options: ClusterOptions & ConfirmOptions) => unregister(broker, options));
}

function describeCluster(options: ClusterOptions & { fenced?: boolean }): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const includeFencedBrokers = options.fenced === true;
    const description = await admin.cluster.describe({ ...limits, includeFencedBrokers });
    const { clusterId, controllerId, nodes } = description;
    const rows = nodes.map(({ nodeId, host, port, rack, isFenced }) => ({
      clusterId,
      nodeId,
      host,
      port,
      rack,
      isController: nodeId === controllerId,
      ...(includeFencedBrokers && { isFenced }),
    }));
    await printRows(rows, options);
  });
}

function describeFeatures(options: ClusterOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const rows = [...(await admin.features.describe(limits))].map(([feature, status]) => ({
      feature,
      finalizedLevel: status.finalizedLevel,
      supportedMin: status.supported?.min,
      supportedMax: status.supported?.max,
    }));
    await printRows(
      rows.sort((a, b) => (a.feature < b.feature ? -1 : 1)),
      options,
    );
  });
}

function describeQuorum(options: ClusterOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const { leaderId, leaderEpoch, highWatermark, voters, observers } = await admin.quorum.describe(limits);
    const leaderEnd = voters.find(({ replicaId }) => replicaId === leaderId)?.logEndOffset;
    const roles = [
      ...voters.map((replica) => ({ ...replica, role: replica.replicaId === leaderId ? 'leader' : 'voter' })),
      ...observers.map((replica) => ({ ...replica, role: 'observer' })),
    ];
    await printRows(
      roles.map(({ replicaId, directoryId, role, logEndOffset }) => ({
        replicaId,
        directoryId,
        role,
        leaderEpoch,
        highWatermark,
        logEndOffset,
        lag: leaderEnd === undefined ? undefined : Math.max(0, leaderEnd - logEndOffset),
      })),
      options,
    );
  });
}

function unregister(broker: string, options: ClusterOptions & ConfirmOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const brokerId = wholeNumber(broker);
    if (await confirmed(`Remove broker ${brokerId} from the metadata of the cluster`, options))
      await admin.cluster.unregisterBroker(brokerId, limits);
  });
}
