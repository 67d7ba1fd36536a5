// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Runs in a project that has installed tapdisk-ts and nothing else: imports everything the package exports and fails
// when an entry cannot be loaded, or exports nothing. `--types DIRECTORY` prints, instead, a TypeScript program that
// imports the same entries in the project at DIRECTORY, for the compiler to check.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const [option, directory = '.'] = process.argv.slice(2);
const require = createRequire(path.resolve(directory, 'consumer.mjs'));
const manifest = JSON.parse(readFileSync(require.resolve('tapdisk-ts/package.json'), 'utf8'));
const entries = Object.keys(manifest.exports)
  .filter((entry) => !entry.endsWith('.json'))
  .map((entry) => path.posix.join('tapdisk-ts', entry));

if (option === '--types') {
  entries.forEach((entry, index) => console.log(`import * as entry${index} from '${entry}';`));
  console.log(
    `export const entries = [${entries.map((_, index) => `Object.keys(entry${index}).length`).join(', ')}];`,
  );
} else {
  for (const entry of entries) {
    const exported = await import(entry);
    const names = Object.keys(exported);
    if (names.length === 0) throw new Error(`${entry} exports nothing`);
    const missing = names.filter((name) => exported[name] === undefined);
    if (missing.length > 0) throw new Error(`${entry} exports ${missing.join(', ')} as undefined`);
    console.log(`${entry}: ${names.join(', ')}`);
  }
}
