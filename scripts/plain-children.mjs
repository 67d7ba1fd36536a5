// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// tap has every Node process that a test starts load its process tracker, which takes longer than most of them live and
// is of no use here: coverage is counted by Node itself. This takes the tracker out of what tests start; tap loads it
// into the process of a test behind its own, as `node-arg` in package.json says.

const ON_SPAWN = Symbol.for('process-on-spawn@*:singletonId');
const TRACKER = /"?--import=[^\s"]*@tapjs\/processinfo[^\s"]*"?/g;

globalThis[ON_SPAWN]?.unwrap();
const options = process.env.NODE_OPTIONS?.replaceAll(TRACKER, '').trim() ?? '';
if (options === '') delete process.env.NODE_OPTIONS;
else process.env.NODE_OPTIONS = options;
