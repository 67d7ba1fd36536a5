// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Fails when the lock file named on the command line has a package without a SHA-512 of what is installed for it.
import { readFileSync } from 'node:fs';

const [file] = process.argv.slice(2);
const { packages } = JSON.parse(readFileSync(file, 'utf8'));
// The first is the project itself.
const names = Object.keys(packages).filter((name) => name !== '');
const without = names.filter((name) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(packages[name].integrity ?? ''));
for (const name of without) console.error(`${file}: ${name} has no integrity`);
if (names.length === 0) console.error(`${file}: has no packages`);
else if (without.length === 0) console.log(`${file}: ${names.length} packages, each with its integrity`);
process.exitCode = names.length > 0 && without.length === 0 ? 0 : 1;
