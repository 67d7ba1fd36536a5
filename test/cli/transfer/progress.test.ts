// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { progressBar } from '../../../src/cli/transfer/progress-bar.js';
import { describeProgress } from '../../../src/cli/transfer/progress.js';
import type { TransferStatus } from '../../../src/transfer/transfer-status.js';

const MIB = 1 << 20;
const sending: TransferStatus = {
  role: 'primary',
  pid: 7,
  state: 'established',
  phase: 'sending',
  address: '127.0.0.1:9000',
  peer: '127.0.0.1:9000',
  attempts: 1,
  lastError: null,
  transfers: 0,
  bytes: 48 * MIB,
  totalBytes: 64 * MIB,
  rate: 8 * MIB,
  seconds: 6,
  quietSeconds: 0,
  attemptSeconds: null,
  uptimeSeconds: 6,
  file: 'image',
};
const receiving: TransferStatus = { ...sending, role: 'backup', phase: 'receiving', totalBytes: null };

t.test('a line shows the share, the current rate and the time left', async (t) => {
  t.equal(
    describeProgress(sending),
    'primary 127.0.0.1:9000  sending  75%  48.0 MiB of 64.0 MiB  8.0 MiB/s  2 s left',
  );
  t.match(describeProgress({ ...sending, rate: MIB / 10 }), /102.4 KiB\/s  2 min 40 s left$/);
  t.match(
    describeProgress({ ...sending, rate: MIB / 0.15 }),
    /  3 s left$/,
    'a part of a second counts as one',
  );
  t.match(describeProgress({ ...sending, rate: 0 }), /MiB  0 B\/s$/);
  t.equal(
    describeProgress(receiving),
    'backup 127.0.0.1:9000  receiving  48.0 MiB  8.0 MiB/s  6.00 s',
    'the end is not known',
  );
});

t.test('only a complete transfer shows 100 per cent', async (t) => {
  t.match(describeProgress({ ...sending, bytes: 64 * MIB - 1 }), /  99%  /);
  t.match(describeProgress({ ...sending, bytes: 64 * MIB }), /  100%  /);
});

t.test('an empty image is sent whole at once', async (t) => {
  const empty = { ...sending, bytes: 0, totalBytes: 0, rate: 0 };
  t.equal(describeProgress(empty), 'primary 127.0.0.1:9000  sending  100%  0 B of 0 B  0 B/s');
  t.equal(describeProgress(empty, 44), 'sending  [########]  100%  0 B of 0 B  0 B/s');
  t.equal(progressBar(12, empty), '[##########]');
});

t.test(
  'a file that grows meanwhile is never more than whole, nor has it a time less than none',
  async (t) => {
    t.match(describeProgress({ ...sending, bytes: 100 * MIB }), /  100%  .*  0 s left$/);
  },
);

t.test(
  'without a byte for two seconds a transfer is stalled: a rate and a time left would be none',
  async (t) => {
    t.match(describeProgress({ ...sending, quietSeconds: 1.9 }), /2 s left$/);
    t.match(describeProgress({ ...sending, quietSeconds: 2 }), /64.0 MiB  stalled for 2 s$/);
    t.match(describeProgress({ ...sending, quietSeconds: 2.9, rate: 0 }), /64.0 MiB  stalled for 2 s$/);
    t.match(describeProgress({ ...receiving, quietSeconds: 67 }), /48.0 MiB  stalled for 1 min 7 s$/);
  },
);

t.test('an idle transfer has no rate', async (t) => {
  const done = { ...sending, bytes: 64 * MIB, phase: 'awaiting' };
  t.match(describeProgress(done), /  waiting for confirmation  100%  64.0 MiB of 64.0 MiB$/);
  t.match(describeProgress({ ...receiving, phase: 'storing' }), /  flushing to disk  48.0 MiB$/);
});

t.test('attempts are counted until there is a connection, and not once all is over', async (t) => {
  const alone = { ...sending, peer: null, phase: 'waiting to try again', lastError: 'connection refused' };
  t.equal(
    describeProgress(alone),
    'primary 127.0.0.1:9000  waiting to retry, attempt 1 (connection refused)',
  );
  t.equal(describeProgress({ ...alone, phase: 'ended' }), 'primary 127.0.0.1:9000  ended');
});

t.test(
  'a terminal has a bar as wide as fits; on a narrow one the address goes first, then the bar',
  async (t) => {
    const at = (columns: number) => describeProgress(sending, columns);
    t.equal(
      at(120),
      `primary 127.0.0.1:9000  sending  [${'#'.repeat(21)}${'-'.repeat(7)}]  75%  48.0 MiB of 64.0 MiB  8.0 MiB/s  2 s left`,
    );
    t.equal(at(79), `sending  [${'#'.repeat(15)}-----]  75%  48.0 MiB of 64.0 MiB  8.0 MiB/s  2 s left`);
    t.match(at(67), /^sending  \[#{6}--\]  75%/, 'ten columns are the shortest bar');
    t.match(at(66), /^sending  75%/);
    t.equal(at(60), 'sending  75%  48.0 MiB of 64.0 MiB  8.0 MiB/s  2 s left');
    t.equal(at(20), 'sending  75%  48.0 M');
    for (let columns = 1; columns < 130; columns++) t.ok(at(columns).length <= columns);
  },
);

t.test('a bar of unknown length moves while bytes are transferred', async (t) => {
  const bars = [0, 1, 2, 3, 4, 5, 6].map((mib) => progressBar(8, { bytes: mib * MIB, totalBytes: null }));
  t.same(bars, ['[<=>   ]', '[ <=>  ]', '[  <=> ]', '[   <=>]', '[  <=> ]', '[ <=>  ]', '[<=>   ]']);
});

t.test('an attempt without a reply is reported with its age', async (t) => {
  const trying = { ...sending, phase: 'connecting', peer: null, attempts: 2, attemptSeconds: 31.5 };
  t.match(describeProgress(trying), /, attempt 2, no reply for 31 s$/);
  const fresh = { ...trying, attemptSeconds: 0.2, lastError: 'connection refused' };
  t.match(describeProgress(fresh), /, attempt 2 \(connection refused\)$/);
  t.match(describeProgress({ ...trying, attemptSeconds: null }), /, attempt 2$/, 'it has not begun');
  t.match(describeProgress({ ...trying, attemptSeconds: 1.9 }), /, attempt 2$/);
  t.match(describeProgress({ ...trying, attemptSeconds: 2 }), /, attempt 2, no reply for 2 s$/);
});

t.test('a bar without an end goes to and fro, a column with each MiB', async (t) => {
  const at = (mebibytes: number): string => progressBar(8, { bytes: mebibytes * MIB, totalBytes: null });
  const there = ['[<=>   ]', '[ <=>  ]', '[  <=> ]', '[   <=>]'];
  t.same(
    Array.from({ length: 8 }, (_, mebibytes) => at(mebibytes)),
    [...there, there[2], there[1], there[0], there[1]],
  );
  t.equal(at(1 - 1 / MIB), there[0]);
});

t.test('a bar of known length is filled by the share, and never beyond', async (t) => {
  const filled = (bytes: number): string => progressBar(12, { bytes, totalBytes: 100 });
  t.equal(filled(0), '[----------]');
  t.equal(filled(19), '[#---------]');
  t.equal(filled(99), '[#########-]');
  t.equal(filled(100), '[##########]');
  t.equal(filled(200), '[##########]');
});

t.test('a bar has 10 to 30 columns, and what is said first goes for it', async (t) => {
  const facts = '75%  48.0 MiB of 64.0 MiB  8.0 MiB/s  2 s left';
  const [long, short] = ['primary 127.0.0.1:9000  sending', 'sending'] as const;
  /** The columns that a line has with a bar of so many. */
  const withBar = (start: string, bar: number): number => `${start}    ${facts}`.length + bar;
  for (const [columns, start, bar] of [
    [1000, long, 30],
    [withBar(long, 31), long, 30],
    [withBar(long, 29), long, 29],
    [withBar(long, 10), long, 10],
    [withBar(long, 9), short, 30],
    [withBar(short, 10), short, 10],
  ] as const) {
    const line = describeProgress(sending, columns);
    t.equal(line.replace(/ {2}\[.*\]/, ''), `${start}  ${facts}`, `${columns} columns`);
    t.equal(/\[.*\]/.exec(line)?.[0].length, bar, `${columns} columns`);
  }
  t.equal(describeProgress(sending, withBar(short, 9)), `${short}  ${facts}`);
  t.equal(describeProgress(sending, 20), `${short}  ${facts}`.slice(0, 20));
});
