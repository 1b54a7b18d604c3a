import { expect, test } from 'vitest';
import { KafkaError, SerdeError } from '../../src/index.ts';
import { isRetriableFailure, type FailureMatch } from '../../src/retry-topics/failure-match.ts';

class Declined extends Error {}
class CardExpired extends Declined {}

const unreadable = new SerdeError('no JSON');
const wrapped = new Error('charging failed', { cause: new CardExpired('12/25') });
const circle = new Error('a');
circle.cause = new Error('b', { cause: circle });

const cases: readonly [
  string,
  unknown,
  { include?: readonly FailureMatch[]; exclude?: readonly FailureMatch[] },
  boolean,
][] = [
  ['any error', new Error('x'), {}, true],
  ['something that is no error', 'x', {}, true],
  ['bytes that cannot be read', unreadable, {}, false],
  ['bytes that cannot be read, as a cause', new Error('x', { cause: unreadable }), {}, false],
  ['bytes that cannot be read, when asked for', unreadable, { include: [SerdeError] }, true],
  ['an excluded class', new Declined('x'), { exclude: [Declined] }, false],
  ['a class below it', new CardExpired('x'), { exclude: [Declined] }, false],
  ['another class', new Error('x'), { exclude: [Declined] }, true],
  ['an excluded cause', wrapped, { exclude: [Declined] }, false],
  ['the name of a class', new CardExpired('x'), { exclude: ['CardExpired'] }, false],
  [
    "Kafka's name",
    new KafkaError('TOPIC_AUTHORIZATION_FAILED', 'x'),
    { exclude: ['TOPIC_AUTHORIZATION_FAILED'] },
    false,
  ],
  ['what is not included', new Error('x'), { include: [Declined] }, false],
  ['what is included', wrapped, { include: ['Declined', 'CardExpired'] }, true],
  ['what is both', wrapped, { include: [Declined], exclude: [CardExpired] }, false],
  ['causes in a circle', circle, { exclude: [Declined] }, true],
];

test.each(cases)('%s', (_, error, { include, exclude }, isRetriable) => {
  expect(isRetriableFailure(error, { include, exclude })).toBe(isRetriable);
});
