/**
 * Java's `PriorityQueue`: a binary heap in an array. Which of several equal elements comes out first hangs on how its
 * elements have moved, and Kafka's assignment hangs on that, so the moves are Java's.
 */
export class JavaPriorityQueue<T> {
  readonly #heap: T[] = [];
  readonly #priority: (element: T) => number;

  /** The element of the lowest priority comes first. A priority must not change while its element is in the queue. */
  constructor(priority: (element: T) => number, elements: Iterable<T>) {
    this.#priority = priority;
    for (const element of elements) this.add(element);
  }

  get size(): number {
    return this.#heap.length;
  }

  add(element: T): void {
    const heap = this.#heap;
    const priority = this.#priority(element);
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      const above = heap[parent] as T;
      if (priority >= this.#priority(above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = element;
  }

  /** Takes the first element out; undefined when there is none. */
  poll(): T | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (heap.length > 0) this.#sink(last as T);
    return first;
  }

  /** Puts an element in at the top and moves it down to its place. */
  #sink(element: T): void {
    const heap = this.#heap;
    const priority = this.#priority(element);
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      const right = child + 1;
      if (right < heap.length && this.#priorityAt(child) > this.#priorityAt(right)) child = right;
      if (priority <= this.#priorityAt(child)) break;
      heap[at] = heap[child] as T;
      at = child;
    }
    heap[at] = element;
  }

  #priorityAt(index: number): number {
    return this.#priority(this.#heap[index] as T);
  }
}
