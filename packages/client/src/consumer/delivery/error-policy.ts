import type { Topic } from '../../topic.ts';
import type { Message } from './message.ts';

/** What `each` does when the handler of a record fails. */
export interface ErrorPolicy {
  /** Calls the handler again, `attempts` times at most, with a pause that doubles. Default: not at all. */
  readonly retry?:
    | { readonly attempts: number; readonly backoffMs?: number; readonly maxBackoffMs?: number }
    | undefined;
  /**
   * Takes the record when the handler keeps failing: a topic, which gets the record as it came with headers that say where from and why
   * (named as Spring names them), or a function. Once that has succeeded the record counts as handled and the consumer goes on. When it
   * is absent or fails, `each` ends with the error and the record is not committed.
   */
  readonly deadLetter?:
    | string
    | Pick<Topic<never, never>, 'name'>
    | ((message: Message, error: unknown) => void | Promise<void>)
    | undefined;
}
