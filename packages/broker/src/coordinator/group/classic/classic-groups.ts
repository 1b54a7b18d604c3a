import type { GroupMetadataValue } from '@ottla/protocol';
import type { ClassicGroup } from './classic-group.ts';
import { groupFromMetadata } from './group-metadata.ts';

/**
 * The classic groups of one shard. What the records say lies below, what only memory knows lies over it:
 *
 *     soft      groups with members, waiting callers, a rebalance under way     set by `apply`
 *     stored    the last metadata record of each group                          set by `replay`, at the commit
 *
 * A group is the first of these that knows it, so a group in which nothing is going on costs no more than its record.
 */
export class ClassicGroups {
  readonly #stored = new Map<string, GroupMetadataValue>();
  readonly #soft = new Map<string, ClassicGroup>();

  /** The group as it is now; undefined when neither records nor memory know it. */
  get(groupId: string): ClassicGroup | undefined {
    const soft = this.#soft.get(groupId);
    if (soft !== undefined) return soft;
    const stored = this.#stored.get(groupId);
    return stored === undefined ? undefined : groupFromMetadata(groupId, stored);
  }

  has(groupId: string): boolean {
    return this.#soft.has(groupId) || this.#stored.has(groupId);
  }

  /** Adds the ids of all groups to a set. */
  collectIds(ids: Set<string>): void {
    for (const groupId of this.#stored.keys()) ids.add(groupId);
    for (const groupId of this.#soft.keys()) ids.add(groupId);
  }

  /** The last metadata record of a group. */
  stored(groupId: string): GroupMetadataValue | undefined {
    return this.#stored.get(groupId);
  }

  /** The assignments in the last metadata record of a group, by member id. */
  storedAssignments(groupId: string): ReadonlyMap<string, Buffer> {
    return new Map(
      this.#stored.get(groupId)?.members.map(({ memberId, assignment }) => [memberId, assignment]),
    );
  }

  /**
   * Installs a metadata record. A tombstone takes the soft state with it: it is written by commands that let nothing else
   * happen until it is committed.
   */
  setStored(groupId: string, value: GroupMetadataValue | null): void {
    if (value === null) {
      this.#stored.delete(groupId);
      this.#soft.delete(groupId);
      return;
    }
    this.#stored.set(groupId, value);
    this.#forgetIdle(groupId);
  }

  setSoft(groupId: string, group: ClassicGroup | null): void {
    if (group === null) this.#soft.delete(groupId);
    else this.#soft.set(groupId, group);
    this.#forgetIdle(groupId);
  }

  /** Drops the soft state of a group that is as its record says: empty, nobody about to join. */
  #forgetIdle(groupId: string): void {
    const soft = this.#soft.get(groupId);
    if (soft === undefined || soft.state !== 'Empty' || soft.pendingJoinMembers.size > 0) return;
    const stored = this.#stored.get(groupId);
    if (stored?.generation === soft.generationId && stored.members.length === 0) this.#soft.delete(groupId);
  }
}
