import type { TopicsImage } from '../../../metadata/image.ts';
import type { StreamsMember } from './streams-member.ts';
import type { EndpointPartitions, EndpointTopic } from './streams-types.ts';
import { toTaskIds, type TaskEpochs, type TaskSet } from './tasks.ts';
import type { ConfiguredTopology } from './topology/configured-topology.ts';

/** Where the state of which partitions can be asked for: the members that have an endpoint, and what they have. */
export function endpointPartitions(
  members: Iterable<StreamsMember>,
  topology: ConfiguredTopology,
  topics: TopicsImage,
): EndpointPartitions[] {
  const endpoints: EndpointPartitions[] = [];
  for (const { userEndpoint, assigned } of members) {
    if (userEndpoint === null) continue;
    endpoints.push({
      userEndpoint,
      activePartitions: inputPartitions(assigned.active, topology, topics),
      standbyPartitions: inputPartitions(assigned.standby, topology, topics),
    });
  }
  return endpoints;
}

/** The partitions that tasks read; a topic with fewer partitions than its subtopology has tasks is read by the first of them. */
function inputPartitions(
  tasks: TaskSet | TaskEpochs,
  { subtopologies }: ConfiguredTopology,
  topics: TopicsImage,
): EndpointTopic[] {
  const result: EndpointTopic[] = [];
  for (const { subtopologyId, partitions } of toTaskIds(tasks)) {
    const subtopology = subtopologies?.get(subtopologyId);
    if (subtopology === undefined) continue;
    for (const topic of [...subtopology.sourceTopics, ...subtopology.repartitionSourceTopics.keys()]) {
      const count = topics.byName.get(topic)?.partitions.length ?? 0;
      result.push({ topic, partitions: partitions.filter((partition) => partition < count) });
    }
  }
  return result;
}
