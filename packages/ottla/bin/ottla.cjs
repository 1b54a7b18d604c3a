#!/usr/bin/env node
'use strict';
/*
 * CommonJS on purpose: libuv reads the size of its thread pool at its first use, and loading an ES module is one. Broker
 * work on that pool is mostly waiting for fdatasync, one per log, so that the default of four threads would queue them.
 */
process.env.UV_THREADPOOL_SIZE ??= '16';

const { statSync } = require('node:fs');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');

/** Milliseconds of a file's last change; 0 when there is none. */
function changedMs(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** The bundled command starts in half the time; it is taken unless a package was built after it. */
function entryPoint() {
  const packages = join(__dirname, '..', '..');
  const bundled = join(__dirname, '..', 'dist', 'bundle', 'cli.js');
  const bundledMs = changedMs(bundled);
  const names = ['platform', 'protocol', 'storage', 'broker', 'client', 'ottla'];
  const isFresh = names.every((name) => changedMs(join(packages, name, 'dist', '.tsbuildinfo')) <= bundledMs);
  return bundledMs > 0 && isFresh ? bundled : join(__dirname, '..', 'dist', 'cli.js');
}

import(pathToFileURL(entryPoint()).href)
  .then(({ createProgram }) => createProgram().parseAsync())
  .catch((error) => {
    const isMissing = error?.code === 'ERR_MODULE_NOT_FOUND' && String(error.message).includes('dist/cli.js');
    const message = isMissing
      ? 'The build is missing: run "npm run build" first'
      : // Asked for wrongly, which a command may find before it does anything.
        error?.name === 'UsageError'
        ? error.message
        : (error?.stack ?? String(error));
    process.stderr.write(`ottla: ${message}\n`);
    process.exit(1);
  });
