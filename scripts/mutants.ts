// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// `npm run mutants [-- RE]` tries the mutants of the list, `npm run mutants -- --generated` those that are made from the syntax
// trees of src. See docs/mutation.md.

import { execFileSync } from 'node:child_process';
import { root } from './repository-files.js';

const args = process.argv.slice(2);
if (args.includes('--generated')) {
  execFileSync('npm', ['run', '--silent', 'compile'], { cwd: root, stdio: 'inherit' });
  const { main } = await import('./mutation/generated.js');
  process.exitCode = await main(args);
} else {
  await import('./listed-mutants.js');
}
