// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { promiseOf, type Steps } from '../../../../../src/disks/drivers/vhd/steps.js';
import { Header } from '../../../../../src/disks/drivers/vhd/header.js';
import { Footer } from '../../../../../src/disks/drivers/vhd/footer.js';
import { checkChain, type CheckOptions } from '../../../../../src/disks/drivers/vhd/tools/check.js';
import type { DiskCalls } from '../../../../../src/disks/drivers/vhd/disk.js';
import { SECTOR_SIZE } from '../../../../../src/disks/index.js';
import type { FileWorld } from '../../../../testing/files/fixture.js';
import { LEAF, open, worldWith, write } from '../order-world.js';
import { simulated, simulatedCalls, tagged } from '../sim-disk.js';
import { stateCalls } from '../state-files.js';

export const link = { sectors: 64, blockSectors: 16 };
export const PARENT = '/d/parent0.vhd';

/** A parent and a child with four blocks each, of which the child has written the second and a part of the third. */
export async function family(): Promise<FileWorld> {
  const world = worldWith([link, link]);
  const disk = await open(world);
  await write(world, disk, 16, tagged(18, 1));
  await simulated(world, disk.close());
  return world;
}

/** Runs a tool in the world. */
export function run<T>(world: FileWorld, tool: (calls: DiskCalls) => Steps<T>): Promise<T> {
  return simulated(world, tool(simulatedCalls(world)));
}

/** What `vhd check` finds in an image as it is: `warning bad-footer: footer uuid: it is all zeroes`. */
export async function findings(
  world: FileWorld,
  path: string,
  options: CheckOptions = {},
): Promise<readonly string[]> {
  const result = await promiseOf(checkChain(stateCalls(world.files.system), path, options));
  return result.findings.map(
    ({ severity, kind, field, problem }) => `${severity} ${kind}: ${field}: ${problem}`,
  );
}

/** Changes bytes of a file. */
export function patch(world: FileWorld, path: string, change: (bytes: Uint8Array) => void): void {
  const bytes = world.files.contents(path).slice();
  change(bytes);
  world.files.put(path, bytes);
}

/** Changes both footers, with right checksums. */
export function patchFooters(world: FileWorld, path: string, change: (fields: DataView) => void): void {
  patch(world, path, (bytes) => {
    const end = bytes.length - SECTOR_SIZE;
    const footer = bytes.slice(end);
    change(new DataView(footer.buffer));
    const changed = new Footer(footer).with({}).bytes;
    bytes.set(changed, end);
    if (footerAt(bytes, end).type !== 2) bytes.set(changed, 0);
  });
}

function footerAt(bytes: Uint8Array, at: number): Footer {
  return new Footer(bytes.slice(at, at + SECTOR_SIZE));
}

/** The footer at the end of a file. */
export function endFooterOf(world: FileWorld, path: string): Footer {
  const bytes = world.files.contents(path);
  return footerAt(bytes, bytes.length - SECTOR_SIZE);
}

/** The header that the footer leads to. */
export function headerOf(world: FileWorld, path: string): Header {
  const { dataOffset } = endFooterOf(world, path);
  return new Header(world.files.contents(path).slice(dataOffset, dataOffset + 2 * SECTOR_SIZE));
}

/** Changes the header, with a right checksum. */
export function patchHeader(world: FileWorld, path: string, change: Parameters<Header['with']>[0]): void {
  const { dataOffset } = endFooterOf(world, path);
  const changed = headerOf(world, path).with(change);
  patch(world, path, (bytes) => bytes.set(changed.bytes, dataOffset));
}

/** The parent of the leaf is a raw file of zeroes. */
export function withRawParent(world: FileWorld, sectors: number): void {
  world.files.put(PARENT, new Uint8Array(sectors * SECTOR_SIZE));
  patchHeader(world, LEAF, { parentUuid: new Uint8Array(16) });
}

/** Sets bits of the batmap, with a right checksum. */
export function setBatmap(world: FileWorld, path: string, bits: Uint8Array): void {
  const { tableOffset, entries } = headerOf(world, path);
  const headerAt = tableOffset + Math.ceil((entries * 4) / SECTOR_SIZE) * SECTOR_SIZE;
  patch(world, path, (bytes) => {
    bytes.set(bits, headerAt + SECTOR_SIZE);
    const sum = bits.reduce((total, byte) => total + byte, 0);
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(headerAt + 24, ~sum >>> 0);
  });
}

/** As if a file were cut short once it is read in a piece of `bytes` or more: it ends at `end` from then on. */
export function cutShort(calls: DiskCalls, end: number, bytes: number): DiskCalls {
  const read = calls.files.read.bind(calls.files);
  const cut = new Set<number>();
  const cutRead: typeof read = (fd, buffer, position, done) => {
    if (buffer.length >= bytes) cut.add(fd);
    const present = Math.max(0, end - position);
    read(fd, cut.has(fd) ? buffer.subarray(0, present) : buffer, position, done);
  };
  Object.assign(calls.files, { read: cutRead });
  return calls;
}
