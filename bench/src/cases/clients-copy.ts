import { fileURLToPath } from 'node:url';
import { freshTopic, type BenchCase, type BenchOptions, type Figures } from '../case.ts';
import type { CopyPlan } from '../clients/copy-plan.ts';
import { fillTopic } from '../clients/fill-topic.ts';
import { runWorker } from '../clients/run-worker.ts';
import type { WorkReport } from '../clients/work-meter.ts';
import { createTopic, deleteTopic, type Subject } from '../subject.ts';
import { ableClients, ClientFigures, clientMetrics, clientPlan, clientsHere } from './client-figures.ts';

/** Node clients side by side: each copies the same topic to one of its own with transactions, one after the other. */
const PARTITIONS = 6;
const RECORDS = 200_000;
const RECORD_BYTES = 100;
const RECORDS_PER_TRANSACTION = 500;

const worker = fileURLToPath(new URL('../clients/copy-worker.js', import.meta.url));
const clients = ableClients(() => true);

async function run(subject: Subject, options: BenchOptions): Promise<Figures> {
  const { port } = subject.peer;
  const source = freshTopic('clients-copy-from');
  await createTopic(subject, source, PARTITIONS);
  const records = await fillTopic({
    port,
    topic: source,
    partitionCount: PARTITIONS,
    recordBytes: RECORD_BYTES,
    compression: 'none',
    records: RECORDS * options.scale,
  });
  const figures = new ClientFigures();
  for (const client of clientsHere(clients, options)) {
    const target = freshTopic('clients-copy-to');
    await createTopic(subject, target, PARTITIONS);
    const about = { ...clientPlan(client, options), port, source, target };
    const plan: CopyPlan = { ...about, records, recordsPerTransaction: RECORDS_PER_TRANSACTION };
    figures.add(client, await runWorker<WorkReport>(worker, plan));
    await deleteTopic(subject, target);
  }
  await deleteTopic(subject, source);
  return figures.all();
}

export const clientsCopy: readonly BenchCase[] = [
  {
    name: 'clients-copy',
    about: `Node clients: ${RECORD_BYTES} B records from a topic to another with their offsets, ${RECORDS_PER_TRANSACTION} in each transaction, ${PARTITIONS} partitions`,
    metrics: clientMetrics(clients),
    // Only asked for by name: it measures clients, not brokers.
    isLong: true,
    run,
  },
];
