import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, interopFolder } from './cache.ts';
import { commandWorks, mustRun } from './command.ts';

/** The release whose jars are the oracle; `pom.xml` names it once more, for Maven. */
export const kafkaVersion = '4.3.1';

/** Why the official jars cannot be used here, or where they are. */
export type KafkaJars = { readonly libs: string } | { readonly absent: string };

/**
 * The official Kafka jars, fetched through Maven on first use (about 100 files) and kept in the cache.
 * A machine without Java or Maven gets the reason instead.
 */
export async function kafkaJars(version: string = kafkaVersion): Promise<KafkaJars> {
  if (!(await commandWorks('java', ['-version'])))
    return { absent: 'no `java` on the path (install a JDK 17 or newer)' };
  if (!(await commandWorks('javac', ['-version'])))
    return { absent: 'no `javac` on the path (a JDK is needed)' };
  const home = cacheFolder(`kafka-${version}`);
  const libs = join(home, 'libs');
  const pom = join(interopFolder, 'pom.xml');
  const ready = join(home, `ready-${digestOf([pom])}`);
  if (existsSync(ready)) return { libs };
  if (!(await commandWorks('mvn', ['-version'])))
    return { absent: 'no `mvn` on the path (Maven fetches the jars)' };
  const target = [`-Dkafka.version=${version}`, `-DoutputDirectory=${libs}`];
  await mustRun('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', ...target]);
  writeFileSync(ready, '');
  return { libs };
}

/** Class path of the official jars, with our own classes in front when given. */
export function classPath(libs: string, ...folders: readonly string[]): string {
  return [...folders, join(libs, '*')].join(process.platform === 'win32' ? ';' : ':');
}

/** Short name of what the files say, so that checkouts that differ share a cache without disturbing each other. */
function digestOf(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex').slice(0, 12);
}

/** Compiles the Java programs of `interop/java` into the cache, once for each text of theirs, and returns the folder of classes. */
export async function compileJavaPrograms(libs: string): Promise<string> {
  const folder = join(interopFolder, 'java');
  const names = readdirSync(folder).filter((name) => name.endsWith('.java'));
  const files = names.toSorted().map((name) => join(folder, name));
  const classes = cacheFolder(`classes-${digestOf(files)}`);
  const ready = join(classes, 'ready');
  if (existsSync(ready)) return classes;
  await mustRun('javac', ['-nowarn', '-cp', classPath(libs), '-d', classes, ...files]);
  writeFileSync(ready, '');
  return classes;
}
