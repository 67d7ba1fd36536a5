// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Requires that each mutant listed as equivalent is one of the current source: if its line has changed, the reason given for it
// may no longer be true.

import { existsSync } from 'node:fs';
import { conclude } from './conclude.js';
import { EQUIVALENTS, outdated } from './mutation/equivalents.js';
import { mutationsOf } from './mutation/mutations.js';
import { repositoryFile } from './repository-files.js';

const complaints = outdated((file) => (existsSync(repositoryFile(file)) ? mutationsOf(file) : []));
const entries = Object.values(EQUIVALENTS).reduce((sum, { length }) => sum + length, 0);
conclude(
  'check-equivalents',
  `${entries} mutants listed as equivalent are still mutants of the source`,
  complaints,
);
