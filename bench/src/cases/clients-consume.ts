import { fileURLToPath } from 'node:url';
import type { CompressionType } from '@ottla/protocol';
import { freshTopic, type BenchCase, type BenchOptions, type Figures } from '../case.ts';
import type { NodeClient } from '../clients/client-names.ts';
import type { ConsumePlan, ConsumeReport, ConsumeStyle } from '../clients/consume-plan.ts';
import { fillTopic } from '../clients/fill-topic.ts';
import { runWorker } from '../clients/run-worker.ts';
import { createTopic, deleteTopic, type Subject } from '../subject.ts';
import { ableClients, ClientFigures, clientMetrics, clientPlan, clientsHere } from './client-figures.ts';

/** Node clients side by side: each reads the same topic in a process of its own, one after the other. */
const PARTITIONS = 6;

interface Shape {
  readonly recordBytes: number;
  readonly compression: CompressionType;
  readonly style: ConsumeStyle;
  readonly records: number;
  /** Those that are able, when not all of them. */
  readonly clients?: readonly NodeClient[];
}

const worker = fileURLToPath(new URL('../clients/consume-worker.js', import.meta.url));

/** kafkajs has no lz4 of its own; @platformatic/kafka has no batches, and did not get through a topic of lz4 batches in two minutes. */
function ableTo({ compression, style, clients }: Shape): readonly NodeClient[] {
  if (clients !== undefined) return clients;
  return ableClients((client) => {
    if (client === 'kafkajs') return compression === 'none' || compression === 'gzip';
    return client !== 'platformatic' || (style === 'record' && compression !== 'lz4');
  });
}

async function run(subject: Subject, options: BenchOptions, shape: Shape): Promise<Figures> {
  const topic = freshTopic('clients-consume');
  await createTopic(subject, topic, PARTITIONS);
  const { port } = subject.peer;
  const wanted = Math.ceil(shape.records * options.scale);
  const records = await fillTopic({ ...shape, port, topic, partitionCount: PARTITIONS, records: wanted });
  const figures = new ClientFigures();
  for (const client of clientsHere(ableTo(shape), options)) {
    const plan: ConsumePlan = {
      ...clientPlan(client, options),
      style: shape.style,
      port,
      topic,
      records,
    };
    figures.add(client, await runWorker<ConsumeReport>(worker, plan));
  }
  await deleteTopic(subject, topic);
  return figures.all();
}

function benchCase(name: string, shape: Shape): BenchCase {
  const { recordBytes, compression, style } = shape;
  return {
    name: `clients-consume-${name}`,
    about: `Node clients: ${recordBytes} B records, ${compression}, ${PARTITIONS} partitions, a group of one, ${style} by ${style}`,
    metrics: clientMetrics(ableTo(shape), 2),
    // Only asked for by name: it measures clients, not brokers.
    isLong: true,
    run: (subject, options) => run(subject, options, shape),
  };
}

export const clientsConsume: readonly BenchCase[] = [
  benchCase('100', { recordBytes: 100, compression: 'none', style: 'record', records: 2_000_000 }),
  benchCase('1000', { recordBytes: 1_000, compression: 'none', style: 'record', records: 500_000 }),
  benchCase('100-lz4', { recordBytes: 100, compression: 'lz4', style: 'record', records: 2_000_000 }),
  benchCase('1000-lz4', { recordBytes: 1_000, compression: 'lz4', style: 'record', records: 500_000 }),
  benchCase('100-batch', { recordBytes: 100, compression: 'none', style: 'batch', records: 2_000_000 }),
  // Ten million, for the memory: the growth from the first million to the last.
  benchCase('memory', {
    recordBytes: 100,
    compression: 'none',
    style: 'record',
    records: 10_000_000,
    clients: ['ottla'],
  }),
];
