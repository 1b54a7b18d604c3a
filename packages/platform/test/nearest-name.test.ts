import { expect, test } from 'vitest';
import { nearestName } from '../src/index.ts';

test.each([
  ['strat', 'start'],
  ['topic', 'topics'],
  ['prodcue', 'produce'],
  ['acl', 'acls'],
  ['start', 'start'],
  ['version', null],
  ['ab', null],
])('%s was meant to be %s', (name, meant) => {
  expect(nearestName(name, ['start', 'topics', 'produce', 'acls', 'consume', 'ba'])).toBe(meant);
});
