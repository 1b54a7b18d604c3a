import { defineConfig } from 'vitest/config';

/**
 * One test run for the whole workspace, straight from the TypeScript sources: the condition `ottla-source`
 * resolves `@ottla/*` to `src/`, so a test never sees a stale build.
 */
export default defineConfig({
  ssr: { resolve: { conditions: ['ottla-source', 'module', 'node'] } },
  resolve: { conditions: ['ottla-source', 'module', 'node'] },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'packages/*/examples/*.test.ts', 'test/**/*.test.ts'],
    pool: 'threads',
    testTimeout: 30_000,
    reporters: ['default', './scripts/plain-count-reporter.mjs'],
  },
});
