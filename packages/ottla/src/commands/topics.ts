import type { Command } from 'commander';
import { printRows } from '../terminal/print.ts';
import { collect } from '../collect.ts';
import {
  reportFailure,
  runOnCluster,
  UsageError,
  wholeNumber,
  withClusterOptions,
  type ClusterOptions,
} from '../cluster/run-on-cluster.ts';
import { registerTopicReplicas } from './topic-replicas.ts';

interface CreateOptions extends ClusterOptions {
  readonly partitions?: number;
  readonly replicationFactor?: number;
  readonly config: readonly string[];
  readonly ifNotExists?: boolean;
}

/** `ottla topics`: list, describe, create, grow and delete; leaders and replicas. */
export function registerTopics(program: Command): void {
  const topics = program
    .command('topics')
    .description('list, describe, create, grow and delete topics; elect leaders, move replicas');
  withClusterOptions(topics.command('list', { isDefault: true }))
    .description('name and number of partitions of every topic')
    .option('--internal', 'internal topics too')
    .addHelpText('after', '\nExample:\n  ottla topics list --jsonl | jq -r .name')
    .action((options: ClusterOptions & { internal?: boolean }) => listTopics(options));
  withClusterOptions(topics.command('describe [topic...]'))
    .description('leader, replicas and in-sync replicas of each partition; without a name of all topics')
    .addHelpText('after', '\nExample:\n  ottla topics describe orders')
    .action((names: string[], options: ClusterOptions) => describeTopics(names, options));
  withClusterOptions(topics.command('create <topic...>'))
    .description('create topics')
    .option('-p, --partitions <count>', "default: the broker's", wholeNumber)
    .option('-r, --replication-factor <count>', "default: the broker's", wholeNumber)
    .option('--config <key=value>', 'a config of the topic; may be repeated', collect, [])
    .option('--if-not-exists', 'a topic that is there is no error')
    .addHelpText('after', '\nExample:\n  ottla topics create orders -p 6 --config retention.ms=86400000')
    .action((names: string[], options: CreateOptions) => createTopics(names, options));
  withClusterOptions(topics.command('grow <topic> <partitions>'))
    .description('grow a topic to this number of partitions in total')
    .addHelpText('after', '\nExample:\n  ottla topics grow orders 12')
    .action((name: string, count: string, options: ClusterOptions) => growTopic(name, count, options));
  withClusterOptions(topics.command('delete <topic...>'))
    .description('delete topics with all that they hold')
    .addHelpText('after', '\nExample:\n  ottla topics delete orders-old')
    .action((names: string[], options: ClusterOptions) => deleteTopics(names, options));
  registerTopicReplicas(topics);
}

function listTopics(options: ClusterOptions & { internal?: boolean }): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const topics = await admin.topics.list({ ...limits, includeInternal: options.internal === true });
    const rows = topics.map(({ name, partitions, topicId }) => ({ name, partitions, topicId }));
    await printRows(
      rows.sort((a, b) => (a.name < b.name ? -1 : 1)),
      options,
    );
  });
}

function describeTopics(names: readonly string[], options: ClusterOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const all = async (): Promise<string[]> =>
      (await admin.topics.list(limits)).map(({ name }) => name).toSorted();
    const outcomes = await admin.topics.describe(names.length > 0 ? names : await all(), limits);
    const rows = [...outcomes].flatMap(([topic, outcome]) => {
      if (outcome instanceof Error) {
        reportFailure(outcome);
        return [];
      }
      return outcome.partitions.map(({ partition, leader, leaderEpoch, replicas, isr }) => ({
        topic,
        partition,
        leader,
        leaderEpoch,
        replicas,
        isr,
      }));
    });
    await printRows(rows, options);
  });
}

function createTopics(names: readonly string[], options: CreateOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const configs = Object.fromEntries(options.config.map(keyAndValue));
    const { partitions, replicationFactor } = options;
    const specs = names.map((name) => ({ name, partitions, replicationFactor, configs }));
    const rows = [];
    for (const [name, outcome] of await admin.topics.create(specs, limits)) {
      if (!(outcome instanceof Error))
        rows.push({ name, partitions: outcome.partitions, topicId: outcome.topicId });
      else if (outcome.name !== 'TOPIC_ALREADY_EXISTS' || options.ifNotExists !== true)
        reportFailure(outcome);
    }
    await printRows(rows, options);
  });
}

function growTopic(name: string, count: string, options: ClusterOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const outcomes = await admin.topics.createPartitions({ [name]: wholeNumber(count) }, limits);
    for (const [, outcome] of outcomes) if (outcome instanceof Error) reportFailure(outcome);
  });
}

function deleteTopics(names: readonly string[], options: ClusterOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    for (const outcome of (await admin.topics.delete(names, limits)).values())
      if (outcome instanceof Error) reportFailure(outcome);
  });
}

function keyAndValue(text: string): [string, string] {
  const equals = text.indexOf('=');
  if (equals < 1) throw new UsageError(`"${text}" is not of the form key=value`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}
