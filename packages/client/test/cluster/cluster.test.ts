import { describe, expect, test } from 'vitest';
import { Cluster } from '../../src/cluster/cluster.ts';
import { ClosedError } from '../../src/errors/client-errors.ts';
import { isKafkaError } from '../../src/errors/kafka-error.ts';
import { apis } from '../../src/network/apis.ts';
import { resolveOptions } from '../../src/options/resolve-options.ts';
import { useBroker } from '../test-broker.ts';

const broker = useBroker();

async function withCluster(use: (cluster: Cluster) => Promise<void>): Promise<void> {
  const cluster = new Cluster(resolveOptions({ bootstrap: broker.bootstrap, clientId: 'test' }));
  try {
    await use(cluster);
  } finally {
    cluster.close();
    expect(cluster.connectionCount).toBe(0);
  }
}

describe('a cluster of one broker', () => {
  test('metadata: the first request makes the bootstrap connection the connection of its node', () =>
    withCluster(async (cluster) => {
      const metadata = await cluster.refreshMetadata();
      expect([...metadata.brokers.values()].map(({ host, port }) => `${host}:${port}`)).toEqual([
        broker.bootstrap,
      ]);
      await cluster.request(metadata.controllerId, apis.describeCluster, {});
      expect(cluster.connectionCount).toBe(1);
    }));

  test('a topic created through the controller has a leader when its metadata is asked for', () =>
    withCluster(async (cluster) => {
      const created = await cluster.request('controller', apis.createTopics, {
        topics: [{ name: 'orders', numPartitions: 3, replicationFactor: 1 }],
        timeoutMs: 5_000,
      });
      expect(created.topics.map(({ errorCode }) => errorCode)).toEqual([0]);
      const topics = await cluster.topics(['orders']);
      expect(topics.get('orders')!.partitions.map(({ leaderId }) => leaderId)).toEqual(
        Array(3).fill(cluster.metadata.controllerId),
      );
      expect(cluster.partition('orders', 2)?.leaderEpoch).toBeGreaterThanOrEqual(0);
    }));

  test("an unknown topic is the topic's own error when the time is up", () =>
    withCluster(async (cluster) => {
      const error = await cluster.topics(['nowhere'], { timeoutMs: 2_000 }).catch((e: unknown) => e);
      expect(isKafkaError(error, 'UNKNOWN_TOPIC_OR_PARTITION')).toBe(true);
      expect(String(error)).toContain('topic "nowhere"');
    }));

  test('the coordinator of a group is found and remembered', () =>
    withCluster(async (cluster) => {
      const nodeId = await cluster.coordinator('group', 'billing', { timeoutMs: 10_000 });
      expect(nodeId).toBe(cluster.metadata.controllerId);
      const answer = await cluster.request({ coordinator: 'group', key: 'billing' }, apis.describeGroups, {
        groups: ['billing'],
      });
      expect(answer.groups).toHaveLength(1);
    }));

  test('a hundred requests in one turn are answered, each by its own answer', () =>
    withCluster(async (cluster) => {
      await cluster.refreshMetadata();
      const { controllerId } = cluster.metadata;
      const groups = Array.from({ length: 100 }, (_, i) => `g${i}`);
      const answers = await Promise.all(
        groups.map((group) => cluster.request(controllerId, apis.describeGroups, { groups: [group] })),
      );
      expect(answers.map((answer) => answer.groups[0]!.groupId)).toEqual(groups);
    }));

  test('closing ends what waits', async () => {
    const cluster = new Cluster(resolveOptions({ bootstrap: broker.bootstrap }));
    await cluster.refreshMetadata();
    const waiting = cluster.request('any', apis.metadata, { topics: [] });
    cluster.close();
    await expect(waiting).rejects.toThrow(ClosedError);
  });
});
