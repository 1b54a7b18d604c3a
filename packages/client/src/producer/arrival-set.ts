/**
 * A set that knows its oldest member. A plain one that is emptied from the front walks over all that have left, each time that it is
 * asked for its first member. A member that has left does not come back.
 */
export class ArrivalSet<T> extends Set<T> {
  #oldest: T | undefined;
  /** Members behind `#oldest`; it sees those that are still to come. */
  #rest = this.values();

  /** Undefined when there is none. */
  get oldest(): T | undefined {
    if (this.size === 0) return (this.#oldest = undefined);
    while (this.#oldest === undefined || !this.has(this.#oldest)) {
      const { done, value } = this.#rest.next();
      if (done === true) this.#rest = this.values();
      this.#oldest = value;
    }
    return this.#oldest;
  }
}
