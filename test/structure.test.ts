import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/**
 * The structure of the repository as tests: each rule names the remedy. A rule that makes the code worse is to be
 * changed here, with its reason, not worked around.
 */
const root = dirname(dirname(fileURLToPath(import.meta.url)));

interface Source {
  /** Path from the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** The text without comments and without what stands in quotes or backticks of one line. */
  readonly code: string;
}

function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|[\s;{}(,])\/\/[^\n]*/g, '$1');
}

function sourcesBelow(folder: string, ending: RegExp): Source[] {
  const found: Source[] = [];
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    if (['node_modules', 'dist', '.cache', 'vectors'].includes(entry.name)) continue;
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) found.push(...sourcesBelow(path, ending));
    else if (ending.test(entry.name)) {
      const text = readFileSync(join(root, path), 'utf8');
      found.push({ path, text, code: withoutComments(text) });
    }
  }
  return found;
}

const packages = sourcesBelow('packages', /\.ts$/);
const product = packages.filter(({ path }) => path.includes('/src/'));
const everything = [
  ...packages,
  ...['interop', 'bench', 'scripts', 'test'].flatMap((folder) =>
    sourcesBelow(folder, /\.(ts|mjs|cjs|java|py|go)$/),
  ),
];

/** Module names that a file imports, static or dynamic; the formatter puts `from` behind `import`, `export` or `}`. */
function importsOf(source: Source): string[] {
  const pattern =
    /^(?:import|export|\})[^'\n]*\bfrom '([^'\n]+)'|^import '([^'\n]+)'|\bimport\(\s*'([^'\n]+)'/gm;
  return [...source.code.matchAll(pattern)].map((match) => (match[1] ?? match[2] ?? match[3])!);
}

/** The line of a position, as people count. */
function lineAt(source: Source, index: number): number {
  return source.text.slice(0, index).split('\n').length;
}

interface Manifest {
  readonly name: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest;
}

function packageOf(source: Source): string {
  return source.path.split('/')[1]!;
}

/** Lines "path:line" where the pattern occurs in code. */
function occurrences(sources: readonly Source[], pattern: RegExp): string[] {
  return sources.flatMap((source) =>
    [...source.code.matchAll(pattern)].map(
      (match) => `${source.path}:${lineAt(source, match.index)} ${match[0].trim()}`,
    ),
  );
}

describe('imports go one way', () => {
  /** Which packages of ours a package may import. */
  const allowed: Readonly<Record<string, readonly string[]>> = {
    platform: [],
    protocol: [],
    client: ['platform', 'protocol'],
    storage: ['platform', 'protocol'],
    broker: ['platform', 'protocol', 'storage'],
    // What a test starts: nothing of the product imports it.
    testkit: ['broker', 'client', 'platform', 'protocol', 'storage'],
    ottla: ['broker', 'client', 'platform', 'protocol', 'storage'],
  };

  test('between packages: move the shared part into a package below, or pass it in as an argument', () => {
    const wrong = product.flatMap((source) =>
      importsOf(source)
        .map((name) => /^(?:@ottla\/(\w+)|(ottla))/.exec(name))
        .filter((match) => match !== null)
        .map((match) => match[1] ?? match[2]!)
        .filter((name) => !(allowed[packageOf(source)] ?? []).includes(name))
        .map((name) => `${source.path} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  test('into another package only by its name: what it exports is what others may use', () => {
    const wrong = packages.flatMap((source) =>
      importsOf(source)
        .filter((name) => name.startsWith('.'))
        .map((name) => posix.join(dirname(source.path), name))
        .filter((target) => !target.startsWith(`packages/${packageOf(source)}/`))
        .map((target) => `${source.path} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  test('from outside only what the package declares: npm install -w packages/NAME', () => {
    const wrong = product.flatMap((source) => {
      const manifest = manifestOf(`packages/${packageOf(source)}`);
      const declared = { ...manifest.dependencies, ...manifest.optionalDependencies };
      return importsOf(source)
        .filter((name) => !name.startsWith('.') && !name.startsWith('node:'))
        .map((name) => /^(?:@[^/]+\/)?[^/]+/.exec(name)![0])
        .filter((name) => declared[name] === undefined)
        .map((name) => `${source.path} imports ${name}`);
    });
    expect(wrong).toEqual([]);
  });

  test('in no circle, types included: move what both need into a file of its own', () => {
    const targets = new Map(
      product.map((source) => [
        source.path,
        importsOf(source)
          .filter((name) => name.startsWith('.'))
          .map((name) => posix.join(dirname(source.path), name)),
      ]),
    );
    const circles: string[] = [];
    const finished = new Set<string>();
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
      if (finished.has(path) || trail.includes(path)) return;
      for (const target of targets.get(path) ?? []) visit(target, [...trail, path]);
      finished.add(path);
    };
    for (const path of targets.keys()) visit(path, []);
    expect(circles).toEqual([]);
  });

  /** Folders from top to bottom; a folder imports only itself and what stands behind it. What is in no list stands above. */
  const layers: Readonly<Record<string, readonly string[]>> = {
    broker: [
      'network',
      'handlers',
      'share',
      'coordinator',
      'replica',
      'quota',
      'controller',
      'metadata',
      'config',
    ],
    client: [
      'retry-topics',
      'telemetry',
      'share',
      'producer',
      'consumer',
      'admin',
      'cluster',
      'options',
      'network',
      'serde',
      'metrics',
      'errors',
    ],
    storage: [
      'check',
      'cleaner',
      'directories',
      'log',
      'segments',
      'producers',
      'indexes',
      'files',
      'memory',
    ],
  };
  /** Files beside the folders put the parts together: they may import all, and none may import them but for these. */
  const beside = [
    'packages/client/src/topic.ts',
    'packages/storage/src/errors.ts',
    'packages/storage/src/log-config.ts',
    'packages/storage/src/types.ts',
  ];
  /** What a tracer is told are records and messages: types of what stands above. */
  const exempt = ['packages/client/src/options/record-tracing.ts'];

  test.each(Object.entries(layers))(
    'between the folders of the %s: pass a callback or an interface down instead',
    (name, folders) => {
      const layerOf = (path: string): number => folders.indexOf(path.split('/')[3]!);
      const wrong = product
        .filter(({ path }) => path.startsWith(`packages/${name}/src/`) && layerOf(path) >= 0)
        .flatMap((source) =>
          importsOf(source)
            .filter((specifier) => specifier.startsWith('.'))
            .map((specifier) => posix.join(dirname(source.path), specifier))
            .filter((target) => layerOf(target) < layerOf(source.path) && !beside.includes(target))
            .filter(() => !exempt.includes(source.path))
            .map((target) => `${source.path} imports ${target}`),
        );
      expect(wrong).toEqual([]);
    },
  );

  test('coordinators know no log and no replica: they append through CoordinatorLogAccess', () => {
    const coordinators = product.filter(({ path }) => path.startsWith('packages/broker/src/coordinator/'));
    const wrong = coordinators.flatMap((source) =>
      importsOf(source)
        .filter((name) => name === '@ottla/storage' || name.includes('/replica/'))
        // Types of the seam itself cost nothing at run time.
        .filter((name) => !new RegExp(`import type \\{[^}]*\\} from '${name}'`).test(source.code))
        .map((name) => `${source.path} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  test('relative imports name the file with its ending .ts', () => {
    const wrong = packages.flatMap((source) =>
      importsOf(source)
        .filter((name) => name.startsWith('.') && !/\.(ts|json|mjs|cjs)$/.test(name))
        .map((name) => `${source.path} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe('the outside world is reached through ports', () => {
  /** Modules of Node that a file may name, by the beginning of its path; the first match counts. */
  const nodeModules: readonly (readonly [string, RegExp])[] = [
    ['packages/platform/src/node-', /./],
    // Loads optional native codecs, which are CommonJS.
    ['packages/protocol/src/compression/codec.ts', /^node:module$/],
    // zlib computes and does no I/O.
    ['packages/protocol/src/compression/gzip.ts', /^node:zlib$/],
    // Node before 22.15 has no zstd: the code of the WebAssembly module is read, once, as a module's code is read.
    ['packages/protocol/src/compression/zstd.ts', /^node:(zlib|fs)$/],
    ['packages/broker/src/network/', /^node:(net|tls)$/],
    // The client's one door to sockets.
    ['packages/client/src/network/transport.ts', /^node:(net|tls)$/],
    // Salts, digests and HMACs of SCRAM compute and do no I/O.
    ['packages/client/src/network/sasl/', /^node:crypto$/],
    // The keys that take the place of a SCRAM password compute and do no I/O.
    ['packages/broker/src/controller/scram-keys.ts', /^node:crypto$/],
    // Paths in properties are relative to the working directory: made absolute at this one place.
    ['packages/broker/src/broker.ts', /^node:path$/],
    // Reads its own version from package.json.
    ['packages/ottla/src/version.ts', /^node:module$/],
  ];

  test('modules of Node: take the port of packages/platform, or move the code behind it', () => {
    const wrong = product.flatMap((source) => {
      const rule = nodeModules.find(([prefix]) => source.path.startsWith(prefix))?.[1];
      // Anywhere in quotes, so that no way of loading a module gets past.
      return [...source.code.matchAll(/'(node:[\w/]+)'/g)]
        .map((match) => match[1]!)
        .filter((name) => rule?.test(name) !== true)
        .map((name) => `${source.path} names ${name}`);
    });
    expect(wrong).toEqual([]);
  });

  test('modules of Node are named with their prefix node:', () => {
    const wrong = everything.flatMap((source) =>
      importsOf(source)
        .filter((name) => builtinModules.includes(name))
        .map((name) => `${source.path} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  test('the process: only the command knows its arguments, environment and signals', () => {
    const sources = product.filter(
      ({ path }) => !/^packages\/(?:ottla\/src|platform\/src\/node-)/.test(path),
    );
    expect(occurrences(sources, /\bprocess\.(?!nextTick\b)[a-z]\w*[.([]/g)).toEqual([]);
  });

  test('time and chance: take Clock and Random', () => {
    // The command measures its own start before there is a clock.
    const outside = ['packages/platform/src/node-', 'packages/ottla/src/serve-broker'];
    const sources = product.filter(({ path }) => !outside.some((prefix) => path.startsWith(prefix)));
    const pattern =
      /\b(?:Date\.now|Math\.random|performance\.now|process\.hrtime|new Date\(\)|setTimeout\(|setInterval\()/g;
    // A method of a port may carry the name of what it stands for.
    const wrong = occurrences(sources, pattern).filter((place) => !/\.set(Timeout|Interval)\(/.test(place));
    expect(wrong.filter((place) => !place.includes('sim-clock'))).toEqual([]);
  });
});

describe('files stay small and plain', () => {
  test('at most 700 lines: find the border inside the file', () => {
    const long = everything.map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }));
    expect(long.filter(({ lines }) => lines > 700)).toEqual([]);
  });

  test('names are in kebab-case', () => {
    const named = packages.map(({ path }) => path.split('/').at(-1)!);
    expect(
      named.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.bench|\.config)?\.ts$/.test(name)),
    ).toEqual([]);
  });

  test('no default exports: export by name', () => {
    expect(occurrences(packages, /^export default/gm)).toEqual([]);
  });

  test('no enum, namespace or any: a union of literals, a module, or unknown', () => {
    expect(
      occurrences(
        product,
        /^(?:export )?(?:const )?enum |^(?:export )?namespace |: any\b|<any>|\bas any\b/gm,
      ),
    ).toEqual([]);
  });

  test('no TODO or skipped test: finish it, or refuse it with an error and a line in GAPS.md', () => {
    const marks = packages.flatMap((source) =>
      [...source.text.matchAll(/\b(?:TODO|FIXME|XXX)\b|\b(?:test|it|describe)\.(?:skip|only)\(/g)].map(
        (match) => `${source.path}:${lineAt(source, match.index)} ${match[0]}`,
      ),
    );
    expect(marks).toEqual([]);
  });
});

describe('what is exported is documented', () => {
  /** The declarations of messages and configs carry their documentation in the specs they are made from. */
  const exempt = ['packages/protocol/src/messages/', 'packages/protocol/src/errors/error-codes'];

  test('a docstring above every exported function and class: what it does, units, errors', () => {
    const bare: string[] = [];
    const sources = product.filter(({ path }) => !exempt.some((prefix) => path.startsWith(prefix)));
    for (const source of sources) {
      const lines = source.text.split('\n');
      for (const [index, line] of lines.entries()) {
        const match = /^export (?:abstract )?(?:async )?(?:function\*?|class) (\w+)/.exec(line);
        if (match === null) continue;
        let above = index - 1;
        // An overload stands under the docstring of the first one, a remark to the linter between the two.
        const between = new RegExp(
          `^export (?:async )?function ${match[1]}\\b|^\\): .*;$|^ {2}\\w+.*[,;]$|^// oxlint-disable`,
        );
        while (above >= 0 && between.test(lines[above]!)) above -= 1;
        if (!/\*\/\s*$/.test(lines[above] ?? '')) bare.push(`${source.path}:${index + 1} ${match[1]}`);
      }
    }
    expect(bare).toEqual([]);
  });

  test('a docstring above every type that @ottla/client exports: editors show it', () => {
    const index = product.find(({ path }) => path === 'packages/client/src/index.ts')!;
    const exported = new Set(index.code.match(/(?<=\btype )\w+/g));
    expect(exported.size).toBeGreaterThan(80);
    const bare = product
      .filter(({ path }) => path.startsWith('packages/client/src/') && !path.includes('/kafkajs/'))
      .flatMap((source) =>
        [...source.text.matchAll(/(\*\/\n)?^export (?:interface|type) (\w+)/gm)]
          .filter(([, docstring, name]) => docstring === undefined && exported.has(name!))
          .map((match) => `${source.path}:${lineAt(source, match.index)} ${match[2]}`),
      );
    expect(bare).toEqual([]);
  });
});

describe('a clone stands alone', () => {
  test('every package has a licence and a README', () => {
    const folders = readdirSync(join(root, 'packages')).map((name) => `packages/${name}`);
    for (const folder of [...folders, 'interop', 'bench']) {
      expect(manifestOf(folder).license, folder).toBe('Apache-2.0');
      expect(readdirSync(join(root, folder)), folder).toContain('README.md');
    }
  });

  test('the lockfile names no registry: npm install --omit-lockfile-registry-resolved', () => {
    expect(readFileSync(join(root, 'package-lock.json'), 'utf8')).not.toMatch(/"resolved": "https?:/);
  });
});

describe('the documentation', () => {
  test('its links lead somewhere: correct the path, or remove the link', () => {
    const pages = [
      '.',
      'docs',
      'interop',
      'bench',
      ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}`),
    ]
      .flatMap((folder) => readdirSync(join(root, folder)).map((name) => posix.join(folder, name)))
      .filter((path) => path.endsWith('.md'));
    const links = pages.flatMap((page) =>
      [...readFileSync(join(root, page), 'utf8').matchAll(/\]\(([^)#\s:]+)(?:#[^)]*)?\)/g)].map((match) => ({
        page,
        target: posix.join(dirname(page), match[1]!),
      })),
    );
    expect(links.length).toBeGreaterThan(20);
    const broken = links.filter(({ target }) => !existsSync(join(root, target)));
    expect(broken).toEqual([]);
  });
});
