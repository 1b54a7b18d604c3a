import { camelCase, fileOf } from './families.mjs';

const DECLARERS = {
  request: 'request',
  response: 'response',
  header: 'header',
  data: 'data',
  metadata: 'metadataRecord',
  'coordinator-key': 'coordinatorKey',
  'coordinator-value': 'coordinatorValue',
};
const NUMBER_KINDS = new Set(['int8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'float64']);

/** TypeScript sources by file name (below `messages/`) for all specs that have at least one version. */
export function declarationFiles(specs) {
  const files = new Map();
  for (const spec of specs) {
    if (spec.validVersions === 'none') continue;
    const file = fileOf(spec);
    if (!files.has(file)) files.set(file, []);
    files.get(file).push(spec);
  }
  const sources = new Map();
  for (const [file, messages] of files) sources.set(file, fileSource(file, messages.sort(byPlace)));
  return sources;
}

/** Requests before responses, then by number, keys before values. */
function byPlace(a, b) {
  return rank(a) - rank(b) || (a.apiKey ?? 0) - (b.apiKey ?? 0) || compareText(a.name, b.name);
}

function rank(spec) {
  return spec.type === 'response' ? 1 : 0;
}

function compareText(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

function fileSource(file, messages) {
  const writer = { used: new Set(), types: new Set(), constants: new Map() };
  const bodies = messages.map((spec) => messageSource(spec, writer));
  const depth = file.includes('/') ? '../..' : '..';
  const declarers = messages.map((spec) => DECLARERS[spec.type]);
  const functions = [...new Set(writer.used)].sort();
  const imports = [
    `import { ${functions.join(', ')} } from '${depth}/schema/field.ts';`,
    `import { ${[...new Set(declarers)].sort().join(', ')}, type Infer } from '${depth}/schema/message-schema.ts';`,
  ];
  if (functions.length === 0) imports.shift();
  return [...imports, '', ...bodies].join('\n');
}

function messageSource(spec, writer) {
  const name = camelCase(spec.name);
  const common = new Map((spec.commonStructs ?? []).map((one) => [one.name, one]));
  const scope = { spec, writer, common, emitted: new Map() };
  const fields = fieldsSource(spec.fields, scope);
  const facts = [
    ...(spec.apiKey === undefined ? [] : [`apiKey: ${spec.apiKey}`]),
    `versions: ${quote(spec.validVersions)}`,
    `flexible: ${quote(spec.flexibleVersions)}`,
    ...(spec.listeners === undefined ? [] : [`listeners: [${spec.listeners.map(quote).join(', ')}]`]),
    ...(spec.latestVersionUnstable === true ? ['unstable: true'] : []),
  ];
  return [
    ...scope.emitted.values(),
    `export const ${name} = ${DECLARERS[spec.type]}(${quote(spec.name)}, { ${facts.join(', ')} }, () => (${fields}));`,
    `export type ${spec.name} = Infer<typeof ${name}>;`,
    '',
  ].join('\n');
}

function fieldsSource(fields, scope) {
  if (fields.length === 0) return '{}';
  return `{\n${fields.map((field) => `${camelCase(field.name)}: ${fieldSource(field, scope)},`).join('\n')}\n}`;
}

function fieldSource(field, scope) {
  const versions = quote(field.versions ?? field.taggedVersions);
  const options = optionsSource(field);
  const isArray = field.type.startsWith('[]');
  const base = isArray ? field.type.slice(2) : field.type;
  if (base.startsWith('[]')) throw new Error(`Nested array in ${scope.spec.name}.${field.name}`);
  const isStruct = base[0] !== base[0].toLowerCase();
  const element = isStruct ? structSource(base, field, scope) : quote(base);
  const name = isArray ? 'array' : isStruct ? 'struct' : base;
  scope.writer.used.add(name);
  const args = [versions, ...(isArray || isStruct ? [element] : []), ...(options === '' ? [] : [options])];
  return `${name}(${args.join(', ')})`;
}

/** Structs declared in place stay in place; the shared ones of a message become a constant in front of it. */
function structSource(name, field, scope) {
  if (field.fields !== undefined) return fieldsSource(field.fields, scope);
  const shared = scope.common.get(name);
  if (shared === undefined) throw new Error(`${scope.spec.name}: no struct "${name}"`);
  const taken = scope.writer.constants;
  if (!scope.emitted.has(name)) {
    const constant = taken.has(camelCase(name)) ? `${camelCase(scope.spec.name)}${name}` : camelCase(name);
    taken.set(constant, scope.spec.name);
    scope.emitted.set(name, '');
    scope[`constant ${name}`] = constant;
    const fields = fieldsSource(shared.fields, scope);
    // A struct that refers to others must come after them.
    scope.emitted.delete(name);
    scope.emitted.set(name, `const ${constant} = ${fields} as const;\n`);
  }
  return scope[`constant ${name}`];
}

function optionsSource(field) {
  const options = [];
  const add = (key, value) => value !== undefined && options.push(`${key}: ${value}`);
  add('nullable', none(field.nullableVersions));
  add('default', defaultSource(field));
  add('tag', field.tag);
  add('tagged', none(field.taggedVersions));
  add('flexible', field.flexibleVersions === undefined ? undefined : quote(field.flexibleVersions));
  add('ignorable', field.ignorable === true ? 'true' : undefined);
  add('mapKey', field.mapKey === true ? 'true' : undefined);
  add('entity', field.entityType === undefined ? undefined : quote(field.entityType));
  return options.length === 0 ? '' : `{ ${options.join(', ')} }`;
}

function none(versions) {
  return versions === undefined ? undefined : quote(versions);
}

/** The default as a literal; nothing when it is what the type defaults to anyway. */
function defaultSource(field) {
  const value = field.default;
  // Kafka's own generator takes a bare null for "no default given"; only the text "null" means null.
  if (value === undefined || value === null) return undefined;
  if (value === 'null') return 'null';
  if (NUMBER_KINDS.has(field.type)) {
    const number = Number(value);
    if (Number.isNaN(number)) throw new Error(`Default "${value}" of ${field.name} is not a number`);
    if (number === 0) return undefined;
    return Math.abs(number) >= 2 ** 63 ? (number > 0 ? '2 ** 63' : '-(2 ** 63)') : String(number);
  }
  if (field.type === 'bool') return String(value) === 'true' ? 'true' : undefined;
  if (field.type === 'string') return value === '' ? undefined : quote(value);
  throw new Error(`Default "${value}" of ${field.name} (${field.type}) is not understood`);
}

function quote(text) {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
