/**
 * Which of a partition's records are still being handled, when they finish in any order. Only what lies before the first
 * unfinished one may be committed.
 *
 * ```
 * offsets   10  11  12  15  16        (13 and 14 were compacted away)
 * finished   x       x       x        firstPending = 11
 * ```
 *
 * After a seek back an offset may be there twice, so what is begun has a ticket of its own.
 */
export class OffsetTracker {
  /** In the order in which they were begun, which is that of the offsets. */
  #offsets: number[] = [];
  #head = 0;
  /** The ticket of the first of them. */
  #firstTicket = 0;
  readonly #finished = new Set<number>();

  /** The lowest offset that is not finished; -1 when there is none. */
  get firstPending(): number {
    return this.#offsets[this.#head] ?? -1;
  }

  /** Returns the ticket for `finish`. */
  begin(offset: number): number {
    this.#offsets.push(offset);
    return this.#firstTicket + this.#offsets.length - 1;
  }

  finish(ticket: number): void {
    this.#finished.add(ticket);
    while (this.#head < this.#offsets.length && this.#finished.delete(this.#firstTicket + this.#head))
      this.#head += 1;
    if (this.#head === this.#offsets.length || this.#head > 1024) {
      this.#firstTicket += this.#head;
      this.#offsets = this.#offsets.slice(this.#head);
      this.#head = 0;
    }
  }
}
