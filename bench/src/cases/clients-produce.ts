import { fileURLToPath } from 'node:url';
import { freshTopic, type BenchCase, type BenchOptions, type Figures, type Metric } from '../case.ts';
import { nodeClients, type NodeClient } from '../clients/consume-plan.ts';
import type { ProducePlan, ProduceReport } from '../clients/produce-plan.ts';
import { runWorker } from '../clients/run-worker.ts';
import { createTopic, deleteTopic, type Subject } from '../subject.ts';

/** Node clients side by side: each writes to a topic of its own in a process of its own, one after the other. */
const PARTITIONS = 6;

type Shape = Pick<ProducePlan, 'recordBytes' | 'records' | 'acks' | 'compression'>;

const worker = fileURLToPath(new URL('../clients/produce-worker.js', import.meta.url));

/** kafkajs has no lz4 of its own. */
function isAble(client: NodeClient, { compression }: Shape): boolean {
  return client !== 'kafkajs' || compression !== 'lz4';
}

async function run(subject: Subject, options: BenchOptions, shape: Shape): Promise<Figures> {
  const records = Math.ceil(shape.records * options.scale);
  const figures: Record<string, number> = {};
  let best = 0;
  for (const client of nodeClients.filter((each) => isAble(each, shape))) {
    const topic = freshTopic('clients-produce');
    await createTopic(subject, topic, PARTITIONS);
    const plan: ProducePlan = { ...shape, client, port: subject.peer.port, topic, records };
    const report = await runWorker<ProduceReport>(worker, plan);
    await deleteTopic(subject, topic);
    const rate = report.records / report.seconds / 1_000;
    figures[`${client} k records/s`] = rate;
    figures[`${client} cpu s/M records`] = report.cpuSeconds / (report.records / 1e6);
    figures[`${client} peak MB`] = report.peakMb;
    if (client !== 'ottla') best = Math.max(best, rate);
    else figures['ottla growth MB'] = report.lateMb - report.earlyMb;
  }
  figures['ottla / best other'] = figures['ottla k records/s']! / best;
  return figures;
}

function metricsOf(shape: Shape): Metric[] {
  return [
    ...nodeClients
      .filter((client) => isAble(client, shape))
      .flatMap((client): Metric[] => [
        { name: `${client} k records/s`, unit: 'k/s', better: 'higher' },
        { name: `${client} cpu s/M records`, unit: 's', better: 'lower' },
        { name: `${client} peak MB`, unit: 'MB', better: 'lower' },
      ]),
    { name: 'ottla growth MB', unit: 'MB', better: 'lower' },
    { name: 'ottla / best other', unit: '', better: 'higher', absoluteGoal: 2 },
  ];
}

function benchCase(name: string, shape: Shape): BenchCase {
  const { recordBytes, compression, acks } = shape;
  return {
    name: `clients-produce-${name}`,
    about: `Node clients: ${recordBytes} B records, ${compression}, acks of ${acks}, ${PARTITIONS} partitions`,
    metrics: metricsOf(shape),
    // Only asked for by name: it measures clients, not brokers.
    isLong: true,
    run: (subject, options) => run(subject, options, shape),
  };
}

export const clientsProduce: readonly BenchCase[] = [
  benchCase('100', { recordBytes: 100, records: 1_000_000, acks: 'all', compression: 'none' }),
  benchCase('100-leader', { recordBytes: 100, records: 1_000_000, acks: 'leader', compression: 'none' }),
  benchCase('1000', { recordBytes: 1_000, records: 200_000, acks: 'all', compression: 'none' }),
  benchCase('100-lz4', { recordBytes: 100, records: 1_000_000, acks: 'all', compression: 'lz4' }),
];
