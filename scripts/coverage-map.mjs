// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Which test files are to cover which code: tap counts in these processes alone, as counting makes code much slower. What
// `npm test` demands to be covered whole, their tests cover whole.

const COVERED = ['build/src/scheduler/**/*.js', 'build/src/replication/**/*.js'];
const COVERING = [
  'build/test/bundles/core.test.js',
  'build/test/bundles/conformance.test.js',
  'build/test/conformance/implementations.test.js',
];

/** With `npm run coverage` every test covers everything. */
const all = process.env['COVER'] === 'all';

/** @param {string} test a test file by its path from the root */
export default (test) => {
  if (all) return ['build/src/**/*.js'];
  return COVERING.includes(test) ? COVERED : null;
};
