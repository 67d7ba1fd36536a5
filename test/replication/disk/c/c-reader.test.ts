// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { writeMessages } from '../../../../src/replication/disk/c/c-message.js';
import { CReader } from '../../../../src/replication/disk/c/c-reader.js';
import { tagged } from '../simulation/content.js';

const CREQ = Buffer.from('creq', 'latin1');
const write = (sector: number, sectors: number, tag: number): Buffer =>
  Buffer.from(writeMessages(sector, sectors, tagged(tag, sectors)));
/** A write of no sectors, which has a header all the same. */
const emptyWrite = (): Buffer => {
  const bytes = Buffer.alloc(16);
  bytes.write('wreq', 'latin1');
  return bytes;
};

/** A reader that writes down what it takes; `paused` is asked before each message. */
function reader(paused: () => boolean = () => false) {
  const taken: string[] = [];
  const made = new CReader({
    sectors: 64,
    write: (sector, bytes) => {
      const tags = new Set(new Uint32Array(Uint8Array.from(bytes).buffer));
      taken.push(`write ${sector}+${bytes.length / 512} of ${[...tags].join()}`);
    },
    commit: () => taken.push('commit'),
    isPaused: paused,
  });
  return { reader: made, taken };
}

const STREAM = Buffer.concat([
  Buffer.from('tdts', 'latin1'),
  CREQ,
  write(0, 8, 1),
  emptyWrite(),
  write(63, 1, 2),
  Buffer.from('done', 'latin1'),
  CREQ,
  CREQ,
]);
const MESSAGES = ['commit', 'write 0+8 of 1', 'write 63+1 of 2', 'commit', 'commit'];

t.test(
  'messages are taken out of a stream in whatever pieces it comes; unknown tags are skipped',
  async (t) => {
    for (const each of [1, 2, 3, 4, 5, 7, 15, 16, 17, 100, 511, 512, 4111, 4112, 4113, STREAM.length]) {
      const { reader: made, taken } = reader();
      for (let at = 0; at < STREAM.length; at += each) made.push(STREAM.subarray(at, at + each));
      t.same(taken, MESSAGES, `${each} bytes at a time`);
      t.notOk(made.isMidMessage);
    }
  },
);

t.test('a reader knows whether a message is incomplete, and whether it is a write', async (t) => {
  const { reader: made } = reader();
  const states: string[] = [];
  for (const byte of write(0, 1, 1)) {
    made.push(Uint8Array.of(byte));
    states.push(`${made.isMidMessage} ${made.isAfterTag}`);
  }
  t.same(states.map((state, at) => (state === states[at - 1] ? '' : `${at + 1}: ${state}`)).filter(Boolean), [
    '1: true false',
    '4: true true',
    '528: false false',
  ]);
});

t.test('a reader has heard a C primary once a tag has come that one sends', async (t) => {
  const heard = (bytes: Uint8Array): boolean => {
    const { reader: made } = reader();
    made.push(bytes);
    return made.hasSpoken;
  };
  t.notOk(heard(Buffer.from('tdtsdonecre', 'latin1')));
  t.ok(heard(CREQ));
  t.ok(heard(Buffer.from('tdtscreq', 'latin1')));
  t.notOk(heard(Buffer.from('wre', 'latin1')));
  t.ok(heard(Buffer.from('wreq', 'latin1')));
});

t.test('what comes while a reader is paused is kept until it resumes', async (t) => {
  let isPaused = false;
  const { reader: made, taken } = reader(() => isPaused || taken.length === 2);
  made.push(STREAM);
  t.same(taken, MESSAGES.slice(0, 2), 'it is asked before each message');
  isPaused = true;
  taken.length = 0;
  made.push(CREQ);
  t.same(taken, []);
  isPaused = false;
  made.resume();
  t.same(taken, MESSAGES.slice(2, 4));
  taken.length = 0;
  made.resume();
  t.same(taken, ['commit', 'commit']);
});

t.test('a write that is refused ends with an error, before its data has come', async (t) => {
  const { reader: made, taken } = reader();
  const beyond = write(60, 8, 1);
  made.push(beyond.subarray(0, 15));
  t.throws(() => made.push(beyond.subarray(15, 16)), {
    message: /8 sectors at 60 are not within the disk's 64/,
  });
  t.same(taken, []);
});
