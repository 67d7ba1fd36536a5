// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

const PAGE_BYTES = 64 << 10;

/**
 * A WebAssembly module with one function over a shared memory of 1024 pages that it imports:
 *
 *     (module (import "e" "m" (memory 1024 1024 shared))
 *       (func (export "c") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2))))
 */
const copyModule = new Uint8Array([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 7, 1, 0x60, 3, 0x7f, 0x7f, 0x7f, 0],
  ...[2, 11, 1, 1, 0x65, 1, 0x6d, 2, 3, 0x80, 8, 0x80, 8],
  ...[3, 2, 1, 0],
  ...[7, 5, 1, 1, 0x63, 0, 0],
  ...[10, 14, 1, 12, 0, 0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 10, 0, 0, 0x0b],
]);
/** What is used of WebAssembly, which Node's types leave to those of browsers. */
interface WebAssemblyParts {
  readonly Memory: new (size: { initial: number; maximum: number; shared: true }) => {
    readonly buffer: SharedArrayBuffer;
  };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: { readonly c: SharedMemory['copy'] } };
}

/** How much memory that module works on. */
const MODULE_BYTES = 1024 * PAGE_BYTES;

/**
 * Memory that threads share, all zeroes at first; the kernel gives a page of it when it is first written.
 *
 * JavaScript copies shared memory byte by byte wherever source and target are not aligned alike, which takes ten times as
 * long as memory.copy of WebAssembly. So the memory is one of WebAssembly's, where there is WebAssembly.
 */
export interface SharedMemory {
  readonly shared: SharedArrayBuffer;
  /** Copies within the memory; offsets and length in bytes. */
  readonly copy: (to: number, from: number, length: number) => void;
}

/** @throws RangeError when there is no room in the process's address space, ReferenceError without SharedArrayBuffer */
export function createSharedMemory(bytes: number): SharedMemory {
  const { WebAssembly } = globalThis as { WebAssembly?: WebAssemblyParts };
  if (bytes !== MODULE_BYTES || !WebAssembly) return plainMemory(bytes);
  try {
    return webAssemblyMemory(WebAssembly);
  } catch {
    // Its memory takes gigabytes of address space, which may be limited. The other kind works as well, if slower.
    return plainMemory(bytes);
  }
}

function webAssemblyMemory({ Memory, Module, Instance }: WebAssemblyParts): SharedMemory {
  const pages = MODULE_BYTES / PAGE_BYTES;
  const memory = new Memory({ initial: pages, maximum: pages, shared: true });
  const { exports } = new Instance(new Module(copyModule), { e: { m: memory } });
  return { shared: memory.buffer, copy: exports.c };
}

function plainMemory(bytes: number): SharedMemory {
  const shared = new SharedArrayBuffer(bytes);
  const all = new Uint8Array(shared);
  return { shared, copy: (to, from, length) => void all.copyWithin(to, from, from + length) };
}
