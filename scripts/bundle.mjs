/**
 * Puts the command and everything of ours that it loads into a few files: a start then reads three files instead of
 * three hundred, which takes a third of a second off it. Other packages stay where they are, native ones among them.
 * Runs after the build; without it the command works from the single files.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'packages', 'ottla', 'dist');

const bundle = await rolldown({
  // Threads begin with a file of their own; it lies beside the command, where `cleanerThreadUrl` looks for it.
  input: {
    cli: join(dist, 'cli.js'),
    'cleaner-thread': join(root, 'packages', 'storage', 'dist', 'cleaner', 'cleaner-thread.js'),
  },
  platform: 'node',
  external: (id) => /^[@a-z]/.test(id) && !id.startsWith('@ottla/') && id !== 'commander',
  logLevel: 'warn',
});
await bundle.write({ dir: join(dist, 'bundle'), format: 'esm', cleanDir: true, sourcemap: true });
