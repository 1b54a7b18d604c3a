import { Socket } from 'node:net';

/** Who decides where a socket's bytes go. */
export interface BufferOwner {
  nextBuffer(): Buffer;
  /** Returns false to pause reading. */
  receive(buffer: Buffer, count: number): boolean;
}

/** The part of libuv's handle that Node's `net` hands from one socket object to another. */
interface StreamHandle {
  useUserBuffer?(buffer: Uint8Array): void;
}

interface SocketInternals {
  _handle: StreamHandle | null;
}

/**
 * Makes `accepted` (from a server with `pauseOnConnect`) read into buffers that `owner` provides, so that bytes go from
 * the kernel to their place without a buffer per read. `net.Server` cannot set `onread`, so the handle moves to a new
 * socket that has it. Where a runtime has no such handle, 'data' events do the same work with one allocation per read.
 *
 * A socket of this kind must not be piped or listened to for 'data'; 'end', 'close', 'drain' and writing are as usual.
 */
export function withUserBuffers(accepted: Socket, owner: BufferOwner): Socket {
  const internals = accepted as unknown as SocketInternals;
  const handle = internals._handle;
  if (handle === null || typeof handle.useUserBuffer !== 'function') return withDataEvents(accepted, owner);
  internals._handle = null;
  accepted.destroy();
  return new Socket({
    handle,
    allowHalfOpen: true,
    onread: {
      // Both are called by `net` with no arguments to spare: `buffer` once at first and again after every read.
      buffer: () => owner.nextBuffer(),
      callback: (count: number, buffer: Uint8Array) => owner.receive(buffer as Buffer, count),
    },
  } as unknown as ConstructorParameters<typeof Socket>[0]);
}

function withDataEvents(accepted: Socket, owner: BufferOwner): Socket {
  accepted.on('data', (chunk: Buffer) => {
    if (!owner.receive(chunk, chunk.length)) accepted.pause();
  });
  accepted.resume();
  return accepted;
}
