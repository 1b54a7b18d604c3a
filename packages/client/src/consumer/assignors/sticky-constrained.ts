import type { TopicPartition } from '../../admin/admin-requests.ts';
import { compareText } from './assignor.ts';
import { removeFrom, type StickyInput } from './sticky-input.ts';

/** The outcome, and partitions that change hands: a cooperative group gives those up first. */
export interface StickyResult {
  readonly assignment: Map<string, TopicPartition[]>;
  /** The new owner of each; null when the caller has to work it out. */
  readonly transferring: ReadonlyMap<TopicPartition, string> | null;
}

/**
 * Every member subscribed to the same topics: each gets `minQuota` or `maxQuota` partitions, keeps as many of its own as that allows,
 * and what is left goes round. Linear in the number of partitions.
 */
export function assignConstrained(input: StickyInput): StickyResult {
  return new ConstrainedAssignment(input).build();
}

class ConstrainedAssignment {
  readonly #input: StickyInput;
  readonly #minQuota: number;
  readonly #maxQuota: number;
  /** How many members get more than `minQuota`; 0 when all get the same. */
  readonly #expectedOverMin: number;
  #overMinCount = 0;
  #underMin: string[] = [];
  #exactlyMin: string[] = [];
  readonly #assignment = new Map<string, TopicPartition[]>();
  readonly #assigned = new Set<TopicPartition>();
  readonly #revoked = new Map<TopicPartition, string>();
  readonly #transferring = new Map<TopicPartition, string>();

  constructor(input: StickyInput) {
    this.#input = input;
    const count = input.members.length;
    this.#minQuota = Math.floor(input.totalCount / count);
    this.#maxQuota = Math.ceil(input.totalCount / count);
    this.#expectedOverMin = input.totalCount % count;
    for (const { memberId } of input.members) this.#assignment.set(memberId, []);
  }

  build(): StickyResult {
    for (const [memberId, partitions] of this.#input.owned) this.#keepOwned(memberId, partitions);
    this.#underMin.sort(compareText);
    this.#exactlyMin.sort(compareText);
    const names = [...this.#input.topics.keys()].sort(compareText);
    const all = names.flatMap((name) => this.#input.topics.get(name)!);
    const open = this.#input.racks.sortByConsumers(all.filter((partition) => !this.#assigned.has(partition)));
    this.#goRound(this.#input.racks.isUseful ? this.#assignInRacks(open) : open);
    return { assignment: this.#assignment, transferring: this.#transferring };
  }

  #keepOwned(memberId: string, partitions: readonly TopicPartition[]): void {
    const { racks, claimedTwice } = this.#input;
    const own: TopicPartition[] = [];
    for (const partition of partitions) {
      if (racks.isMismatch(memberId, partition)) this.#revoked.set(partition, memberId);
      else if (!claimedTwice.has(partition)) own.push(partition);
    }
    own.sort((a, b) => a.partition - b.partition || compareText(a.topic, b.topic));
    if (own.length < this.#minQuota) {
      this.#keep(memberId, own, own.length);
      this.#underMin.push(memberId);
    } else if (own.length >= this.#maxQuota && this.#overMinCount < this.#expectedOverMin) {
      this.#overMinCount += 1;
      if (this.#overMinCount === this.#expectedOverMin) this.#exactlyMin = [];
      this.#keep(memberId, own, this.#maxQuota);
    } else {
      this.#keep(memberId, own, this.#minQuota);
      if (this.#overMinCount < this.#expectedOverMin) this.#exactlyMin.push(memberId);
    }
  }

  #keep(memberId: string, own: readonly TopicPartition[], count: number): void {
    const list = this.#assignment.get(memberId)!;
    for (const [index, partition] of own.entries()) {
      if (index >= count) this.#revoked.set(partition, memberId);
      else {
        list.push(partition);
        this.#assigned.add(partition);
      }
    }
  }

  /** Gives partitions to members of their racks; returns those that found none. */
  #assignInRacks(open: readonly TopicPartition[]): TopicPartition[] {
    const { racks } = this.#input;
    const rest: TopicPartition[] = [];
    let next = 0;
    for (const partition of open) {
      let index = racks.nextMember(partition, this.#underMin, next);
      if (index >= 0) {
        const memberId = this.#underMin[index]!;
        const count = this.#give(partition, memberId);
        if (count >= this.#minQuota) {
          removeFrom(this.#underMin, memberId);
          if (count < this.#maxQuota && this.#overMinCount < this.#expectedOverMin)
            this.#exactlyMin.push(memberId);
        } else index += 1;
        next = this.#underMin.length === 0 ? 0 : index % this.#underMin.length;
        continue;
      }
      const exact = racks.nextMember(partition, this.#exactlyMin, 0);
      if (exact < 0) {
        rest.push(partition);
        continue;
      }
      const memberId = this.#exactlyMin[exact]!;
      if (this.#give(partition, memberId) === this.#maxQuota) {
        this.#exactlyMin.splice(exact, 1);
        this.#overMinCount += 1;
        if (this.#overMinCount === this.#expectedOverMin) this.#exactlyMin = [];
      }
    }
    return rest;
  }

  #goRound(open: readonly TopicPartition[]): void {
    let turn = 0;
    for (const partition of open) {
      let memberId: string;
      if (this.#underMin.length > 0) {
        if (turn >= this.#underMin.length) turn = 0;
        memberId = this.#underMin[turn]!;
        turn += 1;
      } else memberId = this.#exactlyMin.shift()!;
      const count = this.#give(partition, memberId);
      if (count === this.#minQuota) {
        turn -= 1;
        this.#underMin.splice(turn, 1);
        this.#exactlyMin.push(memberId);
      } else if (count === this.#maxQuota) this.#overMinCount += 1;
    }
  }

  #give(partition: TopicPartition, memberId: string): number {
    const list = this.#assignment.get(memberId)!;
    list.push(partition);
    const revokedFrom = this.#revoked.get(partition);
    if ((revokedFrom !== undefined && revokedFrom !== memberId) || this.#input.claimedTwice.has(partition))
      this.#transferring.set(partition, memberId);
    return list.length;
  }
}
