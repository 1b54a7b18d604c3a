import { ConfigError } from '@ottla/broker';

/** One line for the user about why the broker did not start: what is wrong and what to do. Never a stack. */
export function startupErrorLine(error: unknown): string {
  if (!(error instanceof Error)) return `Could not start: ${String(error)}`;
  if (error instanceof ConfigError && error.remedy !== null) return `${error.message}. ${error.remedy}`;
  const { code, address, port, path } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  switch (code) {
    case 'EADDRINUSE':
      return (
        `Port ${port} on ${address || 'this machine'} is already in use: stop the process that holds it, ` +
        `or choose another with --override listeners=PLAINTEXT://127.0.0.1:${(port ?? 9092) + 100}`
      );
    case 'EADDRNOTAVAIL':
      return `Address ${address} is not one of this machine: change "listeners"`;
    case 'ENOTFOUND':
      return `The host of a listener cannot be resolved: ${firstLine(error.message)}`;
    case 'EACCES':
    case 'EPERM':
      return port === undefined
        ? `No permission for "${path}": run as its owner or choose other "log.dirs"`
        : `No permission to listen on port ${port}: choose one above 1023 in "listeners"`;
    case 'ENOSPC':
      return `No space left for "${path ?? 'the log directory'}": free some or choose other "log.dirs"`;
    case 'EMFILE':
    case 'ENFILE':
      return (
        `Too many open files, at "${path ?? 'a connection'}": raise the limit (ulimit -n, LimitNOFILE of systemd) above ` +
        'one for each partition and connection'
      );
    default:
      return firstLine(error.message);
  }
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}
