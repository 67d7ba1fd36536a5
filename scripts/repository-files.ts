// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { packageFile } from '../src/server/package-file.js';

/** The directory that holds package.json. */
export const root = packageFile('.');

/** A file of the repository, by its path from {@link root}. */
export function repositoryFile(file: string): string {
  return path.join(root, file);
}

/** What package.json says, as far as anybody here asks. */
export const manifest = JSON.parse(readFileSync(repositoryFile('package.json'), 'utf8')) as {
  readonly version: string;
  readonly files: readonly string[];
  readonly man: readonly string[];
  readonly scripts: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
};

/** The documents among {@link repositoryFiles}: Markdown at the top, as README.md, and in docs/. */
export function documentFiles(): string[] {
  return repositoryFiles().filter((file) => /^(?:docs\/.*|[^/]*)\.md$/.test(file));
}

/**
 * The files git tracks, and the new ones that it would track, relative to {@link root}; git lists them in one order.
 * Files deleted from the working tree and not yet from the index are left out.
 */
export function repositoryFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const files = new Set(
    listed.split('\0').filter((file) => file !== '' && existsSync(path.join(root, file))),
  );
  return [...files];
}
