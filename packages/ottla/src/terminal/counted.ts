/** A count with its word, in the plural unless there is one: `2 batches`. */
export function counted(count: number, what: string): string {
  return `${count} ${count === 1 ? what : `${what}${what.endsWith('ch') ? 'es' : 's'}`}`;
}
