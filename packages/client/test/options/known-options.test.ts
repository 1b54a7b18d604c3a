import { expect, test } from 'vitest';
import { connect, OptionError } from '../../src/index.ts';

const ottla = connect('127.0.0.1:1');

test.each<[string, () => unknown, string]>([
  ['an option as kafkajs has it', () => connect({ brokers: ['a:1'] } as object), 'did you mean "bootstrap"?'],
  ['a mistyped option', () => connect({ bootstrp: 'a:1' } as object), 'did you mean "bootstrap"?'],
  ['a group by another name', () => ottla.consumer('t', { groupId: 'g' } as object), 'did you mean "group"?'],
  ['a producer', () => ottla.producer({ lingerms: 5 } as object), 'did you mean "lingerMs"?'],
  ['a share consumer', () => ottla.shareConsumer('t', { group: 'g', form: 1 } as never), 'there are group, '],
  [
    'a retrying consumer',
    () => ottla.retryingConsumer('t', { group: 'g', atempts: 1 } as never),
    '"attempts"?',
  ],
  [
    'what retries rule out',
    () => ottla.retryingConsumer('t', { group: 'g', commit: 'auto' } as never),
    '"commit"',
  ],
])('%s is refused by name instead of counting for nothing', (_, act, text) => {
  expect(act).toThrow(OptionError);
  expect(act).toThrow(text);
});

test('an option that is undefined is as good as absent', () => {
  expect(() => ottla.consumer('t', { groupId: undefined } as object)).not.toThrow();
});

test('a topic without a name is refused before anything is sent', async () => {
  await expect(ottla.admin().topics.create({ topic: 't' } as never)).rejects.toThrow('"undefined"');
});
