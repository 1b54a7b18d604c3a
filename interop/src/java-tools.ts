import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { request as httpRequest } from 'node:http';
import { interopFolder } from './cache.ts';
import { classPath } from './kafka-jars.ts';
import { eventually } from './command.ts';

/** What a tool printed, line by line, and the exit code it would have had in a JVM of its own. */
export interface ToolResult {
  readonly code: number;
  readonly out: readonly string[];
  readonly err: readonly string[];
}

interface ToolEvent {
  readonly out?: string;
  readonly err?: string;
  readonly exit?: number;
}

/** A tool that is still running: its lines so far, and ways to wait and to stop it. */
export class RunningTool {
  readonly out: string[] = [];
  readonly err: string[] = [];
  readonly done: Promise<ToolResult>;
  readonly #port: number;
  /** All test files share one tool server, from threads of one process: a counter or the pid would not tell them apart. */
  readonly #id = randomUUID();

  /** Starts the main class on the tool server at `port`. */
  constructor(port: number, call: { main: string; args: readonly string[]; stdin: string }) {
    this.#port = port;
    this.done = new Promise((resolve, reject) => {
      const request = httpRequest(
        { port, path: `/run/${this.#id}`, method: 'POST', agent: false },
        (response) => {
          let code: number | undefined;
          createInterface({ input: response })
            .on('line', (line) => {
              const event = JSON.parse(line) as ToolEvent;
              if (event.out !== undefined) this.out.push(event.out);
              else if (event.err !== undefined) this.err.push(event.err);
              else code = event.exit;
            })
            .on('close', () => {
              if (code === undefined)
                reject(new Error(`The tool server ended while ${call.main} was running`));
              else resolve({ code, out: this.out, err: this.err });
            });
        },
      );
      request.on('error', reject);
      request.end(JSON.stringify(call));
    });
    // A test that fails while the tool runs must not die of the tool's own failure as well.
    this.done.catch(() => {});
  }

  /** The first line of the standard output that matches; waits for it. */
  async line(pattern: RegExp, timeoutMs = 30_000): Promise<string> {
    const found = () => this.out.find((line) => pattern.test(line));
    return eventually(
      `A line ${pattern} (so far: ${this.out.slice(-3)} ${this.err.slice(-3)})`,
      found,
      timeoutMs,
    );
  }

  /** Asks the tool to end, as SIGTERM does, and waits until it did. */
  async stop(): Promise<ToolResult> {
    await new Promise<void>((resolve, reject) => {
      const path = `/stop/${this.#id}`;
      const request = httpRequest({ port: this.#port, path, method: 'POST', agent: false }, (response) => {
        response.resume().on('end', resolve);
      });
      request.on('error', reject).end();
    });
    return this.done;
  }
}

/** The official Java tools, run inside the one JVM of `java/ToolServer.java`. */
export class JavaTools {
  readonly port: number;

  /** Uses a tool server that listens already. */
  constructor(port: number) {
    this.port = port;
  }

  /** Starts a tool and returns while it runs. */
  start(main: string, args: readonly string[], stdin = ''): RunningTool {
    return new RunningTool(this.port, { main, args, stdin });
  }

  /** Runs a tool to its end. Names that start with no package of Kafka are below `org.apache.kafka.tools`. */
  run(main: string, args: readonly string[], stdin = ''): Promise<ToolResult> {
    const known = /^(org|kafka)\./.test(main) ? main : `org.apache.kafka.tools.${main}`;
    return this.start(known, args, stdin).done;
  }
}

/** Starts the JVM of the tools. It ends when this process does. */
export async function startToolServer(
  libs: string,
  classes: string,
): Promise<{ port: number; child: ChildProcess }> {
  const log4j = join(interopFolder, 'java', 'log4j2.properties');
  const child = spawn(
    'java',
    [
      '-Xmx768m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      `-Dlog4j2.configurationFile=${log4j}`,
      '-cp',
      classPath(libs, classes),
      'ToolServer',
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`The tool server ended with ${code}`)));
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const match = /^listening on (\d+)$/.exec(line);
      if (match) resolve(Number(match[1]));
    });
  });
  return { port, child };
}
