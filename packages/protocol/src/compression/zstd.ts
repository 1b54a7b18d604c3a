import * as zlib from 'node:zlib';
import {
  lazy,
  modulePath,
  optionalModule,
  refuseCompressed,
  refuseTooLarge,
  trimmed,
  type Codec,
} from './codec.ts';
import { zstdFrames, type ZstdFrame } from './zstd-frame.ts';

const DEFAULT_LEVEL = 3;

/** Encodes and decodes single frames; the output bound comes from the frame's own headers. */
export interface ZstdEngine {
  compress(bytes: Buffer, level: number): Buffer;
  decompress(frame: Buffer, bound: number): Buffer;
}

interface ZlibWithZstd {
  readonly constants: { readonly ZSTD_c_compressionLevel: number };
  zstdCompressSync?(bytes: Buffer, options: { params: Record<number, number> }): Buffer;
  zstdDecompressSync?(bytes: Buffer, options: { maxOutputLength: number }): Buffer;
}

/** Node's own, from 22.15 on; undefined before. */
export const nodeZstdEngine = lazy((): ZstdEngine | undefined => {
  const { zstdCompressSync, zstdDecompressSync, constants } = zlib as unknown as ZlibWithZstd;
  if (zstdCompressSync === undefined || zstdDecompressSync === undefined) return undefined;
  return {
    compress: (bytes, level) =>
      zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } }),
    decompress: (frame, bound) => zstdDecompressSync(frame, { maxOutputLength: Math.max(1, bound) }),
  };
});

/** What the WebAssembly build exports once it is instantiated. */
interface WasmZstd {
  HEAPU8: Uint8Array;
  _malloc(size: number): number;
  _free(pointer: number): void;
  _compressBound(size: number): number;
  _compress(to: number, toSize: number, from: number, fromSize: number, level: number): number;
  _decompress(to: number, toSize: number, from: number, fromSize: number): number;
}

type WasmFactory = (module: object) => unknown;

/** The reference library as WebAssembly, for Node versions without their own. */
export const wasmZstdEngine = lazy((): ZstdEngine => {
  const wasm = instantiate();
  return {
    compress: (bytes, level) => {
      const bound = wasm._compressBound(bytes.length);
      return run(wasm, bytes, bound, (to, from) => wasm._compress(to, bound, from, bytes.length, level));
    },
    decompress: (frame, bound) =>
      run(wasm, frame, bound, (to, from) => wasm._decompress(to, bound, from, frame.length)),
  };
});

/**
 * Instantiates synchronously, at the first use: the package's own entry does it asynchronously, and too late for a
 * broker that must answer. Reading the module's code counts as loading a module, hence the file access in a package
 * that has none otherwise.
 */
function instantiate(): WasmZstd {
  const factory = optionalModule<WasmFactory>('@foxglove/wasm-zstd/dist/wasm-zstd.js');
  const fs = optionalModule<{ readFileSync(path: string): Buffer }>('node:fs');
  if (factory === undefined || fs === undefined) {
    return refuseCompressed('zstd', 'The package "@foxglove/wasm-zstd" is not installed');
  }
  const code = fs.readFileSync(modulePath('@foxglove/wasm-zstd/dist/wasm-zstd.wasm'));
  const module = {
    instantiateWasm(imports: object, receive: (instance: object) => void): object {
      const { Instance, Module } = webAssembly();
      const instance = new Instance(new Module(code), imports);
      receive(instance);
      return instance.exports;
    },
  };
  factory(module);
  return module as unknown as WasmZstd;
}

interface WebAssemblyApi {
  readonly Module: new (code: Buffer) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}

/** The global, whose types are part of the browser's library and not of Node's. */
function webAssembly(): WebAssemblyApi {
  return (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
}

function run(
  wasm: WasmZstd,
  input: Buffer,
  outputBytes: number,
  call: (to: number, from: number) => number,
): Buffer {
  const from = wasm._malloc(Math.max(1, input.length));
  const to = wasm._malloc(Math.max(1, outputBytes));
  try {
    if (from === 0 || to === 0) refuseCompressed('zstd', `No memory for ${outputBytes} bytes`);
    wasm.HEAPU8.set(input, from);
    const size = call(to, from);
    if (size < 0) refuseCompressed('zstd', 'Frame is malformed or larger than it says');
    return Buffer.from(wasm.HEAPU8.subarray(to, to + size));
  } finally {
    wasm._free(from);
    wasm._free(to);
  }
}

/** Zstandard over one of its engines, which is asked for at the first use. */
export function zstdCodec(engine: () => ZstdEngine): Codec {
  return {
    compress: (bytes, level = DEFAULT_LEVEL) => engine().compress(bytes, level),
    decompress: (bytes, maxBytes) => decompressFrames(engine(), bytes, maxBytes),
  };
}

export const zstd = zstdCodec(() => nodeZstdEngine() ?? wasmZstdEngine());

/** Frame by frame: not every engine goes on after the first. */
function decompressFrames(engine: ZstdEngine, bytes: Buffer, maxBytes: number): Buffer {
  const parts: Buffer[] = [];
  let total = 0;
  for (const frame of zstdFrames(bytes)) {
    if (frame.skippable) continue;
    const part = decompressFrame(engine, bytes, frame, maxBytes - total);
    parts.push(part);
    total += part.length;
  }
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts, total);
}

// oxlint-disable-next-line max-params -- the leaf of the loop above
function decompressFrame(engine: ZstdEngine, bytes: Buffer, frame: ZstdFrame, rest: number): Buffer {
  const bound = Math.min(frame.bound, rest);
  try {
    const part = engine.decompress(bytes.subarray(frame.start, frame.end), bound);
    return trimmed(part, part.length);
  } catch (error) {
    if (frame.bound > rest) return refuseTooLarge('zstd', rest);
    return refuseCompressed('zstd', (error as Error).message, frame.start);
  }
}
