import type { KafkaError } from '@ottla/client';
import type { Command } from 'commander';
import {
  reportFailure,
  runOnCluster,
  UsageError,
  wholeNumber,
  withClusterOptions,
  type ClusterOptions,
} from '../cluster/run-on-cluster.ts';
import { confirmed, withConfirmation, type ConfirmOptions } from '../terminal/confirm.ts';
import { printRows } from '../terminal/print.ts';

interface ElectOptions extends ClusterOptions, ConfirmOptions {
  readonly allTopics?: boolean;
  readonly partition?: number;
  readonly unclean?: boolean;
}

interface ReassignOptions extends ClusterOptions {
  readonly cancel?: boolean;
}

/** The commands of `ottla topics` about replicas: which of them leads, and on which brokers they are. */
export function registerTopicReplicas(topics: Command): void {
  withConfirmation(withClusterOptions(topics.command('elect-leaders [topic...]')))
    .description('give partitions their preferred leader again (KIP-460)')
    .option('--all-topics', 'all partitions of the cluster')
    .option('-p, --partition <number>', 'this partition alone', wholeNumber)
    .option('--unclean', 'any replica that is left, where none is in sync: loses records')
    .addHelpText('after', '\nExample:\n  ottla topics elect-leaders orders')
    .action((names: string[], options: ElectOptions) => electLeaders(names, options));
  withClusterOptions(topics.command('reassign <topic> <partition> [replicas]'))
    .description('begin to move a partition to other brokers, the preferred leader first (KIP-455)')
    .option('--cancel', 'call off the move that is under way')
    .addHelpText('after', '\nExample:\n  ottla topics reassign orders 0 2,3,1')
    .action((topic: string, partition: string, replicas: string | undefined, options: ReassignOptions) =>
      reassign({ topic, partition: wholeNumber(partition) }, replicas, options),
    );
  withClusterOptions(topics.command('reassignments'))
    .description('partitions that are on their way to other brokers')
    .addHelpText('after', '\nExample:\n  ottla topics reassignments --jsonl')
    .action((options: ClusterOptions) =>
      runOnCluster(options, async ({ admin, limits }) => {
        const moving = await admin.replicas.listReassignments('all', limits);
        await printRows(
          moving.map((each) => ({ ...each })),
          options,
        );
      }),
    );
}

function electLeaders(names: readonly string[], options: ElectOptions): Promise<void> {
  if ((names.length === 0) !== (options.allTopics === true))
    throw new UsageError('Name the topics, or give --all-topics');
  if (options.allTopics === true && options.partition !== undefined)
    throw new UsageError('A partition belongs to topics: name them instead of --all-topics');
  return runOnCluster(options, async ({ admin, limits }) => {
    const partitions = [];
    for (const [topic, described] of names.length === 0 ? [] : await admin.topics.describe(names, limits)) {
      if (described instanceof Error) reportFailure(described);
      // One that is not there is named all the same, for the cluster's own answer.
      else if (options.partition !== undefined) partitions.push({ topic, partition: options.partition });
      else partitions.push(...described.partitions.map(({ partition }) => ({ topic, partition })));
    }
    if (names.length > 0 && partitions.length === 0) return;
    const isRisky = options.unclean === true || options.dryRun === true;
    if (isRisky && !(await confirmed('Elect replicas that may lack records', options))) return;
    const type = options.unclean === true ? 'unclean' : 'preferred';
    const which = names.length === 0 ? 'all' : partitions;
    const rows = [];
    for (const { topic, partition, error } of await admin.replicas.electLeaders(type, which, limits)) {
      // Who leads already need not be elected: no failure for Kafka's tool either.
      if (error === null || error.name === 'ELECTION_NOT_NEEDED')
        rows.push({ topic, partition, elected: error === null });
      else reportFailure(error);
    }
    await printRows(rows, options);
  });
}

function reassign(
  place: { readonly topic: string; readonly partition: number },
  replicas: string | undefined,
  options: ReassignOptions,
): Promise<void> {
  if ((replicas === undefined) !== (options.cancel === true))
    throw new UsageError('Give the brokers, separated by commas, or --cancel');
  const target = replicas?.split(',').map((id) => wholeNumber(id)) ?? null;
  return runOnCluster(options, async ({ admin, limits }) => {
    const outcomes = await admin.replicas.reassign([{ ...place, replicas: target }], limits);
    const failures = outcomes.flatMap(({ error }): KafkaError[] => (error === null ? [] : [error]));
    for (const failure of failures) reportFailure(failure);
  });
}
