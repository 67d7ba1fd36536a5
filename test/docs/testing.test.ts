// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { CALL_NAMES, CONNECT_SECONDS, FAULT_SECONDS, TYPICAL_ERRORS } from '../../src/testing/index.js';
import { codeBlocks, document } from './markdown.js';
import { runPrograms } from './programs.js';

// The programs start a process of their own, which takes longer where other things run beside it.
t.setTimeout(120_000);

const { text } = document('docs/testing.md');
const blocks = codeBlocks(text);
const programs = blocks.flatMap((block, index) => {
  if (block.language !== 'ts') return [];
  const next = blocks[index + 1];
  return [{ ...block, prints: next?.language === 'text' ? next.code : '' }];
});

t.test('every program runs unchanged, and prints the output shown below it', async (t) => {
  t.equal(programs.length, 5);
  const { printed, outcome } = await runPrograms(programs.map(({ code }) => code));
  t.equal(outcome.exit, 0, outcome.stderr);
  for (const [index, { prints, line }] of programs.entries()) {
    t.equal(printed[index], prints, `docs/testing.md:${line}`);
  }
});

t.test('the test in ten lines has ten lines, beside its own set-up', async (t) => {
  const lines = (programs[0]?.code ?? '').trimEnd().split('\n');
  t.equal(lines.filter((line) => !line.includes("'node:assert'")).length, 10);
});

t.test('an example fails if its claim does not hold', async (t) => {
  const code = (programs[0]?.code ?? '').replace('world.after(600,', 'world.after(605,');
  const { outcome } = await runPrograms([code]);
  t.equal(outcome.exit, 1);
  t.match(outcome.stderr, /AssertionError/);
});

t.test('its numbers are those of the code', async (t) => {
  t.match(text, `For ${FAULT_SECONDS} virtual seconds`);
  t.match(text, new RegExp(`within\\s+${CONNECT_SECONDS} s`));
  t.same(
    CALL_NAMES.filter((call) => TYPICAL_ERRORS[call].length === 0),
    [],
  );
});
