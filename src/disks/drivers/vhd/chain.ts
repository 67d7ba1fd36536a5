// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SECTOR_SIZE } from '../../driver.js';
import { uuidText } from './bytes.js';
import { DiskType } from './footer.js';
import type { ImageCalls, ImageFile } from './image-file.js';
import { type LoadedImage, loadImage } from './load-image.js';
import { findParent, hasRawParent, openToRead, type ParentRules } from './parent-search.js';
import { type Steps, wait } from './steps.js';
import { VhdError } from './vhd-error.js';

/** The maximum number of images in a chain (V39). */
export const MAX_CHAIN_DEPTH = 256;

/** A VHD of a chain. */
export interface VhdLink {
  readonly kind: 'vhd';
  readonly file: ImageFile;
  readonly image: LoadedImage;
  readonly sectors: number;
}

/** One image of a chain: a VHD, or the raw file at its root. */
export type Link = VhdLink | { readonly kind: 'raw'; readonly file: ImageFile; readonly sectors: number };

/** An image with all its ancestors, the image itself first. */
export type Chain = readonly [VhdLink, ...Link[]];

/** Closes all files of a chain, even if some fail. @throws FileError */
export function* closeChain(chain: readonly Link[]): Steps<void> {
  const [link, ...rest] = chain;
  if (!link) return;
  try {
    yield* link.file.close();
  } finally {
    yield* closeChain(rest);
  }
}

/** @throws VhdError for what keeps an image from being opened */
export function requireUsable(image: LoadedImage, forWriting: boolean): void {
  const [fault] = image.faults;
  if (fault) throw new VhdError(fault);
  if (forWriting && image.writeFault) throw new VhdError(image.writeFault);
}

/**
 * Opens the ancestors of an open image, and checks the whole chain (V32 to V41). The leaf's file stays the caller's when
 * it throws; what was opened here is closed again.
 *
 * @throws VhdError, FileError
 */
export function* openChain(
  calls: ImageCalls,
  leaf: ImageFile,
  rules: ParentRules,
  forWriting: boolean,
): Steps<Chain> {
  const image = yield* loadImage(leaf);
  requireUsable(image, forWriting);
  const chain: [VhdLink, ...Link[]] = [vhdLink(image)];
  const visited = new Map([[leaf.identity, leaf.path]]);
  try {
    for (let child = image; child.footer?.type === DiskType.differencing;) {
      const parent = yield* openParent(calls, child, rules, visited, chain.length);
      chain.push(parent);
      if (parent.kind === 'raw') break;
      requireUsable(parent.image, false);
      requireUuid(child, parent.image);
      child = parent.image;
    }
    return chain;
  } catch (error) {
    yield* closeChain(chain.slice(1));
    throw error;
  }
}

/**
 * Opens the ancestors of an open image to read the chain, uses it, and closes all its files, the image's too.
 *
 * @throws VhdError, FileError, what `use` throws
 */
export function* withChain<T>(
  calls: ImageCalls,
  leaf: ImageFile,
  rules: ParentRules,
  use: (chain: Chain) => Steps<T>,
): Steps<T> {
  let chain: Chain | undefined;
  try {
    chain = yield* openChain(calls, leaf, rules, false);
    return yield* use(chain);
  } finally {
    if (chain) yield* closeChain(chain);
    else yield* wait<number>((done) => calls.files.close(leaf.fd, done));
  }
}

/** An image as a link of a chain; it may have faults. */
export function vhdLink(image: LoadedImage): VhdLink {
  return { kind: 'vhd', file: image.file, image, sectors: image.footer?.sectors ?? 0 };
}

/** Opens and loads the next image of a chain. @throws VhdError `parent-missing`, `parent-refused`, `parent-cycle` */
export function* openParent(
  calls: ImageCalls,
  child: LoadedImage,
  rules: ParentRules,
  visited: Map<string, string>,
  depth: number,
): Steps<Link> {
  if (!child.header) throw new Error('a child without a header has no parent');
  const { path, identity } = yield* findParent(calls, child.file, child.header, rules);
  const refuse = (problem: string): VhdError =>
    new VhdError({
      kind: 'parent-cycle',
      file: child.file.path,
      field: 'parent locators',
      problem,
      remedy: 'restore one of the images from a backup',
    });
  const before = visited.get(identity);
  if (before !== undefined)
    throw refuse(`the parent '${path}' is '${before}', which is in the chain already`);
  if (depth >= MAX_CHAIN_DEPTH) throw refuse(`the chain has more than ${MAX_CHAIN_DEPTH} images`);
  visited.set(identity, path);
  const file = yield* openToRead(calls, path);
  try {
    if (hasRawParent(child.header)) {
      // The sector that its end cuts belongs to the disk.
      return { kind: 'raw', file, sectors: Math.ceil(file.length / SECTOR_SIZE) };
    }
    return vhdLink(yield* loadImage(file));
  } catch (error) {
    yield* file.close();
    throw error;
  }
}

/** @throws VhdError `parent-mismatch` (V38) */
export function requireUuid(child: LoadedImage, parent: LoadedImage): void {
  if (!child.header || !parent.footer) throw new Error('uuids of images that cannot be used');
  const expected = uuidText(child.header.parentUuid);
  const found = uuidText(parent.footer.uuid);
  if (expected === found) return;
  throw new VhdError({
    kind: 'parent-mismatch',
    file: child.file.path,
    field: 'parent uuid',
    problem: `${expected}, but '${parent.file.path}' has ${found}`,
    remedy: 'put the parent that the child was made of in its place',
  });
}
