import type { Server, Socket } from 'node:net';
import { libc } from './node-libc.ts';

/** Bytes of the kernel's buffers for a socket; -1 leaves one to the system, which then grows it with the connection. */
export interface SocketBuffers {
  readonly sendBytes: number;
  readonly receiveBytes: number;
}

const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;

/**
 * Sets SO_SNDBUF and SO_RCVBUF, which Node.js offers for UDP only; what a listening socket has, the accepted ones inherit.
 * False where it cannot be done (see `libc`): the system decides then.
 */
export function setSocketBuffers(
  socket: Server | Socket,
  { sendBytes, receiveBytes }: SocketBuffers,
): boolean {
  if (sendBytes < 0 && receiveBytes < 0) return true;
  const descriptor = (socket as unknown as { readonly _handle: { readonly fd?: number } | null })._handle?.fd;
  const setsockopt = libc()?.func(
    'int setsockopt(int fd, int level, int name, const void *value, uint32_t length)',
  );
  if (setsockopt === undefined || descriptor === undefined) return false;
  const set = (name: number, bytes: number): boolean => {
    if (bytes < 0) return true;
    const value = Buffer.alloc(4);
    value.writeInt32LE(bytes, 0);
    return setsockopt(descriptor, SOL_SOCKET, name, value, value.length) === 0;
  };
  return [set(SO_SNDBUF, sendBytes), set(SO_RCVBUF, receiveBytes)].every(Boolean);
}
