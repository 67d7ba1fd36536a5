// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { existsSync, readFileSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** Looks each time that something changes in a directory; resolves to the first value that is not undefined. */
function seenIn<T>(directory: string, look: () => T | undefined): Promise<T> {
  return new Promise((resolve) => {
    const onChange = (): void => {
      const found = look();
      if (found === undefined) return;
      watcher.close();
      resolve(found);
    };
    const watcher = watch(directory, onChange);
    onChange();
  });
}

/** Resolves as soon as there is a file at a path, whose directory is there already. */
export async function appearance(path: string): Promise<void> {
  await seenIn(dirname(path), () => existsSync(path) || undefined);
}

/** The text of a file in a directory that is there already, once it has a last line that is complete. */
export function textOf(path: string): Promise<string> {
  return seenIn(dirname(path), () => {
    const text = existsSync(path) ? readFileSync(path, 'latin1') : '';
    return text.endsWith('\n') ? text : undefined;
  });
}
