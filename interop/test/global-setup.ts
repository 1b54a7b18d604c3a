import type { TestProject } from 'vitest/node';
import {
  compileJavaPrograms,
  goProgram,
  kafkaJars,
  kafkaVersion,
  kcatProgram,
  Peer,
  pythonWithClients,
  startToolServer,
  type PeerKind,
  type Program,
} from '../src/index.ts';

/** What every test file is told about this run. */
export interface InteropContext {
  readonly kind: PeerKind;
  /** Port of the shared broker. */
  readonly port: number;
  readonly logDir: string;
  /** The official jars of the tools and of a real broker, our own classes, and the tool server; or why they are absent. */
  readonly java:
    | {
        readonly libs: string;
        readonly brokerLibs: string;
        readonly classes: string;
        readonly toolPort: number;
      }
    | { readonly absent: string };
  readonly python: Program;
  readonly go: Program;
  readonly kcat: Program;
}

declare module 'vitest' {
  // oxlint-disable-next-line no-unused-vars
  export interface ProvidedContext {
    interop: InteropContext;
  }
}

function say(line: string): void {
  process.stderr.write(`  interop   ${line}\n`);
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  const result = await work();
  const absent = (result as { absent?: string }).absent;
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  say(absent === undefined ? `${what} ready after ${seconds} s` : `${what} skipped: ${absent}`);
  return result;
}

const stops: (() => Promise<void>)[] = [];

/** Fetches the peers that can run here and starts the shared broker and the JVM of the tools. */
export async function setup(project: TestProject): Promise<void> {
  const kind = (process.env['OTTLA_INTEROP_PEER'] ?? 'ottla') as PeerKind;
  if (kind !== 'ottla' && kind !== 'kafka')
    throw new Error(`OTTLA_INTEROP_PEER is "${String(kind)}", must be "ottla" or "kafka"`);
  const [jars, python, kcat, go] = await Promise.all([
    timed('official Kafka jars', kafkaJars),
    timed('Python clients', pythonWithClients),
    timed('kcat', kcatProgram),
    timed('Go clients', goProgram),
  ]);
  let java: InteropContext['java'];
  if ('absent' in jars) java = jars;
  else {
    const classes = await compileJavaPrograms(jars.libs);
    const server = await timed('Java tools', () => startToolServer(jars.libs, classes));
    stops.push(async () => void server.child.kill());
    const version = process.env['OTTLA_INTEROP_KAFKA_VERSION'] ?? kafkaVersion;
    const broker = await timed(`Kafka ${version} as a broker`, () => kafkaJars(version));
    if ('absent' in broker) throw new Error(broker.absent);
    java = { libs: jars.libs, brokerLibs: broker.libs, classes, toolPort: server.port };
  }
  const libs = 'absent' in java ? undefined : java.brokerLibs;
  const peer = await timed(`broker under test (${kind})`, () => Peer.start({ kind, ...(libs && { libs }) }));
  stops.push(() => peer.dispose());
  project.provide('interop', { kind, port: peer.port, logDir: peer.logDir, java, python, kcat, go });
}

/** Ends what `setup` started. */
export async function teardown(): Promise<void> {
  for (const stop of stops) await stop();
}
