import { createRequire } from 'node:module';

type NativeFunction = (...args: unknown[]) => number;

/** Functions of the C library that Node.js does not offer. */
export interface Libc {
  readonly func: (prototype: string) => NativeFunction;
  /** Where the memory of a buffer begins; it stays there as long as the buffer lives. */
  readonly addressOf: (memory: ArrayBufferLike) => bigint;
}

/** The part of `koffi` that is used here. */
interface Koffi {
  load(path: null): { func(prototype: string): NativeFunction };
  address(memory: ArrayBufferLike): bigint;
}

/** Linux on machines where an `off_t` and a pointer have 64 bits, little-endian. */
const KNOWN_MACHINES: ReadonlySet<string> = new Set(['x64', 'arm64', 'riscv64', 'loong64']);

let loaded: Libc | null | undefined;

/**
 * The C library of Linux through the optional package `koffi`; null on other systems, or without the package. Loaded when
 * it is first asked for, which takes about 13 ms.
 */
export function libc(): Libc | null {
  return (loaded ??= load());
}

function load(): Libc | null {
  if (process.platform !== 'linux' || !KNOWN_MACHINES.has(process.arch)) return null;
  try {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    const library = koffi.load(null);
    return {
      func: (prototype) => library.func(prototype),
      addressOf: (memory) => koffi.address(memory),
    };
  } catch {
    return null;
  }
}
