import { fileURLToPath } from 'node:url';
import { freshTopic, type BenchCase, type BenchOptions, type Figures } from '../case.ts';
import type { NodeClient } from '../clients/client-names.ts';
import type { ProducePlan } from '../clients/produce-plan.ts';
import { runWorker } from '../clients/run-worker.ts';
import type { WorkReport } from '../clients/work-meter.ts';
import { createTopic, deleteTopic, type Subject } from '../subject.ts';
import { ableClients, ClientFigures, clientMetrics, clientPlan, clientsHere } from './client-figures.ts';

/** Node clients side by side: each writes to a topic of its own in a process of its own, one after the other. */
const PARTITIONS = 6;

interface Shape extends Pick<ProducePlan, 'recordBytes' | 'records' | 'acks' | 'compression'> {
  readonly clients: readonly NodeClient[];
}

const worker = fileURLToPath(new URL('../clients/produce-worker.js', import.meta.url));
const everyClient = ableClients(() => true);
/** kafkajs has no lz4 of its own. */
const withLz4 = ableClients((client) => client !== 'kafkajs');

async function run(subject: Subject, options: BenchOptions, shape: Shape): Promise<Figures> {
  const { clients, ...rest } = shape;
  const records = Math.ceil(shape.records * options.scale);
  const figures = new ClientFigures();
  for (const client of clientsHere(clients, options)) {
    const topic = freshTopic('clients-produce');
    await createTopic(subject, topic, PARTITIONS);
    const { port } = subject.peer;
    const about = { ...clientPlan(client, options), port, topic, partitionCount: PARTITIONS };
    const plan: ProducePlan = { ...rest, ...about, records };
    figures.add(client, await runWorker<WorkReport>(worker, plan));
    await deleteTopic(subject, topic);
  }
  return figures.all();
}

function benchCase(name: string, shape: Shape): BenchCase {
  const { recordBytes, compression, acks, clients } = shape;
  return {
    name: `clients-produce-${name}`,
    about: `Node clients: ${recordBytes} B records, ${compression}, acks of ${acks}, ${PARTITIONS} partitions`,
    metrics: clientMetrics(clients, 2),
    // Only asked for by name: it measures clients, not brokers.
    isLong: true,
    run: (subject, options) => run(subject, options, shape),
  };
}

const small = { recordBytes: 100, records: 1_000_000 } as const;
/** As many: with less than a second of work it is the compiling of the code that is measured. */
const large = { recordBytes: 1_000, records: 1_000_000 } as const;

export const clientsProduce: readonly BenchCase[] = [
  benchCase('100', { ...small, acks: 'all', compression: 'none', clients: everyClient }),
  benchCase('100-leader', { ...small, acks: 'leader', compression: 'none', clients: everyClient }),
  benchCase('100-lz4', { ...small, acks: 'all', compression: 'lz4', clients: withLz4 }),
  benchCase('1000', { ...large, acks: 'all', compression: 'none', clients: everyClient }),
  benchCase('1000-leader', { ...large, acks: 'leader', compression: 'none', clients: everyClient }),
  benchCase('1000-lz4', { ...large, acks: 'all', compression: 'lz4', clients: withLz4 }),
  benchCase('1000-lz4-leader', { ...large, acks: 'leader', compression: 'lz4', clients: withLz4 }),
  // Ten million, for the memory: the growth from the first million to the last.
  benchCase('memory', {
    ...small,
    records: 10_000_000,
    acks: 'all',
    compression: 'none',
    clients: ['ottla'],
  }),
];
