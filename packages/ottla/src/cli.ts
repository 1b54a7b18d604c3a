import { Command, Option } from 'commander';
import { collect } from './collect.ts';
import { registerAcls } from './commands/acls.ts';
import { registerBench } from './commands/bench.ts';
import { registerCluster } from './commands/cluster.ts';
import { registerCompletion } from './commands/completion.ts';
import { registerConfigs } from './commands/configs.ts';
import { registerConsume } from './commands/consume.ts';
import { registerDev } from './commands/dev.ts';
import { registerDumpLog } from './commands/dump-log.ts';
import { registerGroups } from './commands/groups.ts';
import { registerLogDirs } from './commands/log-dirs.ts';
import { registerProduce } from './commands/produce.ts';
import { registerQuotas } from './commands/quotas.ts';
import { registerShareGroups } from './commands/share-groups.ts';
import { registerStreamsGroups } from './commands/streams-groups.ts';
import { registerTopics } from './commands/topics.ts';
import { registerTransactions } from './commands/transactions.ts';
import { registerUsers } from './commands/users.ts';
import { registerVerify } from './commands/verify.ts';
import { helpTexts } from './help-texts.ts';
import { LOG_LEVELS } from './logger.ts';
import { explainUnknownCommands, registerHelp } from './unknown-command.ts';
import { ottlaVersion } from './version.ts';

/** The `ottla` command line. Commands load what they need when they run, so that help and version answer at once. */
export function createProgram(): Command {
  const program = new Command('ottla')
    .description('Apache Kafka for the TypeScript world')
    .version(ottlaVersion(), '-V, --version')
    .configureHelp(helpTexts)
    // As every other line of ours on stderr.
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'ottla: ')) });
  program
    .command('start')
    .description('start a broker; without a file a single node on 127.0.0.1:9092 with its data in ./data')
    .argument('[server.properties]', "properties file, with Kafka's own keys")
    .option('--override <key=value>', 'set a property over the file; may be repeated', collect, [])
    .addOption(
      new Option('--log-level <level>', 'least level that is logged').choices(LOG_LEVELS).default('info'),
    )
    .addHelpText(
      'after',
      [
        '\nOver the file comes the environment (KAFKA_LOG_DIRS sets log.dirs), over that each --override.',
        '\nExamples:',
        '  ottla start --override listeners=PLAINTEXT://127.0.0.1:19192 --override log.dirs=/some/dir',
        '  ottla start config/server.properties',
      ].join('\n'),
    )
    .action(async (file: string | undefined, options: { override: string[]; logLevel: string }) => {
      const { runStart } = await import('./start-command.ts');
      await runStart(file, options);
    });
  registerDev(program);
  registerTopics(program);
  registerProduce(program);
  registerConsume(program);
  registerGroups(program);
  registerConfigs(program);
  registerShareGroups(program);
  registerStreamsGroups(program);
  registerCluster(program);
  registerLogDirs(program);
  registerTransactions(program);
  registerAcls(program);
  registerUsers(program);
  registerQuotas(program);
  registerBench(program);
  registerDumpLog(program);
  registerVerify(program);
  registerCompletion(program);
  explainUnknownCommands(program);
  registerHelp(program);
  return program;
}
