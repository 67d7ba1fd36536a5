// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// `npm run release:check`: names what a release still needs, and fails while anything is missing.

import { readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { conclude } from './conclude.js';
import { repositoryFile, root } from './repository-files.js';

const complaints: string[] = [];
const manifest = JSON.parse(readFileSync(repositoryFile('package.json'), 'utf8')) as Record<string, unknown>;
const { version } = manifest as { version: string };

for (const field of ['repository', 'homepage', 'bugs']) {
  if (manifest[field] === undefined)
    complaints.push(`package.json: '${field}' is missing: the address of the repository`);
}
const changelog = readFileSync(repositoryFile('CHANGELOG.md'), 'utf8');
const [, unreleased = ''] = /^## \[Unreleased\]$(.*?)^## \[/ms.exec(changelog) ?? [];
if (unreleased.trim() !== '')
  complaints.push('CHANGELOG.md: [Unreleased] is not empty: give its changes a version');
if (!changelog.includes(`## [${version}]`)) complaints.push(`CHANGELOG.md: no section [${version}]`);
if (!new RegExp(`^## \\[${version.replaceAll('.', '\\.')}\\] - \\d{4}-\\d{2}-\\d{2}$`, 'm').test(changelog)) {
  complaints.push(`CHANGELOG.md: section [${version}] has no date`);
}
const git = (...argv: string[]): string => execFileSync('git', argv, { cwd: root, encoding: 'utf8' }).trim();
if (git('status', '--porcelain') !== '') complaints.push('git: there are changes that are not committed');
if (git('tag', '--points-at', 'HEAD', '--list', `v${version}`) === '') {
  complaints.push(`git: the last commit has no tag v${version}`);
}
conclude('release-check', `version ${version} can be published`, complaints);
