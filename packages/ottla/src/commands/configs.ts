import type { ConfigChange, ConfigResource } from '@ottla/client';
import type { Command } from 'commander';
import { collect } from '../collect.ts';
import { printRows } from '../terminal/print.ts';
import {
  runOnCluster,
  UsageError,
  withClusterOptions,
  type ClusterOptions,
} from '../cluster/run-on-cluster.ts';

const TYPES = ['topic', 'broker', 'group'] as const;

interface AlterOptions extends ClusterOptions {
  readonly set: readonly string[];
  readonly unset: readonly string[];
}

/** `ottla configs`: what topics, brokers and groups are configured to do. */
export function registerConfigs(program: Command): void {
  const configs = program
    .command('configs')
    .description('show and change the configs of topics, brokers and groups');
  withClusterOptions(configs.command('describe <type> [name]'))
    .description(`configs of a ${TYPES.join(', ')}; without a name of all brokers together`)
    .option('--all', 'defaults too')
    .addHelpText('after', '\nExample:\n  ottla configs describe topic orders --all')
    .action((type: string, name: string | undefined, options: ClusterOptions & { all?: boolean }) =>
      describeConfigs(resourceOf(type, name), options),
    );
  withClusterOptions(configs.command('alter <type> [name]'))
    .description('set configs, or put them back to their defaults')
    .option('--set <key=value>', 'may be repeated', collect, [])
    .option('--unset <key>', 'may be repeated', collect, [])
    .addHelpText(
      'after',
      '\nExample:\n  ottla configs alter topic orders --set retention.ms=3600000 --unset cleanup.policy',
    )
    .action((type: string, name: string | undefined, options: AlterOptions) =>
      alterConfigs(resourceOf(type, name), options),
    );
}

/** Made when it runs, so that a wrong type is told of like every other slip. */
function resourceOf(type: string, name = ''): () => ConfigResource {
  return () => {
    const known = TYPES.find((each) => each === type);
    if (known === undefined) throw new UsageError(`Type "${type}" is none of ${TYPES.join(', ')}`);
    if (name === '' && known !== 'broker')
      throw new UsageError(`Name the ${known}: only brokers have configs in common`);
    return { type: known, name };
  };
}

function describeConfigs(
  resource: () => ConfigResource,
  options: ClusterOptions & { all?: boolean },
): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const entries = [...(await admin.configs.describe(resource(), limits)).values()];
    const rows = entries
      .filter(
        ({ isDefault, source }) => options.all === true || !(isDefault || source === 'STATIC_BROKER_CONFIG'),
      )
      .map(({ name, value, source, isReadOnly, isSensitive }) => ({
        name,
        value,
        source,
        isReadOnly,
        isSensitive,
      }));
    await printRows(rows, options);
  });
}

function alterConfigs(resource: () => ConfigResource, options: AlterOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const changes: Record<string, ConfigChange | string> = {};
    for (const text of options.set) {
      const equals = text.indexOf('=');
      if (equals < 1) throw new UsageError(`"${text}" is not of the form key=value`);
      changes[text.slice(0, equals)] = text.slice(equals + 1);
    }
    for (const name of options.unset) changes[name] = { delete: true };
    if (Object.keys(changes).length === 0)
      throw new UsageError('Nothing to change: give --set key=value or --unset key');
    await admin.configs.alter(resource(), changes, limits);
  });
}
