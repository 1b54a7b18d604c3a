import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, JavaProgram, type Peer, type RunningTool } from '../src/index.ts';
import { interop, javaTools, unique } from './support.ts';

/** Which of its two ways a Kafka Streams application uses to share its tasks. */
export type StreamsProtocol = 'classic' | 'streams';

/** What the broker is told, so that a killed instance is missed after seconds. */
export const streamsBrokerProperties: Readonly<Record<string, string>> = {
  'group.streams.min.session.timeout.ms': '5000',
  'group.streams.session.timeout.ms': '6000',
  'group.streams.min.heartbeat.interval.ms': '500',
  'group.streams.heartbeat.interval.ms': '500',
  'group.streams.initial.rebalance.delay.ms': '0',
};

/** Windows of the application begin at multiples of this, and hold 1000 numbers. */
const WINDOW_MS = 10_000;
const WINDOW_COUNT = 1000;
const KEY_COUNT = 7;

/** The input, the table and the output of one application (`java/StreamsApp.java`), and its instances. */
export class StreamsApplication {
  readonly id = unique('streams');
  readonly input = `${this.id}-in`;
  readonly table = `${this.id}-names`;
  readonly output = `${this.id}-out`;
  readonly #peer: Peer;
  readonly #protocol: StreamsProtocol;
  readonly #folder = mkdtempSync(join(tmpdir(), 'ottla-interop-streams-'));
  /** Numbers are younger than the table, or the first of them could come before it: Streams takes records in the order of their time. */
  readonly #base = Math.ceil(Date.now() / WINDOW_MS + 6) * WINDOW_MS;
  readonly #all: { readonly name: string; readonly program: JavaProgram }[] = [];

  constructor(peer: Peer, protocol: StreamsProtocol) {
    this.#peer = peer;
    this.#protocol = protocol;
  }

  /** Creates the topics and fills the table. */
  async prepare(): Promise<void> {
    const server = ['--bootstrap-server', this.#peer.bootstrap];
    const topics = { [this.input]: '2', [this.table]: '4', [this.output]: '1' };
    for (const [topic, partitions] of Object.entries(topics))
      await javaTools().run('TopicCommand', [
        ...server,
        '--create',
        '--topic',
        topic,
        '--partitions',
        partitions,
      ]);
    const names = Array.from({ length: KEY_COUNT }, (_, key) => `k${key}\tname${key}\n`).join('');
    const keyed = ['--reader-property', 'parse.key=true'];
    await javaTools().run('ConsoleProducer', [...server, '--topic', this.table, ...keyed], names);
  }

  /** Starts an instance; one of the same name goes on with the state that its predecessor left on disk. */
  start(name: string, ...properties: readonly string[]): JavaProgram {
    if ('absent' in interop.java) throw new Error(interop.java.absent);
    const args = this.#arguments(name, properties);
    const program = new JavaProgram({ ...interop.java, main: 'StreamsApp', args });
    this.#all.push({ name, program });
    return program;
  }

  /** The same inside the JVM of the tools: cheaper, for an instance that nobody kills. */
  startInTools(name: string, ...properties: readonly string[]): RunningTool {
    return javaTools().start('StreamsApp', this.#arguments(name, properties));
  }

  #arguments(name: string, properties: readonly string[]): string[] {
    return [
      this.input,
      this.table,
      this.output,
      String(this.#base),
      `bootstrap.servers=${this.#peer.bootstrap}`,
      `application.id=${this.id}`,
      `client.id=${name}`,
      `state.dir=${join(this.#folder, name)}`,
      `group.protocol=${this.#protocol}`,
      'processing.guarantee=exactly_once_v2',
      'producer.transaction.timeout.ms=5000',
      ...(this.#protocol === 'classic' ? ['session.timeout.ms=6000', 'heartbeat.interval.ms=500'] : []),
      ...properties,
    ];
  }

  /** Writes the numbers below `count` to the input, while the test goes on. */
  write(count: number, rate: number): RunningTool {
    const settings = [`bootstrap.servers=${this.#peer.bootstrap}`, `records=${count}`, `rate=${rate}`];
    return javaTools().start('AckedWriter', [this.input, '2', ...settings]);
  }

  /** Reads the output as it is committed. */
  read(): RunningTool {
    return javaTools().start('GroupMember', [
      this.output,
      `bootstrap.servers=${this.#peer.bootstrap}`,
      `group.id=${this.id}-reader`,
      'isolation.level=read_committed',
    ]);
  }

  /**
   * Waits until the committed output has `count` records, stops the instances, and returns all that was ever committed: what stands in
   * front of a last record that is written when nobody else writes any more.
   */
  async allOutput(reader: RunningTool, count: number): Promise<string[]> {
    const values = (): string[] =>
      reader.out
        .filter((line) => line.startsWith('record '))
        .map((line) => line.split(' ').slice(3).join(' '));
    const isComplete = (): true | undefined => (values().length >= count ? true : undefined);
    // What is missing is told better by a comparison with what there must be.
    await eventually('All output', isComplete, 90_000).catch(() => undefined);
    await this.stop();
    const server = ['--bootstrap-server', this.#peer.bootstrap];
    await javaTools().run('ConsoleProducer', [...server, '--topic', this.output], 'end\n');
    await eventually('The end of the output', () => (values().includes('end') ? true : undefined), 30_000);
    await reader.stop();
    return values().filter((value) => value !== 'end');
  }

  /** What each instance said last, for the report of a failure. */
  tails(): string {
    const tail = (lines: readonly string[]): string => lines.slice(-12).join('\n  ');
    return this.#all
      .map(({ name, program }) => `${name}:\n  ${tail(program.out)}\n  ${tail(program.err)}`)
      .join('\n');
  }

  /** Ends all instances as SIGTERM does. */
  async stop(): Promise<void> {
    await Promise.all(this.#all.map(({ program }) => program.end('SIGTERM')));
  }

  /** Ends what still runs, and removes the state. */
  async dispose(): Promise<void> {
    await Promise.all(this.#all.map(({ program }) => program.end('SIGKILL')));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** What the output of each key and kind must be for the numbers below `count`; the joined numbers in ascending order. */
export function expectedOutput(count: number): Record<string, string[]> {
  const expected: Record<string, string[]> = {};
  const add = (kind: string, value?: string): void => {
    const values = (expected[kind] ??= []);
    values.push(value ?? String(values.length + 1));
  };
  for (let number = 0; number < count; number++) {
    const key = `k${number % KEY_COUNT}`;
    add(`count ${key}`);
    add(`window ${key} ${Math.floor(number / WINDOW_COUNT)}`);
    add(`join ${key}`, `${number} name${number % KEY_COUNT}`);
  }
  return expected;
}

/** Sorts the output by key and kind. Counts stay in the order in which they were written; numbers come in that of the input's partitions. */
export function outputByKind(values: readonly string[]): Record<string, string[]> {
  const kinds: Record<string, string[]> = {};
  for (const value of values) {
    const [kind, rest] = value.split(': ', 2);
    (kinds[kind!] ??= []).push(rest!);
  }
  for (const [kind, list] of Object.entries(kinds))
    if (kind.startsWith('join')) list.sort((a, b) => parseInt(a, 10) - parseInt(b, 10));
  return kinds;
}
