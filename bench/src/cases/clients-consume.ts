import { fileURLToPath } from 'node:url';
import type { CompressionType } from '@ottla/protocol';
import { freshTopic, type BenchCase, type BenchOptions, type Figures, type Metric } from '../case.ts';
import {
  nodeClients,
  type ConsumePlan,
  type ConsumeReport,
  type ConsumeStyle,
  type NodeClient,
} from '../clients/consume-plan.ts';
import { fillTopic } from '../clients/fill-topic.ts';
import { runWorker } from '../clients/run-worker.ts';
import { createTopic, deleteTopic, type Subject } from '../subject.ts';

/** Node clients side by side: each reads the same topic in a process of its own, one after the other. */
const PARTITIONS = 6;

interface Shape {
  readonly recordBytes: number;
  readonly compression: CompressionType;
  readonly style: ConsumeStyle;
  readonly records: number;
}

const worker = fileURLToPath(new URL('../clients/consume-worker.js', import.meta.url));

/** kafkajs has no lz4 of its own; @platformatic/kafka has no batches, and did not get through a topic of lz4 batches in two minutes. */
function isAble(client: NodeClient, { compression, style }: Shape): boolean {
  if (client === 'kafkajs') return compression === 'none' || compression === 'gzip';
  return client === 'ottla' || (style === 'record' && compression !== 'lz4');
}

async function run(subject: Subject, options: BenchOptions, shape: Shape): Promise<Figures> {
  const topic = freshTopic('clients-consume');
  await createTopic(subject, topic, PARTITIONS);
  const { port } = subject.peer;
  const wanted = Math.ceil(shape.records * options.scale);
  const records = await fillTopic({ ...shape, port, topic, partitionCount: PARTITIONS, records: wanted });
  const figures: Record<string, number> = {};
  let best = 0;
  for (const client of nodeClients.filter((each) => isAble(each, shape))) {
    const plan: ConsumePlan = { client, style: shape.style, port, topic, records };
    const report = await runWorker<ConsumeReport>(worker, plan);
    const rate = report.records / report.seconds / 1_000;
    figures[`${client} k records/s`] = rate;
    figures[`${client} cpu s/M records`] = report.cpuSeconds / (report.records / 1e6);
    figures[`${client} peak MB`] = report.peakMb;
    if (client !== 'ottla') best = Math.max(best, rate);
    else figures['ottla growth MB'] = report.lateMb - report.earlyMb;
  }
  await deleteTopic(subject, topic);
  if (best > 0) figures['ottla / best other'] = figures['ottla k records/s']! / best;
  return figures;
}

function metricsOf(shape: Shape): Metric[] {
  const own = nodeClients
    .filter((client) => isAble(client, shape))
    .flatMap((client): Metric[] => [
      { name: `${client} k records/s`, unit: 'k/s', better: 'higher' },
      { name: `${client} cpu s/M records`, unit: 's', better: 'lower' },
      { name: `${client} peak MB`, unit: 'MB', better: 'lower' },
    ]);
  const hasOthers = own.length > 3;
  return [
    ...own,
    { name: 'ottla growth MB', unit: 'MB', better: 'lower' },
    ...(hasOthers
      ? [
          {
            name: 'ottla / best other',
            unit: '',
            better: 'higher',
            absoluteGoal: 2,
          } as const satisfies Metric,
        ]
      : []),
  ];
}

function benchCase(name: string, shape: Shape): BenchCase {
  const { recordBytes, compression, style } = shape;
  return {
    name: `clients-consume-${name}`,
    about: `Node clients: ${recordBytes} B records, ${compression}, ${PARTITIONS} partitions, a group of one, ${style} by ${style}`,
    metrics: metricsOf(shape),
    // Only asked for by name: it measures clients, not brokers.
    isLong: true,
    run: (subject, options) => run(subject, options, shape),
  };
}

export const clientsConsume: readonly BenchCase[] = [
  benchCase('100', { recordBytes: 100, compression: 'none', style: 'record', records: 2_000_000 }),
  benchCase('1000', { recordBytes: 1_000, compression: 'none', style: 'record', records: 500_000 }),
  benchCase('100-lz4', { recordBytes: 100, compression: 'lz4', style: 'record', records: 2_000_000 }),
  benchCase('100-batch', { recordBytes: 100, compression: 'none', style: 'batch', records: 2_000_000 }),
];
