// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { basename, dirname, relative } from 'node:path';
import { countAllocated } from '../bat.js';
import { type Chain, type Link, withChain } from '../chain.js';
import { DiskType, type Footer } from '../footer.js';
import type { ImageCalls } from '../image-file.js';
import { canonicalPath, openToRead, type ParentRules } from '../parent-search.js';
import type { Steps } from '../steps.js';
import { createFile, writeParts } from './create-file.js';
import { type NewParent, newImageParts } from './new-image.js';

/** What a snapshot is made of. */
export interface SnapshotOptions extends ParentRules {
  /** The image to go on from. */
  readonly parent: string;
  /** The new image, which must not exist. */
  readonly child: string;
  /** Makes an empty differencing image the parent too, instead of the nearest ancestor that has something. */
  readonly keepEmpty?: boolean;
  /** 16 bytes. */
  readonly uuid: Uint8Array;
  readonly unixSeconds: number;
}

export interface SnapshotResult {
  readonly child: string;
  /** The image that became the parent. */
  readonly parent: string;
  /** In bytes. */
  readonly size: number;
  /** How many images the child's chain has. */
  readonly depth: number;
}

/**
 * Makes a differencing image whose parent is another image, which is not written to and must not be from then on (V72).
 *
 * @throws VhdError, FileError
 */
export function* snapshot(calls: ImageCalls, options: SnapshotOptions): Steps<SnapshotResult> {
  const file = yield* openToRead(calls, options.parent);
  return yield* withChain(calls, file, options, (chain) => snapshotOf(calls, chain, options));
}

function* snapshotOf(calls: ImageCalls, chain: Chain, options: SnapshotOptions): Steps<SnapshotResult> {
  const { child, uuid, unixSeconds, keepEmpty = false } = options;
  const [leaf] = chain;
  const used = keepEmpty ? 0 : chain.findIndex((link) => !isEmptyChild(link));
  // The root of a chain is no child, whatever it has.
  const parent = chain[used] as Link;
  const size = (leaf.image.footer as Footer).currentSize;
  const description = yield* parentOf(calls, parent, child);
  yield* createFile(calls, child, (file) =>
    writeParts(file, newImageParts({ size, parent: description, uuid, unixSeconds })),
  );
  return { child, parent: parent.file.path, size, depth: chain.length - used + 1 };
}

function isEmptyChild(link: Link): boolean {
  if (link.kind === 'raw' || link.image.footer?.type !== DiskType.differencing) return false;
  return link.image.blocks !== undefined && countAllocated(link.image.blocks.bat) === 0;
}

/** What a child's header says of its parent; the path is relative to the child's directory. */
export function* parentOf(calls: ImageCalls, link: Link, child: string): Steps<NewParent> {
  const childDirectory = yield* canonicalPath(calls, dirname(child));
  const directory = yield* canonicalPath(calls, dirname(link.file.path));
  const path = relative(childDirectory, `${directory}/${basename(link.file.path)}`);
  const uuid = link.kind === 'vhd' ? link.image.footer?.uuid : undefined;
  return {
    uuid: uuid ?? new Uint8Array(16),
    path: path.startsWith('../') ? path : `./${path}`,
    unixSeconds: link.file.status.modifiedSeconds,
  };
}
