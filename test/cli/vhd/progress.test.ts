// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { Progress, type ProgressOutput } from '../../../src/cli/vhd/progress.js';

/** What is written to a terminal while time goes by. */
function terminal(more: Partial<ProgressOutput> = {}) {
  const written: string[] = [];
  const clock = { seconds: 100, now: (): number => clock.seconds };
  const out = { isTTY: true, write: (text: string) => written.push(text), ...more };
  return { progress: new Progress(out, clock), written, clock };
}

t.test('long work shows a bar, per cent, and the time left', async (t) => {
  const { progress, written, clock } = terminal();
  progress.show('copied', 0, 200);
  clock.seconds += 30;
  progress.show('copied', 50, 200);
  clock.seconds += 270;
  progress.show('copied', 100, 200);
  clock.seconds += 1;
  progress.show('copied', 200, 200);
  progress.end();
  t.same(written, [
    '\rcopied  [----------------------------]  0 %',
    '\rcopied  [#######---------------------]  25 %  1 min 30 s left',
    '\rcopied  [##############--------------]  50 %  5 min 0 s left ',
    '\rcopied  [############################]  100 %               ',
    '\n',
  ]);
});

t.test('a line is written for each whole per cent only', async (t) => {
  const { progress, written } = terminal();
  for (let done = 0; done <= 10_000; done++) progress.show('copied', done, 10_000);
  t.equal(written.length, 101);
});

t.test('nothing is shown without a terminal, and no line is wider than it', async (t) => {
  const pipe = terminal({ isTTY: false });
  pipe.progress.show('copied', 1, 2);
  pipe.progress.end();
  t.same(pipe.written, []);
  const narrow = terminal({ columns: 20 });
  narrow.progress.show('copied', 1, 2);
  t.same(narrow.written, ['\rcopied  [##########']);
});

t.test('empty work is complete', async (t) => {
  const { progress, written } = terminal();
  progress.show('copied', 0, 0);
  t.same(written, ['\rcopied  [############################]  100 %']);
});

t.test('the time left is not known at once, before anything is done, or at the end', async (t) => {
  const { progress, written, clock } = terminal();
  const shown = (done: number): string => {
    progress.show('x', done, 1000);
    return written.splice(0).join('');
  };
  shown(0);
  clock.seconds += 0.9;
  t.notMatch(shown(10), 'left');
  clock.seconds += 0.1;
  t.match(shown(500), / 1 s left/);
  t.notMatch(shown(1000), 'left');
  progress.end();
  written.length = 0;
  shown(0);
  clock.seconds += 60;
  t.match(shown(500), / 1 min 0 s left/, 'further work is timed from its own start');
});

t.test('a part of a second that is left counts as one, from the first of what is done', async (t) => {
  const { progress, written, clock } = terminal();
  progress.show('x', 0, 100);
  clock.seconds += 1;
  progress.show('x', 1, 100);
  progress.show('x', 40, 100);
  t.same(
    written.map((line) => line.replace(/^\r.*%/, '').trim()),
    ['', '1 min 39 s left', '2 s left'],
  );
});

t.test('a line is ended once, and what comes after it begins anew', async (t) => {
  const { progress, written } = terminal();
  progress.show('copied', 0, 100);
  progress.end();
  progress.end();
  progress.show('x', 0, 100);
  const bar = `[${'-'.repeat(28)}]  0 %`;
  t.same(written, [`\rcopied  ${bar}`, '\n', `\rx  ${bar}`]);
  const narrow = terminal({ columns: 1 });
  narrow.progress.show('x', 0, 100);
  narrow.progress.end();
  narrow.progress.show('x', 0, 100);
  t.same(narrow.written, ['\r', '\n', '\r'], 'nothing is padded');
});

t.test('a terminal of unknown width has 80 columns, of which the last stays free', async (t) => {
  const { progress, written } = terminal();
  progress.show('x'.repeat(100), 1, 2);
  t.same(written, [`\r${'x'.repeat(79)}`]);
});
