import { existsSync, writeFileSync } from 'node:fs';
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
  const ready = join(home, 'ready');
  if (existsSync(ready)) return { libs };
  if (!(await commandWorks('mvn', ['-version'])))
    return { absent: 'no `mvn` on the path (Maven fetches the jars)' };
  const pom = join(interopFolder, 'pom.xml');
  const target = [`-Dkafka.version=${version}`, `-DoutputDirectory=${libs}`];
  await mustRun('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', ...target]);
  writeFileSync(ready, '');
  return { libs };
}

/** Class path of the official jars, with our own classes in front when given. */
export function classPath(libs: string, ...folders: readonly string[]): string {
  return [...folders, join(libs, '*')].join(process.platform === 'win32' ? ';' : ':');
}

/** Compiles the Java programs of `interop/java` into the cache and returns the folder of classes. */
export async function compileJavaPrograms(libs: string): Promise<string> {
  const classes = cacheFolder('classes');
  const source = join(interopFolder, 'java');
  const files = ['ToolServer', 'GroupMember', 'ShareMember', 'AckedWriter', 'Assignors'].map((name) =>
    join(source, `${name}.java`),
  );
  await mustRun('javac', ['-nowarn', '-cp', classPath(libs), '-d', classes, ...files]);
  return classes;
}
