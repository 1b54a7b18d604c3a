import { libc, type Libc } from './node-libc.ts';

/** Like `pread`, but never waits for the disk: how many bytes the page cache had; -1 when none, or on any error. */
// oxlint-disable-next-line max-params -- mirrors the system call
export type PageCacheRead = (
  fd: number,
  target: Buffer,
  targetOffset: number,
  length: number,
  position: number,
) => number;

/** `read_flags` of `preadv2` (Linux 4.14): an error instead of a wait. */
const RWF_NOWAIT = 8;

let loaded: PageCacheRead | null | undefined;

/** `preadv2` with RWF_NOWAIT; null where it is not to be had. */
export function pageCacheRead(): PageCacheRead | null {
  return (loaded ??= load());
}

function load(): PageCacheRead | null {
  const library = libc();
  try {
    return library === null ? null : readerWith(library);
  } catch {
    // An older C library does not know the call.
    return null;
  }
}

function readerWith(library: Libc): PageCacheRead {
  const preadv2 = library.func(
    'int64_t preadv2(int fd, const void *iov, int iovcnt, int64_t offset, int flags)',
  );
  const addresses = new WeakMap<ArrayBufferLike, bigint>();
  /** A `struct iovec`: two words of 64 bits. */
  const iovec = Buffer.alloc(16);
  // oxlint-disable-next-line max-params -- as above
  return (fd, target, targetOffset, length, position) => {
    if (targetOffset < 0 || length < 0 || targetOffset + length > target.length)
      throw new RangeError(`${length} bytes at ${targetOffset} do not fit into ${target.length} bytes`);
    let address = addresses.get(target.buffer);
    if (address === undefined) addresses.set(target.buffer, (address = library.addressOf(target.buffer)));
    iovec.writeBigUInt64LE(address + BigInt(target.byteOffset + targetOffset), 0);
    iovec.writeUInt32LE(length, 8);
    // Every failure means the same here: whoever reads through the thread pool then gets the reason.
    return preadv2(fd, iovec, 1, position, RWF_NOWAIT);
  };
}
