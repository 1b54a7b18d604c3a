import { ErrorCodes } from '@ottla/protocol';

/** A partition of a share session, by topic id. */
export interface SessionPartition {
  readonly topicId: string;
  readonly partition: number;
}

/** A member's share session on this broker: what it fetches, and the epoch its next request must have. */
export interface ShareSession {
  readonly groupId: string;
  readonly memberId: string;
  readonly connectionId: string;
  epoch: number;
  /** By `topicId:partition`, in the order added. */
  readonly partitions: Map<string, SessionPartition>;
}

/** A request's place in a session. */
export const INITIAL_EPOCH = 0;
export const FINAL_EPOCH = -1;
const MAX_EPOCH = 0x7fffffff;

interface SessionRequest {
  readonly groupId: string;
  readonly memberId: string;
  readonly epoch: number;
  readonly connectionId: string;
  readonly added: readonly { readonly topicId: string; readonly partition: number }[];
  readonly forgotten: readonly { readonly topicId: string; readonly partition: number }[];
  readonly hasAcknowledgements: boolean;
}

/** The share sessions of this broker (KIP-932), at most `group.share.max.share.sessions`: full means refused, not evicted. */
export class ShareSessions {
  readonly #maxSessions: () => number;
  readonly #sessions = new Map<string, ShareSession>();

  constructor(maxSessions: () => number) {
    this.#maxSessions = maxSessions;
  }

  get size(): number {
    return this.#sessions.size;
  }

  get(groupId: string, memberId: string): ShareSession | undefined {
    return this.#sessions.get(nameOf(groupId, memberId));
  }

  /** Begins, continues or ends a session for a ShareFetch; Kafka's error code when the request does not fit. */
  fetch(request: SessionRequest): ShareSession | number {
    const name = nameOf(request.groupId, request.memberId);
    const existing = this.#sessions.get(name);
    if (request.epoch === INITIAL_EPOCH) return this.#begin(name, request);
    if (existing === undefined) return ErrorCodes.SHARE_SESSION_NOT_FOUND;
    // Nothing is fetched any more, so partitions without acknowledgements say nothing.
    if (request.epoch === FINAL_EPOCH) return existing;
    if (existing.epoch !== request.epoch) return ErrorCodes.INVALID_SHARE_SESSION_EPOCH;
    addPartitions(existing, request.added);
    for (const { topicId, partition } of request.forgotten)
      existing.partitions.delete(`${topicId}:${partition}`);
    existing.epoch = nextEpoch(existing.epoch);
    return existing;
  }

  /** Continues or ends a session for a ShareAcknowledge. */
  acknowledge(groupId: string, memberId: string, epoch: number): ShareSession | number {
    if (epoch === INITIAL_EPOCH) return ErrorCodes.INVALID_SHARE_SESSION_EPOCH;
    const session = this.get(groupId, memberId);
    if (session === undefined) return ErrorCodes.SHARE_SESSION_NOT_FOUND;
    if (epoch === FINAL_EPOCH) return session;
    if (session.epoch !== epoch) return ErrorCodes.INVALID_SHARE_SESSION_EPOCH;
    session.epoch = nextEpoch(session.epoch);
    return session;
  }

  /** The sessions that began on a connection. */
  ofConnection(connectionId: string): ShareSession[] {
    return [...this.#sessions.values()].filter((session) => session.connectionId === connectionId);
  }

  /** Whether any member of the group has a session here. */
  hasGroup(groupId: string): boolean {
    for (const session of this.#sessions.values()) if (session.groupId === groupId) return true;
    return false;
  }

  remove(groupId: string, memberId: string): ShareSession | undefined {
    const session = this.get(groupId, memberId);
    if (session !== undefined) this.#sessions.delete(nameOf(groupId, memberId));
    return session;
  }

  #begin(name: string, request: SessionRequest): ShareSession | number {
    if (request.hasAcknowledgements) return ErrorCodes.INVALID_REQUEST;
    this.#sessions.delete(name);
    if (this.#sessions.size >= this.#maxSessions()) return ErrorCodes.SHARE_SESSION_LIMIT_REACHED;
    const { groupId, memberId, connectionId } = request;
    const session: ShareSession = { groupId, memberId, connectionId, epoch: 1, partitions: new Map() };
    addPartitions(session, request.added);
    this.#sessions.set(name, session);
    return session;
  }
}

function addPartitions(session: ShareSession, added: SessionRequest['added']): void {
  for (const { topicId, partition } of added) {
    const name = `${topicId}:${partition}`;
    if (!session.partitions.has(name)) session.partitions.set(name, { topicId, partition });
  }
}

function nextEpoch(epoch: number): number {
  return epoch >= MAX_EPOCH ? 1 : epoch + 1;
}

function nameOf(groupId: string, memberId: string): string {
  return `${groupId.length}:${groupId}:${memberId}`;
}
