/** An error that looks like Node's own, since callers tell them apart by `code`. */
export function diskError(code: string, operation: string, path: string): NodeJS.ErrnoException {
  const error: NodeJS.ErrnoException = new Error(`${code}: in memory, ${operation} '${path}'`);
  error.code = code;
  error.syscall = operation;
  error.path = path;
  return error;
}

/** The names along a path; a leading or doubled slash means nothing. */
export function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '');
}

/** The folder that holds what a path names. */
export function parentPath(path: string): string {
  return `/${partsOf(path).slice(0, -1).join('/')}`;
}
