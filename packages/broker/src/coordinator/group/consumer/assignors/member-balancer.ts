/**
 * Finds the least and the most loaded of some members while partitions move between them. It looks at loads level by level:
 *
 *     sorted by load     m3 m0 | m5 m1 m2 m4 | m6 m7
 *                        least ^             ^ most
 *                        members at or below   members at or above
 *
 * and hands out the members of a level in turn, before it goes on to the next level. `loads` is changed by the caller.
 */
export class MemberBalancer {
  readonly #loads: Int32Array;
  #sorted: number[] = [];
  #leastEnd = 0;
  #leastLoad = -1;
  #nextLeast = 0;
  #mostStart = 0;
  #mostEnd = 0;
  #mostLoad = 1;
  #nextMost = -1;

  constructor(loads: Int32Array) {
    this.#loads = loads;
  }

  /** Starts anew with these members, of which there is at least one; returns the difference between most and least loaded. */
  initialize(members: readonly number[]): number {
    this.#sorted = members.toSorted((left, right) => this.#load(left) - this.#load(right) || left - right);
    const count = this.#sorted.length;
    const least = this.#loadAt(0);
    const most = this.#loadAt(count - 1);
    this.#leastEnd = 0;
    this.#leastLoad = least - 1;
    this.#nextLeast = 0;
    this.#mostStart = count;
    this.#mostEnd = count;
    this.#mostLoad = most + 1;
    this.#nextMost = count - 1;
    return most - least;
  }

  nextLeastLoaded(): number {
    if (this.#nextLeast >= this.#leastEnd) {
      this.#leastLoad++;
      while (this.#leastEnd < this.#sorted.length && this.#loadAt(this.#leastEnd) === this.#leastLoad) {
        this.#leastEnd++;
      }
      this.#nextLeast = 0;
    }
    return this.#at(this.#nextLeast++);
  }

  /** -1 when there is none left. */
  nextMostLoaded(): number {
    if (this.#nextMost < this.#mostStart) {
      if (this.#mostEnd <= this.#mostStart && this.#mostStart > 0) {
        this.#mostLoad = this.#loadAt(this.#mostStart - 1);
      } else {
        this.#mostLoad--;
      }
      while (this.#mostStart > 0 && this.#loadAt(this.#mostStart - 1) === this.#mostLoad) this.#mostStart--;
      this.#nextMost = this.#mostEnd - 1;
    }
    return this.#nextMost < 0 ? -1 : this.#at(this.#nextMost--);
  }

  /** The member that `nextMostLoaded` gave last has nothing to give: it is not asked again. */
  excludeMostLoaded(): void {
    const excluded = this.#at(this.#nextMost + 1);
    this.#sorted[this.#nextMost + 1] = this.#at(this.#mostEnd - 1);
    this.#sorted[this.#mostEnd - 1] = excluded;
    this.#mostEnd--;
  }

  isBalanced(): boolean {
    return this.#mostLoad - this.#leastLoad <= 1;
  }

  #at(position: number): number {
    return this.#sorted[position] ?? -1;
  }

  #load(member: number): number {
    return this.#loads[member] ?? 0;
  }

  #loadAt(position: number): number {
    return this.#load(this.#at(position));
  }
}
