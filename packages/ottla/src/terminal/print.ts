import type { OutputOptions } from '../cluster/run-on-cluster.ts';

/** A value in a row; lists are joined by commas in a table. */
export type Cell = string | number | boolean | bigint | null | undefined | readonly (string | number)[];

export type Row = Readonly<Record<string, Cell>>;

/** Prints rows as asked for: a table for people, one JSON document, or one object a line. */
export async function printRows(rows: readonly Row[], options: OutputOptions): Promise<void> {
  if (options.json === true) return void process.stdout.write(`${toJson(rows)}\n`);
  if (options.jsonl === true)
    return void process.stdout.write(rows.map((row) => `${toJson(row)}\n`).join(''));
  if (rows.length === 0) return;
  const { default: Table } = await import('cli-table3');
  const names = Object.keys(rows[0]!);
  const table = new Table({
    head: names.map(headOf),
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
  for (const row of rows) table.push(names.map((name) => textOf(row[name])));
  const lines = table.toString().split('\n');
  process.stdout.write(lines.map((line) => `${line.trimEnd()}\n`).join(''));
}

/** Writes to stdout; resolves when there is room for more. */
export async function writeOut(text: string): Promise<void> {
  if (!process.stdout.write(text)) await new Promise((resolve) => process.stdout.once('drain', resolve));
}

/** A timestamp as people read it, in UTC; null when there is none or it is beyond the calendar. */
export function timeText(timestampMs: number): string | null {
  const isDate = timestampMs >= 0 && timestampMs <= MAX_DATE_MS;
  return isDate ? new Date(timestampMs).toISOString() : null;
}

/** The last moment that a JavaScript date can name. */
const MAX_DATE_MS = 8_640_000_000_000_000;

/** JSON; bigints are text, since JSON has no exact ones. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? each.toString() : each));
}

/** Columns stand apart by spaces alone, so that other programs can cut them. */
const NO_LINES = Object.fromEntries([
  ['middle', ''],
  ...['top', 'bottom', 'left', 'right', 'mid'].flatMap((side) =>
    ['', '-mid', '-left', '-right'].map((part) => [`${side}${part}`, '']),
  ),
]);

/** The head of a column. */
export function headOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter}`).toUpperCase();
}

/** A cell as people read it. */
export function textOf(cell: Cell): string {
  if (cell === null || cell === undefined) return '-';
  return Array.isArray(cell) ? cell.join(',') : String(cell);
}
