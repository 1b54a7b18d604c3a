import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Interop tests: one shared broker and one JVM for all files, started by the global set-up. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  ssr: { resolve: { conditions: ['ottla-source', 'module', 'node'] } },
  resolve: { conditions: ['ottla-source', 'module', 'node'] },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    pool: 'threads',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['verbose', '../scripts/plain-count-reporter.mjs'],
  },
});
