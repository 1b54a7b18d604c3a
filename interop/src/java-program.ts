import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { interopFolder } from './cache.ts';
import { eventually } from './command.ts';
import { classPath } from './kafka-jars.ts';

/** Which Java program to run, and with what. */
export interface JavaProgramCall {
  /** Folder of the official jars. */
  readonly libs: string;
  /** Folder of our own classes. */
  readonly classes: string;
  readonly main: string;
  readonly args: readonly string[];
}

/** A Java program in a JVM of its own, because it is to be killed; the tool server is for all others. */
export class JavaProgram {
  /** What it printed, line by line. */
  readonly out: string[] = [];
  readonly err: string[] = [];
  readonly #child: ChildProcess;
  /** The exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>;

  /** Starts the program; it ends when it is told to, or by itself. */
  constructor({ libs, classes, main, args }: JavaProgramCall) {
    const log4j = `-Dlog4j2.configurationFile=${join(interopFolder, 'java', 'log4j2.properties')}`;
    const jvm = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', log4j];
    const command = [...jvm, '-cp', classPath(libs, classes), main, ...args];
    this.#child = spawn('java', command, { stdio: ['ignore', 'pipe', 'pipe'] });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.out.push(line));
    createInterface({ input: this.#child.stderr! }).on('line', (line) => this.err.push(line));
    this.ended = new Promise((resolve) => this.#child.once('close', resolve));
  }

  /** The first line of the standard output that matches; waits for it. */
  line(pattern: RegExp, timeoutMs = 60_000): Promise<string> {
    const last = (): string => [...this.out.slice(-3), ...this.err.slice(-3)].join(' | ');
    return eventually(
      `A line ${pattern} (so far: ${last()})`,
      () => this.out.find((line) => pattern.test(line)),
      timeoutMs,
    );
  }

  /** Sends the signal and waits for the end; the exit code, or null when the signal ended it. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    this.#child.kill(signal);
    return this.ended;
  }
}
