import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBroker, type Broker } from '@ottla/broker';
import { afterAll, beforeAll } from 'vitest';

/** A broker for the tests of one file: real TCP on a free port, in a temporary folder. */
export interface TestBroker {
  readonly bootstrap: string;
}

/** Starts a broker before the tests of the file and ends it after them. */
export function useBroker(properties: Readonly<Record<string, string>> = {}): TestBroker {
  let broker: Broker | undefined;
  let folder: string | undefined;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ottla-client-'));
    broker = await startBroker({
      properties: {
        listeners: 'PLAINTEXT://127.0.0.1:0',
        'log.dirs': folder,
        'write.caching': 'true',
        ...properties,
      },
    });
  });
  afterAll(async () => {
    await broker?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });
  return {
    get bootstrap() {
      if (broker === undefined) throw new Error('The broker is not running');
      return broker.bootstrap;
    },
  };
}
