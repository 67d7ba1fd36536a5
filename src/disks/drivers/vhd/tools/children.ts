// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { dirname, join } from 'node:path';
import { errno } from '../../../../posix/errno.js';
import { uuidText } from '../bytes.js';
import type { VhdLink } from '../chain.js';
import { DiskType, type Footer } from '../footer.js';
import type { ImageCalls } from '../image-file.js';
import { loadImage } from '../load-image.js';
import { canonicalPath, openToRead } from '../parent-search.js';
import { type Steps, wait } from '../steps.js';
import { FileError } from '../vhd-error.js';

/** Errors after which a file may be a child all the same. */
const UNKNOWN: ReadonlySet<number> = new Set([errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM]);

/** The files in an image's directory that have it as their parent, by its uuid, but for some. @throws FileError */
export function* childrenOf(
  calls: ImageCalls,
  parent: VhdLink,
  except: readonly string[],
): Steps<readonly string[]> {
  const uuid = uuidText((parent.image.footer as Footer).uuid);
  const directory = yield* canonicalPath(calls, dirname(parent.file.path));
  const [code, names] = yield* wait<[number, readonly string[] | undefined]>((done) =>
    calls.files.readdir(directory, (...results) => done([results[0], results[1]])),
  );
  // A name that is not UTF-8 could be a child's, and there is no way to look.
  if (code === -errno.EILSEQ) throw new FileError(directory, 'list a name that is not UTF-8', -code);
  if (!names) throw new FileError(directory, 'list', -code);
  const excepted: string[] = [];
  for (const path of [parent.file.path, ...except]) excepted.push(yield* canonicalPath(calls, path));
  const children: string[] = [];
  for (const name of names.toSorted()) {
    const path = join(directory, name);
    if ((yield* parentUuidOf(calls, path)) !== uuid) continue;
    if (!excepted.includes(yield* canonicalPath(calls, path))) children.push(path);
  }
  return children;
}

/** Undefined for a file that is not a readable child. */
function* parentUuidOf(calls: ImageCalls, path: string): Steps<string | undefined> {
  try {
    const file = yield* openToRead(calls, path);
    try {
      const { footer, header } = yield* loadImage(file);
      if (footer?.type !== DiskType.differencing || !header) return undefined;
      return uuidText(header.parentUuid);
    } finally {
      yield* file.close();
    }
  } catch (error) {
    // Directories, links to nothing, files of others: they are not children.
    if (error instanceof FileError && !UNKNOWN.has(error.number)) return undefined;
    throw error;
  }
}
