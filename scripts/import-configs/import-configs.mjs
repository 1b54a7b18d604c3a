/**
 * `npm run import-configs -- VERSION`: brings the configuration keys of an Apache Kafka release into the catalogue.
 *
 * The facts (names, types, defaults, validators, importance, scopes, synonyms) come from the official jars, printed by
 * DumpConfigs.java; what is ours in a declaration (`honoured`, `doc`) is kept. Needs Java 17 and Maven, or the folder of
 * a Kafka release's jars in KAFKA_JARS. Keys that are new get an empty `doc`, which the catalogue's test refuses.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const catalogueFolder = join(root, 'packages/broker/src/config/catalogue');
const builtFolder = join(root, 'packages/broker/dist/config/catalogue');

/** Which file of the catalogue declares a broker key: the first pattern that matches its name. */
const brokerFiles = [
  ['remote-log', /^(remote\.|follower\.fetch\.last\.tiered|log\.local\.)/],
  ['sasl', /^sasl\./],
  [
    'security',
    /^(ssl\.|security\.|delegation\.|authorizer\.|principal\.|connections\.max\.reauth|connection\.failed)/,
  ],
  ['share-and-streams-groups', /^(group\.(share|streams)\.|share\.)/],
  ['group-coordinator', /^(group\.|offsets?\.)/],
  ['transactions', /^(transaction|producer\.id|add\.partitions)/],
  ['metrics-and-quotas', /quota|^(metric|kafka\.metrics|telemetry)/],
  [
    'controller',
    /^(controller\.|metadata\.|internal\.|process\.|node\.|unstable\.|initial\.broker|leader\.|unclean|auto\.leader|server\.)/,
  ],
  [
    'log',
    /^(log\.|compression\.|message\.|num\.recovery|num\.partitions|default\.repl|min\.insync|cordoned)/,
  ],
  [
    'network',
    /^(.*listener|socket\.(?!connection)|max\.connection|connections\.|queued|num\.(network|io)|.*max\.request|fetch\.max|max\.incremental)/,
  ],
  ['broker', /./],
];

const scopes = { 'read-only': undefined, topic: undefined, group: undefined, 'client-metrics': undefined };

/** Copies the jars of a release into a scratch folder through Maven and returns the folder. */
function fetchJars(version, scratch) {
  if (process.env.KAFKA_JARS) return process.env.KAFKA_JARS;
  const pom = join(scratch, 'pom.xml');
  writeFileSync(
    pom,
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>ottla</groupId><artifactId>import-configs</artifactId><version>1</version><dependencies><dependency>
<groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${version}</version>
</dependency></dependencies></project>`,
  );
  const jars = join(scratch, 'jars');
  run('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`]);
  return jars;
}

function run(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (result.status !== 0) throw new Error(`${command} failed: ${result.error ?? result.stderr}`);
  return result.stdout;
}

/** What the present catalogue says on its own account, by kind and key name: `{ honoured, doc }`. */
async function readOwnWords() {
  const own = new Map();
  if (!existsSync(builtFolder)) return own;
  for (const file of readdirSync(builtFolder).filter((name) => name.endsWith('.js'))) {
    const module = await import(pathToFileURL(join(builtFolder, file)));
    for (const declarations of Object.values(module)) {
      const kind =
        ['topic', 'group', 'client-metrics'].find((prefix) => file === `${prefix}-keys.js`) ?? 'broker';
      for (const [name, key] of Object.entries(declarations)) own.set(`${kind}/${name}`, key);
    }
  }
  return own;
}

/** A validator as the catalogue's helper call. */
function validatorCode(key, used) {
  const { validator } = key;
  if (validator === null) return undefined;
  const call = (name, ...args) => {
    used.add(name);
    return `${name}(${args.join(', ')})`;
  };
  const strings = (values) => values.map((value) => `'${value}'`).join(', ');
  switch (validator.class.replace(/.*[.$]/, '')) {
    case 'Range':
      if (validator.max === null) return call('atLeast', validator.min);
      return call('between', validator.min, validator.max);
    case 'ValidString':
      return call('oneOf', strings(validator.validStrings));
    case 'CaseInsensitiveValidString':
      return call('oneOfIgnoringCase', strings(validator.validStrings));
    case 'ValidList': {
      const options = [];
      const values = validator.validString.validStrings;
      if (values.length > 0) options.push(`values: [${strings(values)}]`);
      if (validator.isEmptyAllowed === 'false') options.push('emptyAllowed: false');
      if (validator.isNullAllowed === 'true') options.push('nullAllowed: true');
      return call('listOf', options.length > 0 ? `{ ${options.join(', ')} }` : '');
    }
    case 'NonEmptyString':
      return call('nonEmpty');
    case 'NonNullValidator':
      return call('nonNull');
    case 'ThrottledReplicaListValidator':
      return call('throttledReplicas');
    case 'ControllerQuorumVotersValidator':
      return call('quorumVoters');
    case 'ControllerQuorumBootstrapServersValidator':
      return call('quorumBootstrapServers');
    case 'Validator':
      return call('autoOffsetReset');
    case 'LambdaValidator':
      if (validator.text === '[1,...,9] or -1') return call('between', 1, 9, -1);
      throw new Error(`Unknown validator of ${key.name}: ${JSON.stringify(validator)}`);
    default:
      throw new Error(`Unknown validator of ${key.name}: ${JSON.stringify(validator)}`);
  }
}

function declarationCode(key, own, used) {
  const quote = (text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = [
    `type: '${key.type.toLowerCase()}'`,
    `default: ${key.default === null ? 'null' : quote(key.default)}`,
  ];
  if (key.required) lines.push('required: true');
  const validator = validatorCode(key, used);
  if (validator !== undefined) lines.push(`validator: ${validator}`);
  lines.push(`importance: '${key.importance.toLowerCase()}'`);
  if (!(key.scope in scopes)) lines.push(`scope: '${key.scope}'`);
  if (key.synonyms.length > 0) lines.push(`synonyms: [${key.synonyms.map(quote).join(', ')}]`);
  if (key.internal) lines.push('internal: true');
  if (own?.honoured) lines.push('honoured: true');
  lines.push(`doc: ${quote(own?.doc ?? '')}`);
  return `  '${key.name}': {\n    ${lines.join(',\n    ')},\n  },\n`;
}

/** Writes one file of the catalogue. */
function writeFile(file, keys, own) {
  const used = new Set();
  const body = keys.map((key) => declarationCode(key, own(key.name), used)).join('');
  const constant = `${file.replace(/-([a-z])/g, (_, letter) => letter.toUpperCase())}${file.endsWith('-keys') ? '' : 'Keys'}`;
  const helpers = used.size > 0 ? `import { ${[...used].sort().join(', ')} } from '../config-key.ts';\n` : '';
  const intro = `/** Rewritten by \`npm run import-configs\`: only \`honoured\` and \`doc\` are edited by hand. */\n`;
  writeFileSync(
    join(catalogueFolder, `${file}.ts`),
    `import type { ConfigKeys } from '../config-key.ts';\n${helpers}\n${intro}export const ${constant} = {\n${body}} as const satisfies ConfigKeys;\n`,
  );
}

const version = process.argv[2];
if (!version && !process.env.KAFKA_JARS) {
  console.error('Usage: npm run import-configs -- VERSION (for example 4.3.1)');
  process.exit(1);
}
const scratch = mkdtempSync(join(tmpdir(), 'ottla-import-configs-'));
try {
  const jars = fetchJars(version, scratch);
  const facts = JSON.parse(run('java', ['-cp', `${jars}/*`, join(here, 'DumpConfigs.java')]));
  const own = await readOwnWords();
  mkdirSync(catalogueFolder, { recursive: true });
  for (const [file] of brokerFiles) {
    const keys = facts.broker.filter(
      (key) => brokerFiles.find(([, pattern]) => pattern.test(key.name))[0] === file,
    );
    writeFile(file, keys, (name) => own.get(`broker/${name}`));
  }
  writeFile('topic-keys', facts.topic, (name) => own.get(`topic/${name}`));
  writeFile('group-keys', facts.group, (name) => own.get(`group/${name}`));
  writeFile('client-metrics-keys', facts.clientMetrics, (name) => own.get(`client-metrics/${name}`));
  run(process.execPath, [join(root, 'node_modules/oxfmt/bin/oxfmt'), catalogueFolder]);
  const undocumented = [...facts.broker, ...facts.topic, ...facts.group].filter(
    (key) => !['broker', 'topic', 'group'].some((kind) => own.get(`${kind}/${key.name}`)?.doc),
  );
  for (const key of undocumented) console.error(`needs a doc: ${key.name}`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
