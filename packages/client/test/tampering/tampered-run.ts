import { getEventListeners } from 'node:events';
import { SeededRandom } from '@ottla/platform';
import { startBroker, type TestBroker } from '@ottla/testkit';
import { expect } from 'vitest';
import { connect, KafkaError, type ClientOptions, type Ottla } from '../../src/index.ts';
import { CountingClock } from '../counting-clock.ts';
import { seededTamper, type TamperKind } from './seeded-tamper.ts';
import { TamperingProxy, type Tamper } from './tampering-proxy.ts';

/** What a run may do, and what it has come to. */
export interface TamperedRun {
  readonly seed: number;
  readonly kind: TamperKind;
  readonly kafka: TestBroker;
  readonly random: SeededRandom;
  /** A client whose answers are tampered with. */
  readonly ottla: Ottla;
  /** Ends loops when the run has taken long enough; nobody may listen to it in the end. */
  readonly signal: AbortSignal;
  /** From here on answers are tampered with, and the time of `signal` runs. */
  begin(): void;
  /** A client for setting up and looking after; answers pass as they are from here on. */
  honest(): Ottla;
  /** The value, or the KafkaError that the promise rejects with. Fails when it rejects with anything else, or hangs. */
  outcome<T>(what: string, promise: Promise<T>): Promise<T | KafkaError>;
}

/** How the runs went, for people. */
export interface TamperingCounts {
  runs: number;
  answers: number;
  tampered: number;
  calls: number;
  failed: number;
}

/** OTTLA_TAMPER_PATIENCE=5 gives everything five times as long: for a machine that has other work too. */
const patience = Number(process.env['OTTLA_TAMPER_PATIENCE'] ?? 1);

/** How long the client waits for one answer, and for an operation with all its attempts. */
export const LIMITS = { requestTimeoutMs: 200 * patience, operationMs: 600 * patience };

const TIMEOUTS: ClientOptions = {
  requestTimeoutMs: LIMITS.requestTimeoutMs,
  defaultApiTimeoutMs: LIMITS.operationMs,
  connectionSetupTimeoutMs: LIMITS.requestTimeoutMs,
  connectionSetupTimeoutMaxMs: LIMITS.requestTimeoutMs,
  reconnectBackoffMs: 2,
  reconnectBackoffMaxMs: 10,
  retryBackoffMs: 2,
  retryBackoffMaxMs: 10,
};
/** How long a loop without an end goes on. */
const LOOP_MS = 900 * patience;
/** Far beyond every timeout above, on a busy machine too. */
const HANG_MS = 20_000 * patience;
/** What a few connections and a small broker need, and far below what broken answers announce. */
const MEMORY_BYTES = 128 * 1024 * 1024;

const PROPERTIES = {
  'group.min.session.timeout.ms': '100',
  'group.consumer.min.heartbeat.interval.ms': '20',
  'group.consumer.heartbeat.interval.ms': '20',
  'group.share.min.heartbeat.interval.ms': '20',
  'group.share.heartbeat.interval.ms': '20',
  'group.share.delivery.count.limit': '10',
};

function inTime<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} does not end`)), HANG_MS);
  });
  return Promise.race([promise, hang]).finally(() => clearTimeout(timer));
}

/** Runs a program on a client whose answers are tampered with, and checks that nothing of the client stays behind. */
export async function tamperedRun(
  how: {
    readonly seed: number;
    readonly kind: TamperKind;
    readonly topics?: Readonly<Record<string, number>>;
  },
  program: (run: TamperedRun) => Promise<void>,
  counts: TamperingCounts = { runs: 0, answers: 0, tampered: 0, calls: 0, failed: 0 },
): Promise<void> {
  const { seed, kind } = how;
  await using proxy = await TamperingProxy.start();
  const address = `127.0.0.1:${proxy.port}`;
  await using kafka = await startBroker({
    topics: how.topics ?? {},
    properties: { 'advertised.listeners': `PLAINTEXT://${address}`, ...PROPERTIES },
  });
  proxy.targetPort = Number(kafka.bootstrap.split(':').at(-1));
  const clock = new CountingClock();
  const ottla = connect({
    bootstrap: address,
    ...TIMEOUTS,
    clock,
    random: new SeededRandom(seed),
    maxResponseBytes: 64 * 1024 * 1024,
  });
  await using honest = connect({ bootstrap: address, retryBackoffMs: 5, defaultApiTimeoutMs: HANG_MS });
  const stop = new AbortController();
  const bytesBefore = process.memoryUsage().arrayBuffers;
  let mostBytes = bytesBefore;
  const choose = seededTamper(seed, kind, proxy.port);
  const tamper: Tamper = (answer) => {
    const delivery = choose(answer);
    counts.answers += 1;
    if (delivery.bytes !== answer.frame || delivery.delayMs !== undefined) counts.tampered += 1;
    mostBytes = Math.max(mostBytes, process.memoryUsage().arrayBuffers);
    return delivery;
  };
  const outcome = async <T>(what: string, promise: Promise<T>): Promise<T | KafkaError> => {
    counts.calls += 1;
    try {
      return await inTime(what, promise);
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      counts.failed += 1;
      return error;
    }
  };
  let end: NodeJS.Timeout | undefined;
  try {
    await program({
      seed,
      kind,
      kafka,
      random: new SeededRandom(seed),
      ottla,
      signal: stop.signal,
      begin: () => {
        proxy.tamper = tamper;
        end = setTimeout(() => stop.abort(), LOOP_MS);
      },
      honest: () => {
        proxy.calm();
        return honest;
      },
      outcome,
    });
    await outcome('Closing the handle', ottla.close());
    await honest.close();
    await inTime('Closing the connections', proxy.empty());
    expect([...clock.live], 'timers are left').toEqual([]);
    expect(getEventListeners(stop.signal, 'abort'), 'listeners are left').toEqual([]);
    expect(mostBytes - bytesBefore, 'memory').toBeLessThan(MEMORY_BYTES);
    counts.runs += 1;
  } catch (error) {
    throw new Error(`With seed ${seed}, ${kind}: ${String(error)}`, { cause: error });
  } finally {
    clearTimeout(end);
    await ottla.close().catch(() => {});
  }
}
