import { ErrorCodes, type FindCoordinatorResponse } from '@ottla/protocol';
import { brokerError } from '../errors/kafka-error.ts';
import type { BrokerNode } from './metadata.ts';

/** What a coordinator is for, as FindCoordinator numbers it. */
export const COORDINATOR_TYPES = { group: 0, transaction: 1, share: 2 } as const;

export type CoordinatorType = keyof typeof COORDINATOR_TYPES;

/** Asks a broker for the coordinator of a key; whatever version it speaks. */
export type FindCoordinator = (type: CoordinatorType, key: string) => Promise<FindCoordinatorResponse>;

/** Remembers which node coordinates which group or transactional id until somebody finds that it is no longer so. */
export class Coordinators {
  readonly #known = new Map<string, number>();
  readonly #running = new Map<string, Promise<number>>();
  readonly #find: FindCoordinator;
  readonly #onNode: (node: BrokerNode) => void;

  constructor(find: FindCoordinator, onNode: (node: BrokerNode) => void) {
    this.#find = find;
    this.#onNode = onNode;
  }

  /** The node that was found last; undefined when none is remembered. */
  known(type: CoordinatorType, key: string): number | undefined {
    return this.#known.get(`${type}:${key}`);
  }

  /** Finds the coordinator anew, or takes part in a search that is under way. Rejects with what the broker answered. */
  find(type: CoordinatorType, key: string): Promise<number> {
    const id = `${type}:${key}`;
    const running = this.#running.get(id);
    if (running !== undefined) return running;
    const search = this.#search(type, key).finally(() => this.#running.delete(id));
    this.#running.set(id, search);
    search.catch(() => {});
    return search;
  }

  /** What is remembered is wrong: NOT_COORDINATOR, or the node is gone. */
  forget(type: CoordinatorType, key: string): void {
    this.#known.delete(`${type}:${key}`);
  }

  /** Forgets everything that a node coordinates. */
  forgetNode(nodeId: number): void {
    for (const [id, node] of this.#known) if (node === nodeId) this.#known.delete(id);
  }

  async #search(type: CoordinatorType, key: string): Promise<number> {
    const answer = await this.#find(type, key);
    // From version 4 on answers are lists; older ones have the fields of a single one at the top.
    const found = answer.coordinators.find((each) => each.key === key) ?? answer;
    if (found.errorCode !== ErrorCodes.NONE)
      throw brokerError(found.errorCode, found.errorMessage, `${type} "${key}"`);
    if (found.nodeId < 0) throw brokerError(ErrorCodes.COORDINATOR_NOT_AVAILABLE, null, `${type} "${key}"`);
    this.#onNode({ nodeId: found.nodeId, host: found.host, port: found.port, rack: null });
    this.#known.set(`${type}:${key}`, found.nodeId);
    return found.nodeId;
  }
}
