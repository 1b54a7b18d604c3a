import { SimClock } from '@ottla/platform';
import { ErrorCodes } from '@ottla/protocol';
import { expect, it } from 'vitest';
import { CoordinatorRuntime } from '../../../src/coordinator/runtime/coordinator-runtime.ts';
import {
  outcome,
  type CoordinatorTypes,
  type Outcome,
  type StateMachine,
  type Ticket,
} from '../../../src/coordinator/runtime/state-machine.ts';
import { MemoryLog } from '../group/memory-log.ts';

/** `add-ahead` and `add` append the next number of a counter of their own; `get` and the exclusive `get-alone` read both. */
interface CounterTypes extends CoordinatorTypes {
  readonly command:
    | { readonly type: 'add-ahead'; readonly bytes?: number }
    | { readonly type: 'add' }
    | { readonly type: 'get' }
    | { readonly type: 'get-alone' };
  readonly replies: { 'add-ahead': number; add: number; get: string; 'get-alone': string };
  readonly record: { readonly ahead: boolean; readonly value: number; readonly bytes: number };
  readonly followUp: never;
  readonly change: never;
}

/** Two counters: one counts at the append, one at the commit. */
class CounterMachine implements StateMachine<CounterTypes> {
  ahead = 0;
  committed = 0;
  readonly offsets: number[] = [];

  handle(command: CounterTypes['command'], ticket: Ticket): Outcome<CounterTypes> {
    if (command.type === 'get' || command.type === 'get-alone')
      return outcome({ replies: [{ ticket, value: `${this.ahead}/${this.committed}` }] });
    const ahead = command.type === 'add-ahead';
    const value = (ahead ? this.ahead : this.committed) + 1;
    const bytes = command.type === 'add-ahead' ? (command.bytes ?? 1) : 1;
    return outcome({ records: [{ ahead, value, bytes }], replies: [{ ticket, value }] });
  }

  written(): Outcome<CounterTypes> {
    return outcome({});
  }

  isExclusive({ type }: CounterTypes['command']): boolean {
    return type === 'get-alone';
  }

  replaysAtAppend({ ahead }: CounterTypes['record']): boolean {
    return ahead;
  }

  apply(): void {}

  replay({ ahead, value }: CounterTypes['record'], { offset }: { offset: number }): void {
    if (ahead) this.ahead = value;
    else this.committed = value;
    this.offsets.push(offset);
  }

  replayEndTransaction(): void {}

  loaded(): Outcome<CounterTypes> {
    return outcome({});
  }
}

/** Its first shard fails once its partition is read. */
class FailingOnceMachine extends CounterMachine {
  readonly #failures: string[];

  constructor(failures: string[]) {
    super();
    this.#failures = failures;
  }

  override loaded(): Outcome<CounterTypes> {
    const failure = this.#failures.pop();
    if (failure !== undefined) throw new Error(failure);
    return super.loaded();
  }
}

interface Harness {
  readonly runtime: CoordinatorRuntime<CounterTypes, CounterMachine>;
  readonly log: MemoryLog;
  readonly clock: SimClock;
  readonly problems: string[];
}

async function start(createMachine = () => new CounterMachine()): Promise<Harness> {
  const log = new MemoryLog(() => {});
  const clock = new SimClock();
  const problems: string[] = [];
  const runtime = new CoordinatorRuntime<CounterTypes, CounterMachine>(
    {
      topic: 'counters',
      serde: {
        encode: ({ ahead, value, bytes }) => ({
          key: Buffer.from(ahead ? 'a' : 'c'),
          value: Buffer.from(String(value).padEnd(bytes)),
        }),
        decode: (key, value) => ({
          ahead: key.toString() === 'a',
          value: Number(value?.toString()),
          bytes: value?.length ?? 0,
        }),
      },
      createMachine,
    },
    {
      log,
      clock,
      settings: {
        writeTimeoutMs: 1000,
        lingerMs: -1,
        maxBatchBytes: 1000,
        defer: (callback) => void setImmediate(callback),
      },
      onProblem: (message) => problems.push(message),
    },
  );
  runtime.elected(0, 1);
  await turn();
  return { runtime, log, clock, problems };
}

async function turn(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Where a promise stands now. */
async function stateOf(promise: Promise<unknown>): Promise<unknown> {
  const settled = promise.then(
    (value) => value,
    (failure: unknown) => failure,
  );
  return Promise.race([settled, turn().then(() => 'waiting')]);
}

it('a command sees what the ones before it decided, and all replies wait for the commit', async () => {
  const { runtime, log } = await start();
  const added = Array.from({ length: 20 }, () => runtime.submit(0, { type: 'add-ahead' }));
  const got = runtime.submit(0, { type: 'get' });
  await turn();
  expect(log.pendingCount).toBe(1);
  expect(await stateOf(added[19]!)).toBe('waiting');
  expect(await stateOf(got)).toBe('waiting');
  log.settle();
  expect(await Promise.all(added)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  expect(await got).toBe('20/0');
});

it('records replayed at the commit stay invisible until then, and get their offset', async () => {
  const { runtime, log } = await start();
  const added = [runtime.submit(0, { type: 'add' }), runtime.submit(0, { type: 'add-ahead' })];
  await turn();
  expect(runtime.read(0, ({ ahead, committed }) => [ahead, committed])).toEqual([1, 0]);
  log.settle();
  await Promise.all(added);
  expect(runtime.read(0, ({ ahead, committed, offsets }) => [ahead, committed, offsets])).toEqual([
    1,
    1,
    [-1, 0],
  ]);
});

it('a reply without records leaves at once when nothing is ahead of its commit', async () => {
  const { runtime, log } = await start();
  void runtime.submit(0, { type: 'add' });
  expect(await runtime.submit(0, { type: 'get' })).toBe('0/0');
  log.settle();
});

it('a write that rests on one in flight is appended after it', async () => {
  const { runtime, log } = await start();
  const first = runtime.submit(0, { type: 'add-ahead' });
  await turn();
  const second = runtime.submit(0, { type: 'add-ahead' });
  await turn();
  expect(log.pendingCount).toBe(1);
  log.settle();
  expect(await first).toBe(1);
  await turn();
  log.settle();
  expect(await second).toBe(2);
});

it.each([
  ['refused', { errorCode: ErrorCodes.NOT_ENOUGH_REPLICAS, kept: false }, '0/0'],
  ['timed out, and kept after all', { errorCode: ErrorCodes.REQUEST_TIMED_OUT, kept: true }, '1/1'],
])(
  'a failed write that was replayed ahead (%s): all callers are refused, the log counts again',
  async (...row) => {
    const { runtime, log, clock, problems } = await start();
    const inBatch = [runtime.submit(0, { type: 'add' }), runtime.submit(0, { type: 'add-ahead' })];
    const get = runtime.submit(0, { type: 'get' });
    await turn();
    const later = runtime.submit(0, { type: 'add-ahead' });
    const settled = Promise.allSettled([...inBatch, get, later]);
    await turn();
    log.settle(row[1]);
    expect(await settled).toMatchObject([
      { status: 'rejected', reason: { code: ErrorCodes.COORDINATOR_NOT_AVAILABLE } },
      { status: 'rejected', reason: { code: ErrorCodes.NOT_COORDINATOR } },
      { status: 'rejected', reason: { code: ErrorCodes.NOT_COORDINATOR } },
      { status: 'rejected', reason: { code: ErrorCodes.NOT_COORDINATOR } },
    ]);
    expect(problems.length).toBe(1);
    expect(log.pendingCount).toBe(0);
    clock.advance(2000);
    await turn();
    expect(await runtime.submit(0, { type: 'get' })).toBe(row[2]);
  },
);

it('a write that takes too long goes on: its callers are given up, later ones see it', async () => {
  const { runtime, log, clock, problems } = await start();
  const calls = [runtime.submit(0, { type: 'add' }), runtime.submit(0, { type: 'add-ahead' })];
  const settled = Promise.allSettled([...calls, runtime.submit(0, { type: 'get' })]);
  await turn();
  clock.advance(999);
  expect(await stateOf(settled)).toBe('waiting');
  clock.advance(1);
  const refused = { status: 'rejected', reason: { code: ErrorCodes.COORDINATOR_NOT_AVAILABLE } };
  expect(await settled).toMatchObject([refused, refused, refused]);
  log.settle();
  await turn();
  expect(await runtime.submit(0, { type: 'get' })).toBe('1/1');
  expect(problems).toEqual([]);
});

it('each write has its own time', async () => {
  const { runtime, log, clock } = await start();
  const first = stateOf(runtime.submit(0, { type: 'add' }));
  expect(await first).toBe('waiting');
  clock.advance(600);
  log.settle();
  const second = runtime.submit(0, { type: 'add' });
  await turn();
  clock.advance(999);
  expect(await stateOf(second)).toBe('waiting');
  const third = runtime.submit(0, { type: 'add' });
  clock.advance(1);
  await expect(second).rejects.toMatchObject({ code: ErrorCodes.COORDINATOR_NOT_AVAILABLE });
  log.settle();
  await turn();
  log.settle();
  await third;
});

it('what is too large for a batch is the failure of its command only', async () => {
  const { runtime, log } = await start();
  await expect(runtime.submit(0, { type: 'add-ahead', bytes: 2000 })).rejects.toMatchObject({
    code: ErrorCodes.UNKNOWN_SERVER_ERROR,
  });
  const next = runtime.submit(0, { type: 'add-ahead' });
  await turn();
  log.settle();
  expect(await next).toBe(1);
});

it('a shard whose machine cannot begin is reported and loaded again', async () => {
  const failures = ['no beginning'];
  const { runtime, clock, problems } = await start(() => new FailingOnceMachine(failures));
  expect(problems).toEqual([expect.stringContaining('"counters-0" failed with error 16')]);
  await expect(runtime.submit(0, { type: 'get' })).rejects.toMatchObject({
    code: ErrorCodes.NOT_COORDINATOR,
  });
  clock.advance(1000);
  await turn();
  expect(await runtime.submit(0, { type: 'get' })).toBe('0/0');
});

it('very many commands that wait for a write are handled in little time once it is there', async () => {
  const { runtime, log } = await start();
  void runtime.submit(0, { type: 'add' });
  await turn();
  const waiting = Array.from({ length: 100_000 }, () => runtime.submit(0, { type: 'get-alone' }));
  const begin = performance.now();
  log.settle();
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['0/1']));
  expect(performance.now() - begin).toBeLessThan(2000);
}, 60_000);
