import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startBroker } from '@ottla/testkit';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/**
 * The examples of the documentation: every ```ts block of it is compiled against the packages, and those named below are run. A block
 * that is not the first of its page goes on from it. What a block needs and readers do not stands in a comment before it:
 *
 *     <!-- given: declare function charge(customer: string, total: number): Promise<void>; -->
 */
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What a program prints; null when it is enough that it ends well. */
const programs: Readonly<Record<string, RegExp | null>> = {
  'README.md 1': /^c-17 12\.5$/m,
  'packages/client/README.md 1': /^stored at \d\/0\nundefined undefined$/m,
  'packages/client/README.md 2': null,
  'packages/client/README.md 3': /^charged c-17 12\.5$/m,
  'packages/testkit/README.md 1': null,
  'packages/broker/README.md 1': /^127\.0\.0\.1:\d+$/m,
  'packages/ottla/README.md 1': /^127\.0\.0\.1:\d+$/m,
  'packages/platform/README.md 1': null,
  'packages/storage/README.md 1': null,
};

interface Block {
  /** `packages/client/README.md 2`: the page, and which block of it. */
  readonly name: string;
  readonly line: number;
  readonly given: string;
  readonly code: string;
}

function pages(): string[] {
  const below = (folder: string): string[] =>
    readdirSync(join(root, folder)).map((name) => `${folder}/${name}`);
  return [
    ...readdirSync(root).filter((name) => name.endsWith('.md')),
    ...below('docs').filter((name) => name.endsWith('.md')),
    ...below('packages').map((folder) => `${folder}/README.md`),
  ];
}

function blocksOf(page: string): Block[] {
  const text = readFileSync(join(root, page), 'utf8');
  const pattern = /(?:<!-- given:([^]*?)-->\s*\n)?^```ts\n([^]*?)^```$/gm;
  return [...text.matchAll(pattern)].map((match, index) => ({
    name: `${page} ${index + 1}`,
    line: text.slice(0, match.index).split('\n').length,
    given: (match[1] ?? '').trim(),
    code: match[2]!,
  }));
}

const IMPORT = /^import .*;( \/\/.*)?$/gm;

/** A module of the block, inside the first one of its page where it is not that. */
function moduleOf({ given, code }: Block, first: Block): string {
  const own = `${given}\n${code}`;
  if (code === first.code) return own;
  const imports = own.match(IMPORT) ?? [];
  const rest = own.replaceAll(IMPORT, '');
  return [...imports, first.given, first.code, '{', rest, '}', ''].join('\n');
}

const folder = join(root, '.cache', 'docs');
const all = pages()
  .map(blocksOf)
  .filter((blocks) => blocks.length > 0);
const fileOf = (name: string): string => join(folder, `${name.replaceAll(/[/ ]/g, '-')}.ts`);

beforeAll(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const blocks of all)
    for (const block of blocks) writeFileSync(fileOf(block.name), moduleOf(block, blocks[0]!));
  const compilerOptions = {
    composite: false,
    declaration: false,
    declarationMap: false,
    sourceMap: false,
    noEmit: true,
    noUnusedLocals: false,
    noUnusedParameters: false,
    allowImportingTsExtensions: true,
    rewriteRelativeImportExtensions: false,
    customConditions: ['ottla-source'],
  };
  const config = { extends: join(root, 'tsconfig.base.json'), compilerOptions, include: ['*.ts'] };
  // Others' packages that readers have and we do not.
  writeFileSync(join(folder, 'others.d.ts'), "declare module '@opentelemetry/api';\n");
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
});

test('every block of TypeScript compiles', async () => {
  expect(all.flat().length).toBeGreaterThan(8);
  const compiler = createRequire(import.meta.url).resolve('typescript/package.json');
  const args = [join(dirname(compiler), 'bin', 'tsc'), '-p', folder, '--pretty', 'false'];
  const output = await promisify(execFile)(process.execPath, args, { cwd: folder }).then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  );
  const places = all
    .flat()
    .map(({ name, line }) => [fileOf(name).split('/').at(-1)!, `${name}, from line ${line}: `]);
  const named = output.split('\n').map((line) => {
    const place = places.find(([file]) => line.startsWith(`${file}(`));
    return place === undefined ? line : place[1]! + line;
  });
  expect(named.join('\n')).toBe('');
}, 120_000);

describe('runs, and prints what it says', () => {
  let data: string;
  beforeAll(() => {
    data = mkdtempSync(join(tmpdir(), 'ottla-docs-'));
  });
  afterAll(() => rmSync(data, { recursive: true, force: true }));

  test.each(Object.entries(programs))(
    '%s',
    async (name, expected) => {
      const block = all.flat().find((each) => each.name === name);
      if (block === undefined) throw new Error(`There is no block "${name}" any more: correct the list`);
      await using kafka = await startBroker();
      const source = fileOf(name);
      const text = readFileSync(source, 'utf8')
        .replaceAll(/(localhost|127\.0\.0\.1):9092/g, kafka.bootstrap)
        .replaceAll('/var/lib/ottla', join(data, name.replaceAll(/\W/g, '-')));
      writeFileSync(source, text);
      const bundle = await rolldown({
        input: source,
        platform: 'node',
        resolve: { conditionNames: ['ottla-source', 'import', 'node'] },
        external: (id) => /^[@a-z]/.test(id) && !/^(ottla$|@(ottla|oxc-project)\/)/.test(id),
        transform: { target: 'node20' },
        logLevel: 'silent',
      });
      const file = source.replace(/ts$/, 'mjs');
      await bundle.write({ file, format: 'esm', codeSplitting: false });
      await bundle.close();
      expect(await outputOf(file, expected)).toMatch(expected ?? /^/);
    },
    120_000,
  );
});

/** What the program prints, until that is what was expected: a consumer never ends. Rejects when it fails. */
function outputOf(file: string, expected: RegExp | null): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += String(chunk)));
    child.stdout.on('data', (chunk: Buffer) => {
      out += String(chunk);
      if (expected?.test(out) === true) child.kill('SIGKILL');
    });
    child.on('close', (code) => {
      if (code === 0 || expected?.test(out) === true) resolve(out);
      else reject(new Error(`${file} ended with ${code}:\n${out}${errors}`));
    });
  });
}
