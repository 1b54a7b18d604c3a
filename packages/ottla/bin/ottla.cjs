#!/usr/bin/env node
'use strict';
/*
 * CommonJS on purpose: libuv reads the size of its thread pool at its first use, and loading an ES module is one. Broker
 * work on that pool is mostly waiting for fdatasync, one per log, so that the default of four threads would queue them.
 */
process.env.UV_THREADPOOL_SIZE ??= '16';

import('../dist/cli.js')
  .then(({ createProgram }) => createProgram().parseAsync())
  .catch((error) => {
    const isMissing = error?.code === 'ERR_MODULE_NOT_FOUND' && String(error.message).includes('dist/cli.js');
    const message = isMissing
      ? 'The build is missing: run "npm run build" first'
      : (error?.stack ?? String(error));
    process.stderr.write(`ottla: ${message}\n`);
    process.exit(1);
  });
