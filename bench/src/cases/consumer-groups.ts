import { freshTopic, type BenchCase } from '../case.ts';
import { GroupMembers } from '../group-members.ts';
import { measured } from '../process-usage.ts';
import { createTopic, deleteTopic } from '../subject.ts';

const MEMBERS = 1000;
/** Few enough to be created in a moment; the other members wait for a share. */
const PARTITIONS = 200;

/** A large group of the consumer protocol: how fast it settles, and what its heartbeats cost. */
const consumerGroup: BenchCase = {
  name: 'consumer-group',
  about: `${MEMBERS} members of one group (KIP-848) over 50 connections: join until ${PARTITIONS} partitions are shared, then heartbeats`,
  metrics: [
    { name: 'rebalance s', unit: 's', better: 'lower', ratioGoal: 1 },
    { name: 'heartbeats/s', unit: '1/s', better: 'higher', ratioGoal: 1 },
    { name: 'broker cpu s', unit: 's', better: 'lower' },
  ],
  async run(subject, options) {
    const count = Math.max(100, MEMBERS * options.scale);
    const partitions = Math.max(20, PARTITIONS * options.scale);
    const topic = freshTopic('group');
    await createTopic(subject, topic, partitions);
    const members = await GroupMembers.open(subject.peer.port, {
      groupId: topic,
      topic,
      count,
      connections: 50,
    });
    try {
      const { result, usage } = await measured(subject.peer.pid, async () => ({
        joined: await members.join(partitions),
        rate: await members.heartbeats(Math.max(1, 5 * options.scale)),
      }));
      return { 'rebalance s': result.joined, 'heartbeats/s': result.rate, 'broker cpu s': usage.cpuSeconds };
    } finally {
      members.close();
      await deleteTopic(subject, topic);
    }
  },
};

/** Consumer groups. */
export const consumerGroups: readonly BenchCase[] = [consumerGroup];
