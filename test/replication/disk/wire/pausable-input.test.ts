// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { PausableInput } from '../../../../src/replication/disk/wire/pausable-input.js';

/** Takes messages of two bytes, or what there is of one, and stops once it was told to. */
function reader() {
  const taken: string[] = [];
  const state = { isPaused: false, pausesAfter: '' };
  const input = new PausableInput(
    (bytes) => {
      const message = Buffer.from(bytes.subarray(0, 2)).toString();
      taken.push(message);
      if (message === state.pausesAfter) state.isPaused = true;
      return message.length;
    },
    () => state.isPaused,
  );
  const goOn = (): void => {
    state.isPaused = false;
    input.resume();
  };
  return { taken, state, input, goOn, push: (text: string) => input.push(Buffer.from(text)) };
}

t.test('messages are taken one by one as they come', async (t) => {
  const { taken, input, push } = reader();
  push('aabbc');
  push('dd');
  t.same(taken, ['aa', 'bb', 'c', 'dd']);
  t.notOk(input.hasRest);
  push('');
  t.equal(taken.length, 4, 'of no bytes nothing is taken');
});

t.test('what comes while it is paused is kept, and taken in its order', async (t) => {
  const { taken, state, input, goOn, push } = reader();
  state.pausesAfter = 'bb';
  const chunk = Buffer.from('aabbccdd');
  input.push(chunk);
  t.same(taken, ['aa', 'bb']);
  t.ok(input.hasRest);
  chunk.fill('x');
  push('ee');
  t.equal(taken.length, 2, 'whatever comes');
  state.pausesAfter = 'cc';
  goOn();
  t.same(taken, ['aa', 'bb', 'cc'], 'up to where it is paused again');
  goOn();
  t.same(taken, ['aa', 'bb', 'cc', 'dd', 'ee']);
  t.notOk(input.hasRest);
  goOn();
  push('ff');
  t.same(taken.slice(5), ['ff']);
});

t.test('a reader that resumes while it takes a message is not given the next one inside of it', async (t) => {
  const taken: string[] = [];
  let isPaused = true;
  let depth = 0;
  const input: PausableInput = new PausableInput(
    (bytes) => {
      depth += 1;
      t.equal(depth, 1);
      taken.push(Buffer.from(bytes.subarray(0, 1)).toString());
      input.push(Buffer.from(''));
      input.resume();
      depth -= 1;
      return 1;
    },
    () => isPaused,
  );
  input.push(Buffer.from('abc'));
  isPaused = false;
  input.resume();
  t.same(taken, ['a', 'b', 'c']);
});

t.test('it goes on after a message that its reader threw at', async (t) => {
  let throws = true;
  const taken: string[] = [];
  const input = new PausableInput(
    (bytes) => {
      if (throws) throw new Error('no');
      taken.push(Buffer.from(bytes).toString());
      return bytes.length;
    },
    () => throws && taken.length > 0,
  );
  t.throws(() => input.push(Buffer.from('a')), /no/);
  throws = false;
  input.push(Buffer.from('b'));
  t.same(taken, ['b']);
  throws = true;
  input.push(Buffer.from('c'));
  throws = false;
  input.resume();
  t.same(taken, ['b', 'c']);
});
