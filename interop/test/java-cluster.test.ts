import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, type Peer } from '../src/index.ts';
import { absent, interop, javaTools, startPeer, title, unique } from './support.ts';

/** Tools one after the other, on a machine that may be busy. */
const SLOW_MS = 120_000;

/** The tools that administer the cluster as a whole, on a broker of their own, whose features they change. */
describe.skipIf(absent(interop.java))(
  title('kafka-metadata-quorum, kafka-features, kafka-reassign-partitions and others', interop.java),
  { timeout: SLOW_MS },
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'ottla-cluster-'));
    const topic = unique('moved');
    let peer: Peer;

    beforeAll(async () => {
      peer = await startPeer();
      await tool('TopicCommand', '--create', '--topic', topic, '--partitions', '2');
    }, SLOW_MS);
    afterAll(async () => {
      await peer?.dispose();
      rmSync(folder, { recursive: true, force: true });
    });

    async function tool(main: string, ...args: string[]): Promise<string> {
      const { out, err } = await javaTools().run(main, ['--bootstrap-server', peer.bootstrap, ...args]);
      return [...out, ...err].join('\n');
    }
    const configs = (...args: string[]) => tool('kafka.admin.ConfigCommand', ...args);

    /** What a tool prints, once a real Kafka's broker has heard of the change. */
    function shows(pattern: RegExp, ask: () => Promise<string>): Promise<true> {
      return eventually(String(pattern), async () => (pattern.test(await ask()) ? true : undefined));
    }

    function json(name: string, content: object): string {
      const file = join(folder, `${name}.json`);
      writeFileSync(file, JSON.stringify(content));
      return file;
    }

    test('the quorum has one voter that has caught up', async () => {
      const status = await tool('MetadataQuorumCommand', 'describe', '--status');
      expect(status).toMatch(/LeaderId:\s+1\n/);
      expect(status).toMatch(/MaxFollowerLag:\s+0\n/);
      expect(status).toMatch(/CurrentVoters:\s+\[\{"id": 1, .*"endpoints": \["CONTROLLER:\/\//);
      expect(await tool('MetadataQuorumCommand', 'describe', '--replication')).toMatch(
        /\n1\s+\S{22}\s+\d+\s+0\s+\d+\s+\d+\s+Leader/,
      );
    });

    test('a feature is turned off and on, and what is not possible is refused', async () => {
      const described = () => tool('FeatureCommand', 'describe');
      const level = (value: number) => new RegExp(`share\\.version.*FinalizedVersionLevel: ${value}\\b`);
      await shows(level(1), described);
      expect(await tool('FeatureCommand', 'downgrade', '--feature', 'share.version=0')).toMatch(
        /share\.version was downgraded to 0/,
      );
      await shows(level(0), described);
      expect(await tool('FeatureCommand', 'upgrade', '--feature', 'share.version=1')).toMatch(
        /share\.version was upgraded to 1/,
      );
      await shows(level(1), described);
      expect(await tool('FeatureCommand', 'upgrade', '--feature', 'group.version=9')).toMatch(
        /only supports versions 0-1/,
      );
      expect(await tool('FeatureCommand', 'downgrade', '--metadata', '3.3-IV3')).toMatch(
        /Refusing to perform the requested downgrade/,
      );
    });

    test('elections find every partition led by whom it should be', async () => {
      const partition = ['--topic', topic, '--partition', '0'];
      for (const type of ['preferred', 'unclean']) {
        expect(await tool('LeaderElectionCommand', '--election-type', type, ...partition)).toMatch(
          /Valid replica already elected/,
        );
      }
      const unknown = ['--topic', unique('unknown'), '--partition', '0'];
      expect(await tool('LeaderElectionCommand', '--election-type', 'preferred', ...unknown)).toMatch(
        /UnknownTopicOrPartitionException|could not be elected/,
      );
    });

    test('a reassignment is planned, carried out, verified, and one to nobody refused', async () => {
      const command = (...args: string[]) => tool('reassign.ReassignPartitionsCommand', ...args);
      const topics = json('topics', { version: 1, topics: [{ topic }] });
      const planned = await command('--generate', '--topics-to-move-json-file', topics, '--broker-list', '1');
      const plan = planned.trim().split('\n').at(-1)!;
      const file = json('plan', JSON.parse(plan) as object);
      expect(await command('--execute', '--reassignment-json-file', file)).toMatch(
        /Successfully started partition reassignments/,
      );
      await shows(/Reassignment of partition .*-0 is completed/, () =>
        command('--verify', '--reassignment-json-file', file),
      );
      expect(await command('--list')).toMatch(/No partition reassignments found/);
      expect(await command('--cancel', '--reassignment-json-file', file)).toMatch(/None of the specified/);
      const away = json('away', { version: 1, partitions: [{ topic, partition: 0, replicas: [7] }] });
      expect(await command('--execute', '--reassignment-json-file', away)).toMatch(/[Uu]nknown broker id/);
    });

    test('users have passwords and quotas, and lose them again', async () => {
      const user = ['--entity-type', 'users', '--entity-name', 'ada'];
      const described = () => configs('--describe', '--entity-type', 'users');
      await configs('--alter', ...user, '--add-config', 'SCRAM-SHA-512=[iterations=8192,password=pencil]');
      await configs('--alter', ...user, '--add-config', 'producer_byte_rate=1048576,request_percentage=50');
      await shows(
        /SCRAM credential configs for user-principal 'ada' are SCRAM-SHA-512=iterations=8192/,
        described,
      );
      await shows(/'ada' are .*producer_byte_rate=1048576\.0/, described);
      expect(
        await configs('--alter', ...user, '--add-config', 'SCRAM-SHA-256=[iterations=1,password=x]'),
      ).toMatch(/[Ii]terations/);
      await configs('--alter', ...user, '--delete-config', 'producer_byte_rate,request_percentage');
      await configs('--alter', ...user, '--delete-config', 'SCRAM-SHA-512');
      await eventually('nothing about ada', async () =>
        (await described()).includes('ada') ? undefined : true,
      );
    });

    test.each([
      [
        'clients',
        ['--entity-default'],
        'consumer_byte_rate=2048',
        /default client-id are consumer_byte_rate=2048\.0/,
      ],
      [
        'ips',
        ['--entity-name', '127.0.0.1'],
        'connection_creation_rate=50',
        /127\.0\.0\.1' are .*rate=50\.0/,
      ],
    ])('quotas of %s are set', async (type, entity, change, shown) => {
      await configs('--alter', '--entity-type', type, ...entity, '--add-config', change);
      await shows(shown, () => configs('--describe', '--entity-type', type));
      await configs('--alter', '--entity-type', type, ...entity, '--delete-config', change.split('=')[0]!);
    });

    test('without an authorizer and authentication there are no access rules and no tokens', async () => {
      expect(await tool('AclCommand', '--list')).toMatch(/No Authorizer is configured/);
      const config = join(folder, 'empty.properties');
      writeFileSync(config, '');
      expect(await tool('DelegationTokenCommand', '--describe', '--command-config', config)).toMatch(
        /not allowed on PLAINTEXT/,
      );
    });

    test('a broker that is not there cannot be unregistered', async () => {
      const unregistration = ['unregister', '--bootstrap-server', peer.bootstrap, '--id', '77'];
      const { out, err } = await javaTools().run('ClusterTool', unregistration);
      expect([...out, ...err].join('\n')).toMatch(/Broker ID 77 is not currently registered/);
    });

    test('the official dump tool reads every record of the metadata log', async () => {
      await peer.stop();
      const log = join(peer.logDir, '__cluster_metadata-0', '00000000000000000000.log');
      const dumped = await javaTools().run('DumpLogSegments', ['--cluster-metadata-decoder', '--files', log]);
      const lines = dumped.out.join('\n');
      for (const type of [
        'USER_SCRAM_CREDENTIAL',
        'REMOVE_USER_SCRAM_CREDENTIAL',
        'CLIENT_QUOTA',
        'FEATURE_LEVEL',
      ]) {
        expect(lines).toContain(`"type":"${type}_RECORD"`);
      }
      expect(lines).not.toMatch(/Error|Exception|isvalid: false/);
    });
  },
);
