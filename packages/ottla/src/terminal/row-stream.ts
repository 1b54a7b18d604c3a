import { headOf, textOf, toJson, writeOut, type Cell } from './print.ts';
import type { OutputOptions } from '../cluster/run-on-cluster.ts';

/** What a stream prints: cells in a table, and anything at all in JSON. */
export type StreamedRow = Readonly<Record<string, unknown>>;

/** So many rows are looked at before the width of the columns is decided. */
const ROWS_AT_ONCE = 200;

/**
 * Prints rows that never end, or come slowly, or are too many to hold: a table for people whose columns grow when they have to, one JSON
 * document, or one object a line.
 */
export class RowStream {
  readonly #options: OutputOptions;
  #pending: (StreamedRow | string)[] = [];
  #widths = new Map<string, number>();
  #hasHead = false;
  #count = 0;

  constructor(options: OutputOptions) {
    this.#options = options;
  }

  /** Prints a row; people get `shown` instead: the cells of a table, or a line between them. */
  async row(row: StreamedRow, shown: StreamedRow | string = row): Promise<void> {
    const { json, jsonl } = this.#options;
    if (json === true) await writeOut(`${this.#count === 0 ? '[' : ',\n'}${toJson(row)}`);
    else if (jsonl === true) await writeOut(`${toJson(row)}\n`);
    else await this.#add(shown);
    this.#count += 1;
  }

  /** What follows is a table of its own under this title, for people alone. */
  async section(title: string): Promise<void> {
    if (this.#options.json === true || this.#options.jsonl === true) return;
    await this.#flush();
    this.#widths = new Map();
    this.#hasHead = false;
    await writeOut(`${title}\n`);
  }

  async end(): Promise<void> {
    if (this.#options.json === true) await writeOut(this.#count === 0 ? '[]\n' : ']\n');
    else await this.#flush();
  }

  async #add(item: StreamedRow | string): Promise<void> {
    this.#pending.push(item);
    if (this.#pending.length >= ROWS_AT_ONCE) await this.#flush();
  }

  async #flush(): Promise<void> {
    const pending = this.#pending;
    this.#pending = [];
    const lines = pending.map((item) => (typeof item === 'string' ? item : this.#measured(item)));
    const text = lines.map((line) => {
      if (typeof line === 'string') return `${line}\n`;
      const head = this.#hasHead ? '' : this.#aligned([...line.keys()].map((name) => [name, headOf(name)]));
      this.#hasHead = true;
      return head + this.#aligned([...line]);
    });
    if (text.length > 0) await writeOut(text.join(''));
  }

  /** The cells as text; their columns become wide enough. */
  #measured(row: StreamedRow): Map<string, string> {
    const cells = new Map<string, string>();
    for (const [name, value] of Object.entries(row)) {
      const text = isCell(value) ? textOf(value) : toJson(value);
      cells.set(name, text);
      const width = Math.max(this.#widths.get(name) ?? headOf(name).length, text.length);
      this.#widths.set(name, width);
    }
    return cells;
  }

  #aligned(cells: readonly (readonly [string, string])[]): string {
    const padded = cells.map(([name, text]) => text.padEnd(this.#widths.get(name) ?? 0));
    return `${padded.join('  ').trimEnd()}\n`;
  }
}

function isCell(value: unknown): value is Cell {
  return typeof value !== 'object' || value === null || Array.isArray(value);
}
