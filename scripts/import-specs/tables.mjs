import { camelCase, fileOf } from './families.mjs';

/** Source of `messages/index.ts`: every message exported by name. */
export function indexSource(specs) {
  const files = [...new Set(specs.map(fileOf))].sort();
  return files.map((file) => `export * from './${file}.ts';`).join('\n') + '\n';
}

/** Source of `api-keys.ts` tables: names, keys and schemas of the APIs. */
export function apiTableSource(specs) {
  const apis = specs
    .filter((spec) => spec.type === 'request')
    .map((spec) => ({ key: spec.apiKey, name: spec.name.replace(/Request$/, '') }))
    .sort((a, b) => a.key - b.key);
  const imports = apis.map(({ name }) => {
    const file = fileOf({ name: `${name}Request`, type: 'request' });
    return `import { ${camelCase(name)}Request, ${camelCase(name)}Response } from './${file}.ts';`;
  });
  return [
    ...imports,
    '',
    "/** Keys of all APIs of the protocol, by Kafka's names. */",
    'export const ApiKeys = {',
    ...apis.map(({ key, name }) => `${name}: ${key},`),
    '} as const;',
    '',
    '/** Request and response of each API, by key. */',
    'export const apiMessages = {',
    ...apis.map(
      ({ key, name }) =>
        `${key}: { name: '${name}', request: ${camelCase(name)}Request, response: ${camelCase(name)}Response },`,
    ),
    '} as const;',
    '',
  ].join('\n');
}

/** Source of `messages/all-messages.ts`: every schema in one list. */
export function allMessagesSource() {
  return [
    `import type { MessageSchema } from '../schema/message-schema.ts';`,
    `import * as messages from './index.ts';`,
    '',
    '/** Every message that is declared, for tools and tests. */',
    'export const allMessages: readonly MessageSchema<unknown>[] = Object.values(messages);',
    '',
  ].join('\n');
}

/** Source of `errors/error-codes.ts`. */
export function errorCodesSource(errors) {
  const retriable = errors.filter((error) => error.retriable).map((error) => error.code);
  return [
    "/** Kafka's error codes by name. Written by `npm run import-specs`. */",
    'export const ErrorCodes = {',
    ...errors.map(({ code, name }) => `${name}: ${code},`),
    '} as const;',
    '',
    '/** Codes whose request may succeed when it is sent again unchanged. */',
    `export const RETRIABLE_CODES: readonly number[] = [${retriable.join(', ')}];`,
    '',
  ].join('\n');
}
