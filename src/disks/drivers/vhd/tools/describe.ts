// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SECTOR_SIZE } from '../../../driver.js';
import { countAllocated, maxSectors } from '../bat.js';
import { uuidText } from '../bytes.js';
import { closeChain, type Link, openParent, requireUuid, vhdLink } from '../chain.js';
import { DiskType, type Footer } from '../footer.js';
import type { ImageCalls } from '../image-file.js';
import { type LoadedImage, loadImage } from '../load-image.js';
import { openToRead, type ParentRules } from '../parent-search.js';
import { immediate, type Steps } from '../steps.js';
import { VhdError, type VhdFault } from '../vhd-error.js';

export type ImageKind = 'fixed' | 'dynamic' | 'differencing' | 'raw' | 'unknown';

/** One image of a chain (V81). Sizes are in bytes. */
export interface ImageDescription {
  readonly file: string;
  /** Distinguishes files. */
  readonly identity: string;
  readonly kind: ImageKind;
  /** The disk's size; undefined when it cannot be read. */
  readonly virtualSize: number | undefined;
  readonly fileSize: number;
  readonly uuid?: string;
  /** `tap 1.3`. */
  readonly creator?: string;
  readonly isHidden?: boolean;
  /** Whether the footer at the end is there. */
  readonly isClosed?: boolean;
  readonly blockSize?: number;
  readonly blocks?: number;
  readonly allocatedBlocks?: number;
  /** How large the disk can become without moving anything. */
  readonly maxFastSize?: number;
  readonly parentUuid?: string;
  /** The parent's base name, as the header has it. */
  readonly parentName?: string;
  /** What is wrong with it, or keeps its parent from being found. */
  readonly faults: readonly VhdFault[];
}

/**
 * Loads an image and its ancestors, the image itself first, as far as they can be read, and has `use` look at them. `broken`
 * is what keeps the last one's parent from being found, if it has one.
 *
 * @throws FileError, what `use` throws
 */
export function* withLinks<T>(
  calls: ImageCalls,
  path: string,
  rules: ParentRules,
  use: (links: readonly Link[], broken: VhdError | undefined) => Steps<T>,
): Steps<T> {
  const file = yield* openToRead(calls, path);
  const links: Link[] = [];
  const visited = new Map([[file.identity, path]]);
  try {
    const image = yield* loadImage(file);
    links.push(vhdLink(image));
    let broken: VhdError | undefined;
    for (let child: LoadedImage | undefined = image; child;) {
      const parent: Link | VhdError | undefined = yield* parentOrError(
        calls,
        child,
        rules,
        visited,
        links.length,
      );
      if (parent instanceof VhdError) broken = parent;
      else if (parent) links.push(parent);
      child = parent && !(parent instanceof VhdError) && parent.kind === 'vhd' ? parent.image : undefined;
    }
    return yield* use(links, broken);
  } finally {
    if (links.length === 0) yield* file.close();
    yield* closeChain(links);
  }
}

function* parentOrError(
  calls: ImageCalls,
  child: LoadedImage,
  rules: ParentRules,
  visited: Map<string, string>,
  depth: number,
): Steps<Link | VhdError | undefined> {
  if (child.footer?.type !== DiskType.differencing || !child.header || child.faults.length > 0)
    return undefined;
  try {
    return yield* openParent(calls, child, rules, visited, depth);
  } catch (error) {
    if (error instanceof VhdError) return error;
    throw error;
  }
}

/**
 * Describes an image and its ancestors, the image itself first, as far as they can be read: a chain that is broken ends with
 * the image whose fault that is.
 *
 * @throws FileError
 */
export function describeChain(
  calls: ImageCalls,
  path: string,
  rules: ParentRules,
): Steps<readonly ImageDescription[]> {
  return withLinks(calls, path, rules, (links, broken) =>
    immediate(
      links.map((link, index) => {
        if (link.kind === 'raw') return describeRaw(link);
        const faults: VhdFault[] = [...link.image.faults];
        if (link.image.writeFault) faults.push(link.image.writeFault);
        const isLast = index === links.length - 1;
        if (broken && isLast) faults.push(broken);
        const child = links[index - 1];
        const mismatch = child?.kind === 'vhd' ? mismatchOf(child.image, link.image) : undefined;
        if (mismatch) faults.push(mismatch);
        return describeImage(link.image, faults);
      }),
    ),
  );
}

/** What {@link requireUuid} throws of two images, if it does; undefined also of one that lacks what it compares. */
export function mismatchOf(child: LoadedImage, parent: LoadedImage): VhdError | undefined {
  if (!child.header || !parent.footer) return undefined;
  try {
    requireUuid(child, parent);
    return undefined;
  } catch (error) {
    if (error instanceof VhdError) return error;
    throw error;
  }
}

function describeRaw({ file, sectors }: Link): ImageDescription {
  return {
    file: file.path,
    identity: file.identity,
    kind: 'raw',
    virtualSize: sectors * SECTOR_SIZE,
    fileSize: file.length,
    faults: [],
  };
}

function describeImage(
  { file, footer, endFooter, header, blocks }: LoadedImage,
  faults: readonly VhdFault[],
): ImageDescription {
  const isChild = footer?.type === DiskType.differencing;
  return {
    file: file.path,
    identity: file.identity,
    kind: kindOf(footer),
    virtualSize: footer?.currentSize,
    fileSize: file.length,
    ...(footer ? describeFooter(footer) : {}),
    ...(footer ? { isClosed: endFooter !== undefined } : {}),
    ...(header && blocks
      ? {
          blockSize: header.blockBytes,
          blocks: header.entries,
          allocatedBlocks: countAllocated(blocks.bat),
          maxFastSize: maxSectors(header) * SECTOR_SIZE,
        }
      : {}),
    ...(header && isChild ? { parentUuid: uuidText(header.parentUuid), parentName: header.parentName } : {}),
    faults,
  };
}

function describeFooter(footer: Footer): Pick<ImageDescription, 'uuid' | 'creator' | 'isHidden'> {
  const version = `${footer.creatorVersion >>> 16}.${footer.creatorVersion & 0xffff}`;
  const name = footer.creator.replace(/[\0 ]+$/, '');
  return { uuid: uuidText(footer.uuid), creator: `${name} ${version}`, isHidden: footer.isHidden };
}

function kindOf(footer: Footer | undefined): ImageKind {
  switch (footer?.type) {
    case DiskType.fixed:
      return 'fixed';
    case DiskType.dynamic:
      return 'dynamic';
    case DiskType.differencing:
      return 'differencing';
    default:
      return 'unknown';
  }
}
