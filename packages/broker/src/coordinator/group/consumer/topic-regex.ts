import { ErrorCodes } from '@ottla/protocol';
import { RE2JS, RE2JSSyntaxException } from 're2js';
import { CoordinatorError } from '../../runtime/coordinator-error.ts';

/**
 * Regular expressions of subscriptions, in RE2's syntax as in Kafka: matching takes time linear in the topic's name, whatever
 * the expression, and the whole name has to match.
 */
export function matchTopics(
  regexes: Iterable<string>,
  topicNames: Iterable<string>,
): Map<string, Set<string>> {
  const compiled = Array.from(regexes, (regex) => ({
    regex,
    pattern: compile(regex),
    topics: new Set<string>(),
  }));
  for (const name of topicNames) {
    for (const { pattern, topics } of compiled) if (pattern?.testExact(name) === true) topics.add(name);
  }
  return new Map(compiled.map(({ regex, topics }) => [regex, topics]));
}

/**
 * Refuses what is no regular expression.
 * @throws CoordinatorError INVALID_REGULAR_EXPRESSION
 */
export function requireValidRegex(regex: string): void {
  try {
    RE2JS.compile(regex);
  } catch (failure) {
    // As in Kafka: what is wrong, without the expression once more.
    const reason = failure instanceof RE2JSSyntaxException ? failure.getDescription() : String(failure);
    throw new CoordinatorError(
      ErrorCodes.INVALID_REGULAR_EXPRESSION,
      `SubscribedTopicRegex \`${regex}\` is not a valid regular expression: ${reason}.`,
    );
  }
}

/** Null for one that an older version let in: it matches nothing. */
function compile(regex: string): RE2JS | null {
  try {
    return RE2JS.compile(regex);
  } catch {
    return null;
  }
}
