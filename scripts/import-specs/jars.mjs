import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** The official artifacts that carry message specs. */
const ARTIFACTS = [
  'kafka-clients',
  'kafka-metadata',
  'kafka-group-coordinator',
  'kafka-transaction-coordinator',
  'kafka-share-coordinator',
  'kafka-storage',
];

/**
 * Fetches the jars of a Kafka release through Maven and reads what they say: the message specs (into `specs` below
 * `folder`) and the error codes. Needs a JDK and Maven.
 */
export function readRelease(version, folder) {
  const specs = join(folder, 'specs');
  rmSync(specs, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const pom = join(folder, 'pom.xml');
  writeFileSync(pom, pomSource(version));
  const libs = join(folder, 'libs');
  const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${libs}`];
  execFileSync('mvn', ['-q', '-B', '-f', pom, ...goal], { stdio: ['ignore', 'inherit', 'inherit'] });
  const program = join(here, 'ReadJars.java');
  const jars = ARTIFACTS.map((artifact) => join(libs, `${artifact}-${version}.jar`));
  const output = execFileSync('java', ['-cp', join(libs, '*'), program, specs, ...jars], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return { specs, errors: parseErrors(output) };
}

function parseErrors(output) {
  const rows = output.split('\n').map((line) => line.split(' '));
  return rows
    .filter(([kind]) => kind === 'error')
    .map(([, code, name, retriable]) => ({ code: Number(code), name, retriable: retriable === 'true' }));
}

function pomSource(version) {
  const dependencies = ARTIFACTS.map(
    (artifact) =>
      `<dependency><groupId>org.apache.kafka</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`,
  );
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>ottla</groupId><artifactId>import-specs</artifactId><version>1</version>
<dependencies>${dependencies.join('\n')}</dependencies>
</project>
`;
}
