import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { interopFolder, repositoryFolder } from './cache.ts';
import { delay, freePort, mustRun } from './command.ts';
import { classPath } from './kafka-jars.ts';

/** Which broker answers: Ottla from this checkout, or the real Apache Kafka as the oracle. */
export type PeerKind = 'ottla' | 'kafka';

/** One node of a cluster whose nodes are all brokers and controllers. */
export interface ClusterMember {
  readonly nodeId: number;
  readonly controllerPort: number;
  /** `controller.quorum.voters`: the same at all nodes. */
  readonly voters: string;
  readonly clusterId: string;
}

/** How to start a broker. */
export interface PeerOptions {
  readonly kind: PeerKind;
  /** Folder of the official jars; needed for `kafka`. */
  readonly libs?: string;
  /** Broker properties beside the ones every test node has. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Its place in a cluster of several; alone when absent. For `kafka` only. */
  readonly member?: ClusterMember;
  /** Listeners beside the plain one: `SASL_SSL://127.0.0.1:1234`. */
  readonly listeners?: readonly string[];
  /** Folder for data and log; a temporary one that `dispose` removes when absent. */
  readonly folder?: string;
  /** Levels of features that are not this release's: `{ 'transaction.version': 1 }`. Needs `libs`, whose tool formats the folder. */
  readonly features?: Readonly<Record<string, number>>;
}

/** What every test node is told: one node, internal topics with one replica, no waiting for more members. */
const commonProperties: Readonly<Record<string, string>> = {
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
};

/** JVM options of the official `kafka-server-start`, so that the comparison is fair. */
const kafkaJvmOptions: readonly string[] = [
  '-Xmx1G',
  '-Xms1G',
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
  '-Djava.awt.headless=true',
];

/** The command file of the package `ottla`, as its package.json names it. */
function ottlaCommand(): string {
  const folder = join(repositoryFolder, 'packages', 'ottla');
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    bin?: Record<string, string>;
  };
  const file = bin?.['ottla'];
  if (file === undefined) throw new Error('packages/ottla/package.json has no "bin" entry "ottla"');
  return join(folder, file);
}

/** One attempt to get an ApiVersions answer; false when nobody answers yet. */
export function answersApiVersions(port: number, timeoutMs = 2_000): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => end(false));
    socket.on('error', () => end(false)).on('close', () => end(false));
    socket.on('data', () => end(true));
    // Length 10: key 18, version 0, correlation id 1, client id null.
    socket.write(Buffer.from('0000000a0012000000000001ffff', 'hex'));
  });
}

/** A broker in a process of its own, on a port and a folder that survive its restarts. */
export class Peer {
  readonly kind: PeerKind;
  readonly port: number;
  readonly folder: string;
  /** Time from the start of the process to its first ApiVersions answer, of the latest start. */
  readyMs = 0;
  readonly #command: readonly string[];
  readonly #temporary: boolean;
  #child: ChildProcess | undefined;

  private constructor(setup: {
    options: PeerOptions;
    port: number;
    folder: string;
    command: readonly string[];
  }) {
    this.kind = setup.options.kind;
    this.port = setup.port;
    this.folder = setup.folder;
    this.#command = setup.command;
    this.#temporary = setup.options.folder === undefined;
  }

  /** Formats what needs formatting, starts the broker and waits until it answers. */
  static async start(options: PeerOptions): Promise<Peer> {
    const folder = options.folder ?? mkdtempSync(join(tmpdir(), `ottla-interop-${options.kind}-`));
    mkdirSync(folder, { recursive: true });
    const port = await freePort();
    const command =
      options.kind === 'kafka'
        ? await kafkaStartCommand(options, folder, port)
        : await ottlaStartCommand(options, folder, port);
    const peer = new Peer({ options, port, folder, command });
    await peer.restart();
    return peer;
  }

  /** Address for clients. */
  get bootstrap(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The folder with the partitions. */
  get logDir(): string {
    return join(this.folder, 'data');
  }

  /** Process id of the running broker. */
  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('The broker is not running');
    return pid;
  }

  /** What the broker printed since the folder was made. */
  log(): string {
    return readFileSync(join(this.folder, 'broker.out'), 'utf8');
  }

  /** Starts the process (again) on the same port and folder. Throws with the end of its output when it dies. */
  async restart(): Promise<void> {
    const output = openSync(join(this.folder, 'broker.out'), 'a');
    const begun = performance.now();
    const child = spawn(this.#command[0]!, this.#command.slice(1), { stdio: ['ignore', output, output] });
    closeSync(output);
    this.#child = child;
    let ended = false;
    child.once('exit', () => (ended = true)).once('error', () => (ended = true));
    while (!(await answersApiVersions(this.port))) {
      if (ended || performance.now() - begun > 120_000) {
        throw new Error(`${this.kind} did not start:\n${this.log().split('\n').slice(-15).join('\n')}`);
      }
      await delay(5);
    }
    this.readyMs = performance.now() - begun;
  }

  /** Sends the signal and waits for the end of the process. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null)
      return child?.exitCode ?? null;
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    child.kill(signal);
    return ended;
  }

  /** Ends the broker and removes its folder when it was a temporary one. */
  async dispose(): Promise<void> {
    await this.stop('SIGKILL');
    if (this.#temporary) rmSync(this.folder, { recursive: true, force: true });
  }
}

async function ottlaStartCommand(options: PeerOptions, folder: string, port: number): Promise<string[]> {
  if (options.features !== undefined) await kafkaStartCommand(options, folder, port);
  const properties: Record<string, string> = {
    listeners: [`PLAINTEXT://127.0.0.1:${port}`, ...(options.listeners ?? [])].join(','),
    'log.dirs': join(folder, 'data'),
    ...commonProperties,
    ...options.properties,
  };
  const overrides = Object.entries(properties).flatMap(([key, value]) => ['--override', `${key}=${value}`]);
  return [process.execPath, ottlaCommand(), 'start', ...overrides];
}

/** A random id; one that starts with "-" would be taken for an option. */
export function newClusterId(): string {
  const id = randomBytes(16);
  id[0]! &= 0x7f;
  return id.toString('base64url');
}

/** Formats the folder, and returns how a real Kafka is started on it; Ottla takes a folder that was formatted so as it is. */
async function kafkaStartCommand(options: PeerOptions, folder: string, port: number): Promise<string[]> {
  if (options.libs === undefined) throw new Error('The real Kafka needs the official jars');
  const controller = options.member?.controllerPort ?? (await freePort());
  const properties: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': String(options.member?.nodeId ?? 1),
    'controller.quorum.voters': options.member?.voters ?? `1@127.0.0.1:${controller}`,
    listeners: [
      `PLAINTEXT://127.0.0.1:${port}`,
      `CONTROLLER://127.0.0.1:${controller}`,
      ...(options.listeners ?? []),
    ].join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(folder, 'data'),
    ...commonProperties,
    ...options.properties,
  };
  // The durability switch is Ottla's own; Kafka would only warn about it.
  delete properties['write.caching'];
  const file = join(folder, 'server.properties');
  writeFileSync(
    file,
    Object.entries(properties)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  );
  const jvm = [
    `-Dlog4j2.configurationFile=${join(interopFolder, 'java', 'log4j2.properties')}`,
    '-cp',
    classPath(options.libs),
  ];
  const clusterId = options.member?.clusterId ?? newClusterId();
  const levels = Object.entries(options.features ?? {}).flatMap(([name, level]) => [
    '-f',
    `${name}=${level}`,
  ]);
  const format = ['kafka.tools.StorageTool', 'format', '-g', '-t', clusterId, '-c', file, ...levels];
  await mustRun('java', [...jvm, ...format]);
  return ['java', ...kafkaJvmOptions, ...jvm, 'kafka.Kafka', file];
}
