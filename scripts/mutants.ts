// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// `npm run mutants [-- RE]` tries the mutants of the list, `npm run mutants -- --generated` those that are made from the syntax
// trees of src. See docs/mutation.md.

import { execFileSync } from 'node:child_process';
import { root } from './repository-files.js';
import { patternOption, scriptOptions } from './script-options.js';

const USAGE = `npm run mutants [-- RE] [--first]
npm run mutants -- --generated [--folder F]... [--files RE] [--sample N|all] [--seed S] [--jobs N] [--budget SECONDS]
                   [--again] [--write]

The hand-made list:
  RE                only mutants whose rule, title or file matches
  --first           print only which detector noticed a mutant first

Generated mutants:
  --generated       make mutants of src from its syntax trees
  --folder F        only this folder of src; may be repeated
  --files RE        only files whose path matches
  --sample N|all    how many mutants a folder (default: 40)
  --seed S          of the sample (default: by the time)
  --jobs N          how many are tried at once (default: 2)
  --budget SECONDS  how long the tests of a mutant may take together (default: 60)
  --again           try the survivors of this seed again
  --write           write the scores into docs/mutation.md

docs/mutation.md describes both.`;

if (process.argv.includes('--generated')) {
  const { values } = scriptOptions(USAGE, {
    options: {
      generated: { type: 'boolean' },
      folder: { type: 'string', multiple: true },
      files: { type: 'string' },
      sample: { type: 'string' },
      seed: { type: 'string' },
      jobs: { type: 'string' },
      budget: { type: 'string' },
      again: { type: 'boolean' },
      write: { type: 'boolean' },
    },
  });
  const { optionsOf, runGenerated } = await import('./mutation/generated.js');
  const options = optionsOf(values);
  execFileSync('npm', ['run', '--silent', 'compile'], { cwd: root, stdio: 'inherit' });
  process.exitCode = (await runGenerated(options)) ? 0 : 1;
} else {
  const { values, positionals } = scriptOptions(USAGE, {
    options: { first: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const pattern = patternOption('RE', positionals[0] ?? '', 'u');
  const { runListed } = await import('./listed-mutants.js');
  process.exitCode = (await runListed(pattern, values.first)) ? 0 : 1;
}
