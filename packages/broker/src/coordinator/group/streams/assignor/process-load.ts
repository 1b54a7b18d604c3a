import { javaHashOrderOfStrings } from '../../modern/java-hash-order.ts';
import { JavaPriorityQueue } from './java-priority-queue.ts';

/** A task that is handed out. One object stands for each, so that they can be compared. */
export interface Task {
  readonly subtopologyId: string;
  readonly partition: number;
}

/** A member while tasks are handed out. */
export interface MemberLoad {
  readonly memberId: string;
  readonly owner: ProcessLoad;
  readonly active: Task[];
  readonly standby: Task[];
  taskCount: number;
}

/** A process, its members, and the tasks that they have been given. A process gets each task once. */
export class ProcessLoad {
  readonly members = new Map<string, MemberLoad>();
  readonly #tasks = new Set<Task>();
  /** The members by load, while nothing was given to one of them by name. */
  #queue: JavaPriorityQueue<MemberLoad> | null = null;
  #taskCount = 0;

  addMember(memberId: string): MemberLoad {
    const member = { memberId, owner: this, active: [], standby: [], taskCount: 0 };
    this.members.set(memberId, member);
    return member;
  }

  /** Tasks per member. */
  get load(): number {
    return this.members.size === 0 ? -1 : this.#taskCount / this.members.size;
  }

  hasTask(task: Task): boolean {
    return this.#tasks.has(task);
  }

  /** Gives a task to a member; returns how many it has then. */
  give(member: MemberLoad, task: Task, role: 'active' | 'standby'): number {
    this.#queue = null;
    return this.#give(member, task, role);
  }

  /** Gives a task to the member that has the fewest; returns how many it has then. */
  giveToLeastLoaded(task: Task, role: 'active' | 'standby'): number {
    const [only] = this.members.values();
    if (only !== undefined && this.members.size === 1) return this.#give(only, task, role);
    this.#queue ??= new JavaPriorityQueue(({ taskCount }) => taskCount, this.#membersInJavaOrder());
    const member = this.#queue.poll();
    if (member === undefined) throw new Error('A process without members is given a task');
    const count = this.#give(member, task, role);
    this.#queue.add(member);
    return count;
  }

  #give(member: MemberLoad, task: Task, role: 'active' | 'standby'): number {
    this.#taskCount++;
    this.#tasks.add(task);
    member[role].push(task);
    return ++member.taskCount;
  }

  *#membersInJavaOrder(): Iterable<MemberLoad> {
    for (const memberId of javaHashOrderOfStrings(this.members.keys())) {
      const member = this.members.get(memberId);
      if (member !== undefined) yield member;
    }
  }
}
