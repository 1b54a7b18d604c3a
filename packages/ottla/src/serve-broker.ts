import { startBroker, type Broker, type BrokerOptions, type LoadProgress } from '@ottla/broker';
import { startupErrorLine } from './startup-error.ts';
import { ProgressLine } from './terminal/progress-line.ts';

/** Exit codes of a command that runs a broker. A forced stop ends with the code that the shell gives the signal. */
export const ExitCode = { clean: 0, failed: 1, forcedByInterrupt: 130, forcedByTermination: 143 } as const;

/** A broker to run. */
export interface Served {
  /** Made when it starts: what is wrong with them is said in one line. @throws ConfigError */
  readonly broker: () => Omit<BrokerOptions, 'onLoadProgress' | 'onFatal'>;
  /** What is said when it serves clients, `seconds` after the process began. */
  readonly welcome: (broker: Broker, seconds: number) => string;
  /** Lets out what was logged, once the broker serves or before the process ends. */
  readonly showLog?: () => Promise<void>;
}

/** Runs a broker until a signal ends it, or it cannot go on. Says when it serves clients, or in one line why it does not. */
export async function serveBroker({ broker: makeOptions, welcome, showLog }: Served): Promise<void> {
  const progress = new ProgressLine();
  const fail = async (error: unknown): Promise<never> => {
    await showLog?.().catch(() => {});
    // One line, without a stack.
    process.stderr.write(`ottla: ${startupErrorLine(error)}\n`);
    process.exit(ExitCode.failed);
  };
  let broker: Broker;
  try {
    broker = await startBroker({
      ...makeOptions(),
      onLoadProgress: (event) => progress.update(() => loadText(event)),
      onFatal: (error) => void fail(error),
    });
  } catch (error) {
    progress.clear();
    return fail(error);
  }
  progress.clear();
  stopOnSignals(broker);
  process.stdout.write(welcome(broker, performance.now() / 1000));
  await showLog?.();
}

function loadText({ dir, remaining, recovering }: LoadProgress): string {
  return `${recovering ? 'Recovering' : 'Loading'} logs in ${dir}: ${remaining} to go`;
}

/**
 * A signal to a process group arrives once directly and once through `npm start` or `npx`, which pass on what they get:
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
