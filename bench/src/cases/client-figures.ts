import type { BenchOptions, Figures, Metric } from '../case.ts';
import { nodeClients, type NodeClient } from '../clients/client-names.ts';
import type { WorkReport } from '../clients/work-meter.ts';

/** The clients of a case that can run here: librdkafka has to be installed first. */
export function clientsHere(able: readonly NodeClient[], options: BenchOptions): readonly NodeClient[] {
  return able.filter((client) => client !== 'librdkafka' || options.librdkafka !== undefined);
}

/** Part of every worker's plan. */
export function clientPlan(client: NodeClient, options: BenchOptions) {
  return { client, ...(options.librdkafka !== undefined && { librdkafka: options.librdkafka }) };
}

/** Collects what the clients did in one round, and sets ours against the fastest other one. */
export class ClientFigures {
  readonly #figures: Record<string, number> = {};
  #best = 0;

  add(client: NodeClient, report: WorkReport): void {
    const rate = report.records / report.seconds / 1_000;
    this.#figures[`${client} k records/s`] = rate;
    this.#figures[`${client} cpu s/M records`] = report.cpuSeconds / (report.records / 1e6);
    this.#figures[`${client} peak MB`] = report.peakMb;
    if (client !== 'ottla') this.#best = Math.max(this.#best, rate);
    else this.#figures['ottla growth MB'] = report.lateMb - report.earlyMb;
  }

  all(): Figures {
    if (this.#best > 0)
      this.#figures['ottla / best other'] = this.#figures['ottla k records/s']! / this.#best;
    return this.#figures;
  }
}

/** What `ClientFigures` collects, for the clients that are able to run a case. */
export function clientMetrics(able: readonly NodeClient[], goal?: number): Metric[] {
  return [
    ...able.flatMap((client): Metric[] => [
      { name: `${client} k records/s`, unit: 'k/s', better: 'higher' },
      { name: `${client} cpu s/M records`, unit: 's', better: 'lower' },
      { name: `${client} peak MB`, unit: 'MB', better: 'lower' },
    ]),
    { name: 'ottla growth MB', unit: 'MB', better: 'lower' },
    ...(able.length > 1 ? [ratioToBestOther(goal)] : []),
  ];
}

function ratioToBestOther(goal: number | undefined): Metric {
  const ratio = { name: 'ottla / best other', unit: '', better: 'higher' } as const;
  return goal === undefined ? ratio : { ...ratio, absoluteGoal: goal };
}

/** Those of the clients of which `isAble` is true. */
export function ableClients(isAble: (client: NodeClient) => boolean): readonly NodeClient[] {
  return nodeClients.filter((client) => isAble(client));
}
