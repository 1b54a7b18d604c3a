import { UsageError } from './run-on-cluster.ts';

/** What a format can show of a record. */
export interface FormattedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly keyBytes: Buffer | null;
  readonly valueBytes: Buffer | null;
  readonly headers: readonly { readonly key: string; readonly value: Buffer | null }[];
}

/** Writes a record as text. */
export type RecordFormat = (record: FormattedRecord) => string;

/** Each letter behind `%`, as kcat has them; `%k` and `%s` take `{hex}` or `{base64}`, as rpk has it. */
const fields: Readonly<Record<string, (record: FormattedRecord, encoding: BufferEncoding) => string>> = {
  t: ({ topic }) => topic,
  p: ({ partition }) => String(partition),
  o: ({ offset }) => String(offset),
  T: ({ timestamp }) => String(timestamp),
  k: ({ keyBytes }, encoding) => keyBytes?.toString(encoding) ?? '',
  s: ({ valueBytes }, encoding) => valueBytes?.toString(encoding) ?? '',
  v: ({ valueBytes }, encoding) => valueBytes?.toString(encoding) ?? '',
  K: ({ keyBytes }) => String(keyBytes?.length ?? -1),
  S: ({ valueBytes }) => String(valueBytes?.length ?? -1),
  h: ({ headers }) => headers.map(({ key, value }) => `${key}=${value?.toString() ?? 'NULL'}`).join(','),
  '%': () => '%',
};

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0', '\\': '\\' };

/**
 * Compiles a format: `%t` topic, `%p` partition, `%o` offset, `%T` timestamp, `%k` key, `%s` or `%v` value, `%K` and `%S` their lengths,
 * `%h` headers, `%%` a percent sign; `\n`, `\t` and the like.
 * @throws UsageError for a letter or encoding that does not exist
 */
export function compileFormat(text: string): RecordFormat {
  const parts: RecordFormat[] = [];
  const pattern = /%(.)(?:\{(\w+)\})?|\\(.)|[^%\\]+|[%\\]$/gs;
  for (const [whole, letter, encoding, escape] of text.matchAll(pattern)) {
    if (letter !== undefined) parts.push(fieldOf(letter, encoding));
    else {
      const plain = escape === undefined ? whole : (escapes[escape] ?? whole);
      parts.push(() => plain);
    }
  }
  return (record) => parts.map((part) => part(record)).join('');
}

function fieldOf(letter: string, encoding = 'utf8'): RecordFormat {
  const field = Object.hasOwn(fields, letter) ? fields[letter] : undefined;
  if (field === undefined)
    throw new UsageError(
      `Format "%${letter}" is unknown; there are ${Object.keys(fields)
        .map((name) => `%${name}`)
        .join(' ')}`,
    );
  if (encoding !== 'utf8' && encoding !== 'hex' && encoding !== 'base64')
    throw new UsageError(`Encoding "{${encoding}}" is unknown; there are {hex} and {base64}`);
  return (record) => field(record, encoding);
}
