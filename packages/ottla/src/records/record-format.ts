import { UsageError } from '../cluster/run-on-cluster.ts';

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

interface Form {
  readonly encoding: BufferEncoding;
  readonly whenNull: string;
}

/** Each letter behind `%`, as kcat has them; `%k` and `%s` take `{hex}` or `{base64}`, as rpk has it. */
const fields: Readonly<Record<string, (record: FormattedRecord, form: Form) => string>> = {
  t: ({ topic }) => topic,
  p: ({ partition }) => String(partition),
  o: ({ offset }) => String(offset),
  T: ({ timestamp }) => String(timestamp),
  k: ({ keyBytes }, form) => keyBytes?.toString(form.encoding) ?? form.whenNull,
  s: ({ valueBytes }, form) => valueBytes?.toString(form.encoding) ?? form.whenNull,
  v: ({ valueBytes }, form) => valueBytes?.toString(form.encoding) ?? form.whenNull,
  K: ({ keyBytes }) => String(keyBytes?.length ?? -1),
  S: ({ valueBytes }) => String(valueBytes?.length ?? -1),
  h: ({ headers }) => headers.map(({ key, value }) => `${key}=${value?.toString() ?? 'NULL'}`).join(','),
  '%': () => '%',
};

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0', '\\': '\\' };

/** Text with `\\n`, `\\t` and the like, which shells pass on as they are, in the meaning of C. */
export function unescape(text: string): string {
  return text.replace(/\\(.)/gs, (whole, letter: string) => escapes[letter] ?? whole);
}

/**
 * Compiles a format: `%t` topic, `%p` partition, `%o` offset, `%T` timestamp, `%k` key, `%s` or `%v` value, `%K` and `%S` their lengths,
 * `%h` headers, `%%` a percent sign; `\n`, `\t` and the like. `whenNull` stands for a key or value that is not there.
 * @throws UsageError for a letter or encoding that does not exist
 */
export function compileFormat(text: string, whenNull = ''): RecordFormat {
  const parts: RecordFormat[] = [];
  const pattern = /%(.)(?:\{(\w+)\})?|\\(.)|[^%\\]+|[%\\]$/gs;
  for (const [whole, letter, encoding, escape] of text.matchAll(pattern)) {
    if (letter !== undefined) parts.push(fieldOf(letter, { encoding, whenNull }));
    else {
      const plain = escape === undefined ? whole : (escapes[escape] ?? whole);
      parts.push(() => plain);
    }
  }
  return (record) => parts.map((part) => part(record)).join('');
}

function fieldOf(
  letter: string,
  { encoding = 'utf8', whenNull }: { encoding: string | undefined; whenNull: string },
): RecordFormat {
  const field = Object.hasOwn(fields, letter) ? fields[letter] : undefined;
  if (field === undefined)
    throw new UsageError(
      `Format "%${letter}" is unknown; there are ${Object.keys(fields)
        .map((name) => `%${name}`)
        .join(' ')}`,
    );
  if (encoding !== 'utf8' && encoding !== 'hex' && encoding !== 'base64')
    throw new UsageError(`Encoding "{${encoding}}" is unknown; there are {hex} and {base64}`);
  return (record) => field(record, { encoding, whenNull });
}
