// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// A thousand seeds, half of them here: the two halves run side by side.
import { testSeeds } from './seeds.js';

testSeeds(501, 1000);
