/** Text that is no properties file; the message names the line. */
export class PropertiesError extends Error {
  override readonly name = 'PropertiesError';
}

/**
 * Reads text in the syntax of Java's `Properties.load`: `#` and `!` comments, `=`, `:` or white space between key and
 * value, a backslash at the end of a line continues it, `\t \n \r \f \uXXXX` escapes. A later key wins.
 * @throws PropertiesError for a malformed `\u` escape, with the line number
 */
export function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>();
  for (const { line, number } of logicalLines(text)) {
    const { key, value } = splitLine(line);
    properties.set(unescape(key, number), unescape(value, number));
  }
  return properties;
}

interface LogicalLine {
  readonly line: string;
  /** Of its first natural line, from 1. */
  readonly number: number;
}

/** Lines without comments and blank ones, continuations joined and leading white space dropped. */
function* logicalLines(text: string): Generator<LogicalLine> {
  const natural = text.split(/\r\n|\n|\r/);
  for (let index = 0; index < natural.length; index += 1) {
    const number = index + 1;
    let line = stripLeadingSpace(natural[index] ?? '');
    if (line === '' || line.startsWith('#') || line.startsWith('!')) continue;
    while (endsInContinuation(line)) {
      index += 1;
      line = line.slice(0, -1) + stripLeadingSpace(natural[index] ?? '');
      if (index >= natural.length) break;
    }
    if (line !== '') yield { line, number };
  }
}

function stripLeadingSpace(line: string): string {
  return line.replace(/^[ \t\f]+/, '');
}

/** An odd number of backslashes at the end: the last one is no escaped backslash. */
function endsInContinuation(line: string): boolean {
  const backslashes = /\\+$/.exec(line)?.[0].length ?? 0;
  return backslashes % 2 === 1;
}

function splitLine(line: string): { key: string; value: string } {
  let end = 0;
  while (end < line.length && !/[=: \t\f]/.test(line.charAt(end))) end += line.charAt(end) === '\\' ? 2 : 1;
  const rest = line.slice(end).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '');
  return { key: line.slice(0, end), value: rest };
}

const escapes: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

function unescape(text: string, lineNumber: number): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|[^])?/g, (_, escaped: string | undefined) => {
    if (escaped === undefined) return '';
    if (escaped === 'u')
      throw new PropertiesError(`Malformed \\u escape in line ${lineNumber}: expected four hex digits`);
    if (escaped.length === 5) return String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    return escapes[escaped] ?? escaped;
  });
}
