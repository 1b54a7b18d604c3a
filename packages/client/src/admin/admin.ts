import type { Cluster } from '../cluster/cluster.ts';
import { AdminRequests } from './admin-requests.ts';
import { ClusterAdmin } from './cluster-admin.ts';
import { ConfigsAdmin } from './configs-admin.ts';
import { GroupsAdmin } from './groups-admin.ts';
import { OffsetsAdmin } from './offsets-admin.ts';
import { TopicsAdmin } from './topics-admin.ts';

/**
 * Everything that Kafka's Admin can do, grouped by what it is about. Calls about one thing return it or throw; calls about several return
 * an outcome for each. Errors that pass by themselves are retried until `timeoutMs` (default: the client's `defaultApiTimeoutMs`).
 */
export class Admin implements AsyncDisposable {
  readonly topics: TopicsAdmin;
  readonly offsets: OffsetsAdmin;
  readonly groups: GroupsAdmin;
  readonly configs: ConfigsAdmin;
  readonly cluster: ClusterAdmin;
  readonly #requests: AdminRequests;
  readonly #onClosed: () => void;

  /** Use `ottla.admin()`. */
  constructor(cluster: Cluster, onClosed: () => void = () => {}) {
    const requests = new AdminRequests(cluster);
    this.#requests = requests;
    this.#onClosed = onClosed;
    this.topics = new TopicsAdmin(requests);
    this.offsets = new OffsetsAdmin(requests);
    this.groups = new GroupsAdmin(requests, this.offsets);
    this.configs = new ConfigsAdmin(requests);
    this.cluster = new ClusterAdmin(requests);
  }

  /** Ends this admin; the handle's connections stay. Calls that wait go on. Idempotent. */
  async close(): Promise<void> {
    this.#requests.close();
    this.#onClosed();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
