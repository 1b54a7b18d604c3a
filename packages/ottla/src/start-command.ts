import { ConfigError, type Broker } from '@ottla/broker';
import { NodeDisk } from '@ottla/platform';
import { createLogger } from './logger.ts';
import { serveBroker } from './serve-broker.ts';
import { startupProperties } from './startup-properties.ts';
import { ottlaVersion } from './version.ts';

export interface StartOptions {
  readonly override: readonly string[];
  readonly logLevel: string;
}

/** `ottla start`: a broker as its properties say. */
export async function runStart(file: string | undefined, options: StartOptions): Promise<void> {
  const logger = createLogger(options.logLevel);
  await serveBroker({
    broker: () => ({
      properties: startupProperties({
        file: file === undefined ? null : readPropertiesFile(file),
        environment: process.env,
        overrides: options.override,
      }),
      logger,
    }),
    welcome: readyLine,
    showLog: () => logger.attach(),
  });
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

function readyLine(broker: Broker, seconds: number): string {
  const addresses = broker.listeners.map(({ name, host, port }) => `${name}://${host}:${port}`).join(', ');
  const dirs = broker.config.logDirs.join(', ');
  return `Ottla ${ottlaVersion()} is ready on ${addresses} after ${seconds.toFixed(2)} s, data in ${dirs}, cluster ${broker.clusterId}\n`;
}
