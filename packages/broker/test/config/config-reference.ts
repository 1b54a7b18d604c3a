import {
  brokerKeys,
  clientMetricsKeys,
  groupKeys,
  keyEntries,
  topicKeys,
} from '../../src/config/catalogue.ts';
import type { ConfigKey, ConfigKeys, Validator } from '../../src/config/config-key.ts';

/** The text of docs/config.md: every key from its one declaration. */
export function configReference(): string {
  const tables = Object.entries(tablesByTitle);
  return [
    '# Configuration',
    '',
    'Generated from the declarations in `packages/broker/src/config/catalogue`; do not edit.',
    '`OTTLA_REWRITE=1 npx vitest run packages/broker/test/config` writes it again.',
    '',
    "Names, types, defaults and limits are those of Apache Kafka 4.3; `write.caching` is Ottla's own.",
    'Keys of the second kind of table are accepted, checked and described as in Kafka, but nothing acts on them yet.',
    ...tables.flatMap(([title, keys]) => table(title, honoured(keys, true))),
    ...tables.flatMap(([title, keys]) => table(`${title} without effect so far`, honoured(keys, false))),
    '',
  ].join('\n');
}

/** Names of the public keys that nothing acts on yet, for GAPS.md. */
export function namesWithoutEffect(keys: ConfigKeys): string[] {
  return honoured(keys, false).map(([name]) => name);
}

const tablesByTitle: Readonly<Record<string, ConfigKeys>> = {
  'Broker keys': brokerKeys,
  'Topic keys': topicKeys,
  'Group keys': groupKeys,
  'Client metrics keys': clientMetricsKeys,
};

function honoured(keys: ConfigKeys, wanted: boolean): [string, ConfigKey][] {
  return keyEntries(keys)
    .filter(([, key]) => !key.internal && (key.honoured ?? false) === wanted)
    .toSorted(([left], [right]) => (left < right ? -1 : 1));
}

function table(title: string, rows: readonly [string, ConfigKey][]): string[] {
  if (rows.length === 0) return [];
  const lines = rows.map(([name, key]) => {
    const allowed = key.validator === undefined ? '' : describeValidator(key.validator);
    const cells = [`\`${name}\``, key.type, defaultText(key), allowed, key.scope ?? '', key.doc];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return [
    '',
    `## ${title}`,
    '',
    '| key | type | default | allowed | dynamic | what it does |',
    '|---|---|---|---|---|---|',
    ...lines,
  ];
}

function defaultText(key: ConfigKey): string {
  if (key.default === null) return '';
  return key.default === '' ? '(empty)' : `\`${key.default}\``;
}

function describeValidator(validator: Validator): string {
  switch (validator.kind) {
    case 'range': {
      const { min, max, or } = validator;
      if (max === undefined) return `at least ${min}`;
      return `${min} to ${max}${or === undefined ? '' : ` or ${or}`}`;
    }
    case 'one-of':
      return validator.values.join(', ');
    case 'list':
      return validator.values.length === 0 ? '' : `any of ${validator.values.join(', ')}`;
    case 'non-empty':
      return 'not empty';
    case 'throttled-replicas':
      return '`*` or partition:broker, ...';
    case 'quorum-voters':
      return 'id@host:port, ...';
    case 'quorum-bootstrap-servers':
      return 'host:port, ...';
    case 'auto-offset-reset':
      return 'latest, earliest, by_duration:ISO-8601';
    case 'non-null':
      return '';
  }
}
