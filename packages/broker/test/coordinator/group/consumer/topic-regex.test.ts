import { ErrorCodes } from '@ottla/protocol';
import { expect, it } from 'vitest';
import { requireValidRegex } from '../../../../src/coordinator/group/consumer/topic-regex.ts';

/** What Apache Kafka 4.3.1 tells a consumer, which shows it to its user. */
it.each([
  ['(', 'missing closing )'],
  ['[a', 'missing closing ]'],
  ['*a', 'missing argument to repetition operator'],
  ['a{2000}', 'invalid repeat count'],
  ['[z-a]', 'invalid character class range'],
])('%s is refused with the words of Kafka', (regex, reason) => {
  expect(() => requireValidRegex(regex)).toThrow(
    expect.objectContaining({
      code: ErrorCodes.INVALID_REGULAR_EXPRESSION,
      message: `SubscribedTopicRegex \`${regex}\` is not a valid regular expression: ${reason}.`,
    }),
  );
});
