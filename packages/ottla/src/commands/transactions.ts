import type { PartitionProducers, ProducerState, TransactionDescription } from '@ottla/client';
import type { Command } from 'commander';
import { confirmed, withConfirmation, type ConfirmOptions } from '../terminal/confirm.ts';
import { printRows } from '../terminal/print.ts';
import {
  reportFailure,
  runOnCluster,
  UsageError,
  wholeNumber,
  withClusterOptions,
  type ClusterAccess,
  type ClusterOptions,
} from '../cluster/run-on-cluster.ts';
import { collect } from '../collect.ts';
import { hanging, longOpen, type OpenTransaction } from './hanging-transactions.ts';

interface ListOptions extends ClusterOptions {
  readonly state: readonly string[];
  readonly durationFilter?: number;
  readonly transactionalIdPattern?: string;
}

interface HangingOptions extends ClusterOptions {
  readonly topic?: string;
  readonly partition?: number;
  /** In minutes, as Kafka's tool takes it. */
  readonly maxTransactionTimeout: number;
}

type AbortOptions = ClusterOptions & ConfirmOptions & { readonly startOffset: number };

/** Kafka's `transaction.max.timeout.ms` by default, in minutes. */
const MAX_TIMEOUT_MINUTES = 15;

/** `ottla transactions`: what transactions there are, and an end for those that hang (KIP-664). */
export function registerTransactions(program: Command): void {
  const transactions = program
    .command('transactions')
    .description('transactions: list, describe, find those that hang, abort');
  withClusterOptions(transactions.command('list', { isDefault: true }))
    .description('transactional producers and the state of their transactions')
    .option('--state <state>', 'only in this one: Ongoing, ...; may be repeated', collect, [])
    .option('--duration-filter <ms>', 'only those that have been open for longer', wholeNumber)
    .option('--transactional-id-pattern <regex>', 'only of ids that match (RE2)')
    .addHelpText('after', '\nExample:\n  ottla transactions list --state Ongoing --duration-filter 60000')
    .action((options: ListOptions) => listTransactions(options));
  withClusterOptions(transactions.command('describe <transactional-id...>'))
    .description('coordinator, producer, timeout and partitions of transactions')
    .addHelpText('after', '\nExample:\n  ottla transactions describe orders-writer')
    .action((ids: string[], options: ClusterOptions) => describeTransactions(ids, options));
  withClusterOptions(transactions.command('describe-producers <topic> <partition>'))
    .description('producers that are active in a partition, and where their open transaction begins')
    .addHelpText('after', '\nExample:\n  ottla transactions describe-producers orders 0')
    .action((topic: string, partition: string, options: ClusterOptions) =>
      describeProducers(topic, partition, options),
    );
  withClusterOptions(transactions.command('find-hanging'))
    .description('transactions that are open in a partition while no coordinator will end them')
    .option('--topic <topic>', 'look in this one only')
    .option('--partition <partition>', 'of that topic', wholeNumber)
    .option(
      '--max-transaction-timeout <minutes>',
      'open for at least this long',
      wholeNumber,
      MAX_TIMEOUT_MINUTES,
    )
    .addHelpText('after', '\nExample:\n  ottla transactions find-hanging --topic orders')
    .action((options: HangingOptions) => findHanging(options));
  withConfirmation(withClusterOptions(transactions.command('abort <topic> <partition>')))
    .description('abort a transaction that hangs in a partition')
    .requiredOption('--start-offset <offset>', 'its first, as find-hanging shows it', wholeNumber)
    .addHelpText('after', '\nExample:\n  ottla transactions abort orders 0 --start-offset 1234')
    .action((topic: string, partition: string, options: AbortOptions) => abort(topic, partition, options));
  withConfirmation(withClusterOptions(transactions.command('force-terminate <transactional-id>')))
    .description('abort the open transaction of an id by fencing its producer')
    .addHelpText('after', '\nExample:\n  ottla transactions force-terminate orders-writer')
    .action((id: string, options: ClusterOptions & ConfirmOptions) => forceTerminate(id, options));
}

function listTransactions(options: ListOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const { state, durationFilter, transactionalIdPattern } = options;
    const found = await admin.transactions.list({
      ...limits,
      states: state,
      ...(durationFilter !== undefined && { durationMs: durationFilter }),
      ...(transactionalIdPattern !== undefined && { transactionalIdPattern }),
    });
    await printRows(
      found.map((each) => ({
        transactionalId: each.transactionalId,
        producerId: each.producerId,
        state: each.state,
      })),
      options,
    );
  });
}

function describeTransactions(ids: readonly string[], options: ClusterOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const rows = [];
    for (const outcome of (await admin.transactions.describe(ids, limits)).values()) {
      if (outcome instanceof Error) reportFailure(outcome);
      else rows.push(transactionRow(outcome));
    }
    await printRows(rows, options);
  });
}

function transactionRow({ partitions, startTimeMs, ...rest }: TransactionDescription) {
  const { transactionalId, coordinator, producerId, producerEpoch, state, timeoutMs } = rest;
  return {
    transactionalId,
    coordinator,
    producerId,
    producerEpoch,
    state,
    timeoutMs,
    startTime: startTimeMs === undefined ? null : new Date(startTimeMs).toISOString(),
    partitions: partitions.map(({ topic, partition }) => `${topic}-${partition}`),
  };
}

function describeProducers(topic: string, partition: string, options: ClusterOptions): Promise<void> {
  return runOnCluster(options, async (access) => {
    const producers = await producersOf(access, { topic, partition: wholeNumber(partition) });
    await printRows(producers.map(producerRow), options);
  });
}

async function producersOf(
  { admin, limits }: ClusterAccess,
  place: { readonly topic: string; readonly partition: number },
): Promise<readonly ProducerState[]> {
  const [found] = await admin.transactions.describeProducers([place], limits);
  if (found === undefined) throw new UsageError(`Nobody answered for ${place.topic}-${place.partition}`);
  if (found.error !== null) throw found.error;
  return found.producers;
}

function producerRow(producer: ProducerState) {
  const { producerId, producerEpoch, coordinatorEpoch, lastSequence, lastTimestampMs } = producer;
  return {
    producerId,
    producerEpoch,
    coordinatorEpoch,
    lastSequence,
    lastTimestamp: new Date(lastTimestampMs).toISOString(),
    currentTransactionStartOffset: producer.currentTransactionStartOffset,
  };
}

function findHanging(options: HangingOptions): Promise<void> {
  return runOnCluster(options, async (access) => {
    const { admin, limits } = access;
    const { NodeClock } = await import('@ottla/platform');
    const partitions: PartitionProducers[] = [];
    for (const each of await admin.transactions.describeProducers(await placesOf(access, options), limits)) {
      if (each.error !== null) reportFailure(each.error);
      else partitions.push(each);
    }
    const candidates = longOpen(partitions, {
      nowMs: new NodeClock().nowMs(),
      maxTransactionTimeoutMs: options.maxTransactionTimeout * 60_000,
    });
    const found = hanging(candidates, await knownOf(access, candidates));
    await printRows(
      found.map(({ topic, partition, producer }) => ({ topic, partition, ...producerRow(producer) })),
      options,
    );
  });
}

/** What coordinators know of the producers of candidates. */
async function knownOf(
  { admin, limits }: ClusterAccess,
  candidates: readonly OpenTransaction[],
): Promise<TransactionDescription[]> {
  if (candidates.length === 0) return [];
  const producerIds = [...new Set(candidates.map(({ producer }) => producer.producerId))];
  const listed = await admin.transactions.list({ ...limits, producerIds });
  const described = await admin.transactions.describe(
    listed.map(({ transactionalId }) => transactionalId),
    limits,
  );
  const known: TransactionDescription[] = [];
  for (const outcome of described.values()) {
    // An id that went meanwhile is not known; any other failure would make a running transaction look hanging.
    if (!(outcome instanceof Error)) known.push(outcome);
    else if (outcome.name !== 'TRANSACTIONAL_ID_NOT_FOUND') throw outcome;
  }
  return known;
}

async function placesOf(
  { admin, limits }: ClusterAccess,
  { topic, partition }: HangingOptions,
): Promise<{ topic: string; partition: number }[]> {
  if (topic === undefined && partition !== undefined) throw new UsageError('--partition needs --topic');
  if (topic !== undefined && partition !== undefined) return [{ topic, partition }];
  const topics = await admin.topics.list({ ...limits, includeInternal: true });
  const wanted = topics.filter(({ name }) => topic === undefined || name === topic);
  if (topic !== undefined && wanted.length === 0) throw new UsageError(`There is no topic "${topic}"`);
  return wanted.flatMap(({ name, partitions }) =>
    Array.from({ length: partitions }, (_, index) => ({ topic: name, partition: index })),
  );
}

function abort(topic: string, partition: string, options: AbortOptions): Promise<void> {
  return runOnCluster(options, async (access) => {
    const { admin, limits } = access;
    const place = { topic, partition: wholeNumber(partition) };
    const { startOffset } = options;
    const found = (await producersOf(access, place)).find(
      (each) => each.currentTransactionStartOffset === startOffset,
    );
    if (found === undefined)
      throw new UsageError(
        `No transaction that began at offset ${startOffset} is open in ${topic}-${place.partition}; see ottla transactions describe-producers`,
      );
    await printRows([producerRow(found)], options);
    if (!(await confirmed('Abort this transaction', options))) return;
    const { producerId, producerEpoch, coordinatorEpoch = -1 } = found;
    await admin.transactions.abort({ ...place, producerId, producerEpoch, coordinatorEpoch }, limits);
  });
}

function forceTerminate(id: string, options: ClusterOptions & ConfirmOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    await printRows([transactionRow(await admin.transactions.describe(id, limits))], options);
    if (await confirmed(`Fence the producer of "${id}"`, options))
      await admin.transactions.forceTerminate(id, limits);
  });
}
