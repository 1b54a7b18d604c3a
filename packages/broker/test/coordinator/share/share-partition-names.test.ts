import { expect, test } from 'vitest';
import { isSharePartitionName } from '../../../src/coordinator/share/share-states.ts';

const ID = 'AAAAAAAAAAAAAAAAAAAAAQ';

/** What Kafka 4.3.1 looks for the coordinator of. */
test.each([`g:${ID}:0`, `g:${ID}:-1`, `g:${ID}:+1`, `a:b:${ID}:7`])(
  '"%s" names a share partition',
  (name) => {
    expect(isSharePartitionName(name)).toBe(true);
  },
);

/** What it answers INVALID_REQUEST for. */
test.each([
  'nonsense',
  `:${ID}:1`,
  'g:AAAA:1',
  `g:${ID}:1:2`,
  `g: ${ID}:1`,
  `g:${ID}: 1`,
  `g:${ID}:99999999999`,
])('"%s" names none', (name) => {
  expect(isSharePartitionName(name)).toBe(false);
});
