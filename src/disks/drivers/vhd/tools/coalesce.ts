// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants } from 'node:fs';
import { SECTOR_SIZE } from '../../../driver.js';
import { type Chain, type Link, type VhdLink, withChain } from '../chain.js';
import { type DiskCalls, lockOf, VhdDisk } from '../disk.js';
import { FlatChanges } from '../flat-changes.js';
import { ImageFile, result, statusOf } from '../image-file.js';
import type { Blocks } from '../load-image.js';
import type { ParentRules } from '../parent-search.js';
import type { Steps } from '../steps.js';
import { VhdError } from '../vhd-error.js';
import { type CopyControl, copyBlocks, type WriteSectors } from './block-copy.js';
import { childrenOf } from './children.js';
import { relink } from './relink.js';
import { resize } from './resize.js';

export interface CoalesceOptions extends ParentRules, CopyControl {
  /** The image whose data goes into its parent. */
  readonly child: string;
  /** Children of the child, which get its parent as theirs. */
  readonly relink?: readonly string[];
  /** Deletes the child when all is done; refused while a file in its directory has it as its parent. */
  readonly deleteChild?: boolean;
}

export interface CoalesceResult {
  readonly child: string;
  readonly parent: string;
  /** Whether it stopped before the end: done again, it goes through all once more. */
  readonly isStopped: boolean;
  readonly relinked: readonly string[];
  readonly isDeleted: boolean;
}

/**
 * Writes what an image has into its parent (V74): copy, sync, relink every child, sync, delete. The child is not changed, and
 * hides what is written into the parent, so that a reader of the child sees the same at any moment; done again after a crash
 * or a stop, it comes to the same end. The parent is grown first if it is smaller.
 *
 * The child must not have a writer, and the parent no other child that is in use: that child's disk would change.
 *
 * @throws VhdError, FileError
 */
export function* coalesce(calls: DiskCalls, options: CoalesceOptions): Steps<CoalesceResult> {
  const { child } = options;
  const file = yield* ImageFile.open(calls, child, constants.O_RDONLY, lockOf(calls, true));
  return yield* withChain(calls, file, options, (chain) => coalesceChain(calls, chain, options));
}

function* coalesceChain(calls: DiskCalls, chain: Chain, options: CoalesceOptions): Steps<CoalesceResult> {
  const [leaf, parent] = chain;
  const { child, deleteChild = false } = options;
  if (!parent) throw noParent(child);
  // Of a file that is cut a part is not known, and zeroes must not take the place of the parent's data.
  if (leaf.image.writeFault) throw new VhdError(leaf.image.writeFault);
  const others = options.relink ?? [];
  if (deleteChild) {
    yield* requireNoLink(calls, child);
    yield* requireNoOthers(calls, leaf, others);
  }
  yield* growParent(calls, leaf, parent);
  const done = { child, parent: parent.file.path, relinked: others };
  const isWhole = yield* withTarget(calls, parent, options, (write) => {
    const target = { path: parent.file.path, write };
    // Only an image with blocks has a parent.
    return copyBlocks(leaf.file, leaf.image.blocks as Blocks, leaf.sectors, target, options);
  });
  if (!isWhole) return { ...done, relinked: [], isStopped: true, isDeleted: false };
  for (const other of others) yield* relink(calls, other, parent);
  if (deleteChild) yield* result(child, 'delete', (ended) => calls.files.unlink(child, ended));
  return { ...done, isStopped: false, isDeleted: deleteChild };
}

function noParent(file: string): VhdError {
  return new VhdError({
    kind: 'unsupported',
    file,
    field: 'disk type',
    problem: 'it has no parent to coalesce into',
    remedy: 'coalesce only differencing images',
  });
}

/** Of a link only the link would be deleted; and the image's children are where the image is. */
function* requireNoLink({ files }: DiskCalls, child: string): Steps<void> {
  const { kind } = yield* statusOf(files, child, 'lstat', 'look at');
  if (kind !== 'link') return;
  throw new VhdError({
    kind: 'unsupported',
    file: child,
    field: 'file name',
    problem: 'it is a link, of which nothing but the link would be deleted',
    remedy: 'name the image itself, or do not delete it',
  });
}

function* requireNoOthers(calls: DiskCalls, leaf: VhdLink, relinked: readonly string[]): Steps<void> {
  const left = yield* childrenOf(calls, leaf, relinked);
  const [other] = left;
  if (other === undefined) return;
  throw new VhdError({
    kind: 'parent-missing',
    file: other,
    field: 'parent locators',
    problem: `its parent '${leaf.file.path}' is to be deleted`,
    remedy: 'name it with --relink',
  });
}

/** Children are never smaller than their parents. */
function* growParent(calls: DiskCalls, leaf: Link, parent: Link): Steps<void> {
  if (parent.sectors >= leaf.sectors) return;
  const size = leaf.sectors * SECTOR_SIZE;
  if (parent.kind === 'vhd') {
    yield* resize(calls, { path: parent.file.path, size });
    return;
  }
  throw new VhdError({
    kind: 'unsupported',
    file: parent.file.path,
    field: 'file length',
    problem: `the raw file has ${parent.sectors} sectors, but the child ${leaf.sectors}`,
    remedy: `make it larger first (truncate -s ${size})`,
  });
}

/** Opens the parent for writing, with its ancestors, uses it, and closes it: what was written is durable then. */
function* withTarget<T>(
  calls: DiskCalls,
  parent: Link,
  rules: ParentRules,
  use: (write: WriteSectors) => Steps<T>,
): Steps<T> {
  const { path } = parent.file;
  if (parent.kind === 'raw') {
    const file = yield* ImageFile.open(calls, path, constants.O_RDWR, lockOf(calls, false));
    const changes = new FlatChanges(calls.files, file);
    try {
      const used = yield* use((sector, buffer, done) =>
        changes.write({ sector, sectors: buffer.length / SECTOR_SIZE, buffer, complete: done }, done),
      );
      yield* changes.finish();
      return used;
    } finally {
      yield* file.close();
    }
  }
  const disk = yield* VhdDisk.open(calls, path, { ...rules, readOnly: false, answersEarly: true });
  let isUsed = false;
  try {
    const used = yield* use((sector, buffer, done) =>
      disk.write({ sector, sectors: buffer.length / SECTOR_SIZE, buffer, complete: done }, done),
    );
    isUsed = true;
    yield* disk.close();
    return used;
  } finally {
    if (!isUsed) yield* disk.close();
  }
}
