import { ConfigError, startBroker } from '@ottla/broker';
import type { Broker, LoadProgress } from '@ottla/broker';
import { NodeDisk } from '@ottla/platform';
import { ProgressLine } from './terminal/progress-line.ts';
import { createLogger } from './logger.ts';
import type { DeferredLogger } from './logger.ts';
import { startupErrorLine } from './startup-error.ts';
import { startupProperties } from './startup-properties.ts';
import { ottlaVersion } from './version.ts';

/** Exit codes of `ottla start`. A forced stop ends with the code that the shell gives the signal. */
export const ExitCode = { clean: 0, failed: 1, forcedByInterrupt: 130, forcedByTermination: 143 } as const;

export interface StartOptions {
  readonly override: readonly string[];
  readonly logLevel: string;
}

/** Runs a broker until a signal ends it. Prints one line when it serves clients, or one line saying why it does not. */
export async function runStart(file: string | undefined, options: StartOptions): Promise<void> {
  const logger = createLogger(options.logLevel);
  const progress = new ProgressLine();
  let broker: Broker;
  try {
    const properties = startupProperties({
      file: file === undefined ? null : readPropertiesFile(file),
      environment: process.env,
      overrides: options.override,
    });
    broker = await startBroker({
      properties,
      logger,
      onLoadProgress: (event) => progress.update(() => loadText(event)),
      onFatal: (error) => fail(logger, error),
    });
  } catch (error) {
    return fail(logger, error);
  } finally {
    progress.clear();
  }
  stopOnSignals(broker);
  process.stdout.write(`${readyLine(broker)}\n`);
  await logger.attach();
}

function loadText({ dir, remaining, recovering }: LoadProgress): string {
  return `${recovering ? 'Recovering' : 'Loading'} logs in ${dir}: ${remaining} to go`;
}

function readPropertiesFile(path: string): string {
  try {
    return new NodeDisk().readFileSync(path).toString();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reasons: Record<string, string> = {
      ENOENT: 'there is no such file',
      EACCES: 'no permission',
      EISDIR: 'it is a folder',
    };
    const reason =
      (code !== undefined && reasons[code]) || (error instanceof Error ? error.message : String(error));
    throw new ConfigError(`Cannot read the properties file "${path}": ${reason}`);
  }
}

/** One line on stderr, without a stack, and exit code 1. */
async function fail(logger: DeferredLogger, error: unknown): Promise<void> {
  await logger.attach().catch(() => {});
  process.stderr.write(`ottla: ${startupErrorLine(error)}\n`);
  process.exit(ExitCode.failed);
}

function readyLine(broker: Broker): string {
  const addresses = broker.listeners.map(({ name, host, port }) => `${name}://${host}:${port}`).join(', ');
  const seconds = (performance.now() / 1000).toFixed(2);
  const dirs = broker.config.logDirs.join(', ');
  return `Ottla ${ottlaVersion()} is ready on ${addresses} after ${seconds} s, data in ${dirs}, cluster ${broker.clusterId}`;
}

/**
 * A signal to a process group arrives once directly and once through `npm start`, which passes on what it gets:
 * within this time it is one request.
 */
const SAME_REQUEST_MS = 500;

/** The first signal stops cleanly, the second at once. */
function stopOnSignals(broker: Broker): void {
  let stoppingSinceMs: number | null = null;
  const onSignal = (signal: 'SIGINT' | 'SIGTERM'): void => {
    const nowMs = performance.now();
    if (stoppingSinceMs !== null) {
      if (nowMs - stoppingSinceMs < SAME_REQUEST_MS) return;
      process.exit(signal === 'SIGINT' ? ExitCode.forcedByInterrupt : ExitCode.forcedByTermination);
    }
    stoppingSinceMs = nowMs;
    broker.close().then(
      () => {
        process.stdout.write(`Stopped cleanly in ${((performance.now() - nowMs) / 1000).toFixed(2)} s\n`);
        process.exit(ExitCode.clean);
      },
      (error: unknown) => {
        process.stderr.write(`ottla: The stop was not clean: ${startupErrorLine(error)}\n`);
        process.exit(ExitCode.failed);
      },
    );
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
}
