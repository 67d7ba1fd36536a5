// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  MOMENTS,
  SET_FIRST,
  SYSTEM_ERRORS,
  tuned,
  WHICH_SPARE,
  type Equivalents,
  type Equivalent,
} from './shared.js';

const OTHER_WORD = 'Any word will do that is no other one.';
const ANY_SLOT = 'Every slot will do that is free.';
const NO_SLOT = 'Every number below 0 is no slot.';
const NO_OTHER_STATE = 'Any number will do that is no state of a slot that a worker can take or has taken.';
const WOKEN_ONCE_MORE =
  'A worker that is awake, and is still taken for asleep, is only woken once too often.';
const NOTHING_TO_REAP = 'Of a ring whose calls are all completed nothing is reaped.';
const FIRST_THREAD = 'There is always a first thread.';
const MEMORY_FITS = 'A memory of 1024 pages satisfies an import of fewer, or of more at most.';
const MERGED_ONCE_MORE = 'To look for halves once more where there are none only takes time.';

export const posix: Equivalents = {
  'src/posix/node/bind-handle.ts': [['return 0;', 'return 1;', 'Every result from 0 on is a success.']],
  'src/posix/node/dedicated-inbound.ts': [
    ...['65 << 10', '63 << 10', '64 << 11', '64 << 9'].flatMap((size) =>
      tuned('const BLOCK_BYTES = 64 << 10;', `const BLOCK_BYTES = ${size};`),
    ),
    ...['17 << 10', '15 << 10', '16 << 11', '16 << 9', '16 >> 10'].flatMap((size) =>
      tuned('const SMALL_BYTES = 16 << 10;', `const SMALL_BYTES = ${size};`),
    ),
    ['if (count <= SMALL_BYTES) {', 'if (true) {', 'To copy more only takes more time.'],
    [
      'this.#chunks.push({ bytes: count === block.length ? block : block.subarray(0, count), block });',
      'this.#chunks.push({ bytes: false ? block : block.subarray(0, count), block });',
      'A view of the whole block shows the same bytes.',
    ],
    [
      'for (let chunk = this.#chunks[0]; chunk && count < buffer.length; chunk = this.#chunks[0]) {',
      'for (let chunk = this.#chunks[0]; chunk && count <= buffer.length; chunk = this.#chunks[0]) {',
      'Where there is no room, nothing is taken of the next chunk.',
    ],
    ['old._server = null;', ';', 'The old object never closes, so its server is not told so.'],
    ['old._handle = null;', ';', 'Nothing uses the old object any more.'],
  ],
  'src/posix/node/file-ring/file-ring.ts': [
    ['#completedAtStart = 0;', '#completedAtStart = 1;', SET_FIRST],
    ['#watchedProgress = 0;', '#watchedProgress = 1;', SET_FIRST],
    ...['true', 'this.outstanding >= 0'].map((condition): Equivalent => [
      'if (this.outstanding > 0) this.#awaitEnds();',
      `if (${condition}) this.#awaitEnds();`,
      'Whoever publishes a call awaits its end in any case.',
    ]),
    [
      'for (let index = 0; index < MAX_RING_WORKERS; index++) {',
      'for (let index = 0; index <= MAX_RING_WORKERS; index++) {',
      'After the last thread there is none that runs.',
    ],
    [
      "if (index >= 0 && !this.#threads.includes('starting')) this.#startAnother(index);",
      "if (index > 0 && !this.#threads.includes('starting')) this.#startAnother(index);",
      FIRST_THREAD,
    ],
    [
      "if (index >= 0 && !this.#threads.includes('starting')) this.#startAnother(index);",
      "if (index >= 1 && !this.#threads.includes('starting')) this.#startAnother(index);",
      FIRST_THREAD,
    ],
  ],
  'src/posix/node/file-ring/ring-files.ts': [
    [
      'if (ring.outstanding > 0) this.#ending.push(ring);',
      'if (ring.outstanding > 0) this.#ending.unshift(ring);',
      'All of them are asked, in whatever order.',
    ],
    ...['true', 'ring.outstanding >= 0'].map((condition): Equivalent => [
      'if (ring.outstanding > 0) this.#ending.push(ring);',
      `if (${condition}) this.#ending.push(ring);`,
      NOTHING_TO_REAP,
    ]),
    [
      'this.#ending = this.#ending.filter(({ outstanding }) => outstanding > 0);',
      'this.#ending = this.#ending.filter(({ outstanding }) => outstanding >= 0);',
      NOTHING_TO_REAP,
    ],
    ['if (this.#ending.length === 0) return count;', 'if (false) return count;', NOTHING_TO_REAP],
    [
      'if (this.#callsOfTurn === 1 && ring.outstanding === 0 && this.#alone === 0) {',
      'if (this.#callsOfTurn === 1 && ring.outstanding === 1 && this.#alone === 0) {',
      'A call that is alone is quicker through libuv; through the ring it comes to the same.',
    ],
  ],
  'src/posix/node/file-ring/ring-memory.ts': [
    ...['3 * LINE - 1', '3 / LINE + 1', '2 * LINE + 1', '3 * LINE + 2'].map((word): Equivalent => [
      'export const WORKER_WANTED = 3 * LINE + 1;',
      `export const WORKER_WANTED = ${word};`,
      OTHER_WORD,
    ]),
    ['export const HEAD = 0;', 'export const HEAD = 1;', OTHER_WORD],
    ['const WORKERS = 4 * LINE;', 'const WORKERS = 5 * LINE;', OTHER_WORD],
    [
      'export const completedWord = (worker: number): number => WORKERS + worker * LINE + 1;',
      'export const completedWord = (worker: number): number => WORKERS + worker * LINE + 2;',
      OTHER_WORD,
    ],
    ['const LINE = 16;', 'const LINE = 17;', 'Longer lines only take more memory.'],
    [
      'export const WRITE = 1;',
      'export const WRITE = 2;',
      'Any number will do that is not the one of reads.',
    ],
    [
      'export const TAKEN = 2;',
      'export const TAKEN = 3;',
      'Any number will do that is greater than the other states.',
    ],
  ],
  'src/posix/node/file-ring/transfer.ts': ['if (false)', 'if (slots.length === 0)'].map(
    (after): Equivalent => [
      'if (slots.length === 1) return single(first);',
      `${after} return single(first);`,
      'A call with one vector does the same, and takes more time.',
    ],
  ),
  'src/posix/node/file-ring/join.ts': tuned(
    'const MAX_JOINED_BYTES = 256 << 10;',
    'const MAX_JOINED_BYTES = 255 << 10;',
  ),
  'src/posix/node/file-ring/thread-handle.ts': [
    [17, 4],
    [15, 4],
    [16, 5],
    [16, 3],
  ].map(([old, young]): Equivalent => [
    'const resourceLimits = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 };',
    `const resourceLimits = { maxOldGenerationSizeMb: ${old}, maxYoungGenerationSizeMb: ${young} };`,
    'A thread that only makes calls needs less than any of these.',
  ]),
  'src/posix/node/file-ring/ring-worker.ts': [
    [
      'if (isWaiting || words.load(STOP) !== 0) words.store(sleeping, 0);',
      'if (isWaiting || words.load(STOP) !== 0) ;',
      WOKEN_ONCE_MORE,
    ],
    ['#claimed = -1;', '#claimed = -2;', NO_SLOT],
    ['this.#claimed = -1;', 'this.#claimed = -2;', NO_SLOT],
    ['if (head === words.load(TAIL)) return -1;', 'if (head === words.load(TAIL)) return -2;', NO_SLOT],
    ...['if (false) break;', 'if (taken < 0) ;'].map((after): Equivalent => [
      'if (taken < 0) break;',
      after,
      'No slot adjoins no slot, and is none that was claimed.',
    ]),
  ],
  'src/posix/node/file-ring/submitter.ts': [
    ['let sum = 0;', 'let sum = 1;', 'Sums are only compared with each other.'],
    ['#firstToReap = 0;', '#firstToReap = 1;', 'Each worker is the first in turn, whichever begins.'],
    [
      'for (let slot = RING_SLOTS - 1; slot >= 0; slot--) this.#free.push(slot);',
      'for (let slot = RING_SLOTS - 1; slot >= 0; slot--) this.#free.unshift(slot);',
      ANY_SLOT,
    ],
    ['const slot = this.#free.pop();', 'const slot = this.#free.shift();', ANY_SLOT],
    ['this.#free.push(slot);', 'this.#free.unshift(slot);', ANY_SLOT],
    [
      'this.#dones[slot] = undefined;',
      ';',
      'A slot that is free ends no call, and the next one replaces what it calls.',
    ],
    [
      'for (let index = 0; index < MAX_RING_WORKERS && count < limit; index++) {',
      'for (let index = 0; index < MAX_RING_WORKERS && count <= limit; index++) {',
      'Of a further worker no call is completed.',
    ],
    ['words.store(STOP, 1);', 'words.store(STOP, 2);', 'Every number but 0 stops a worker.'],
    ...['words.store(sleepingWord(worker), 1);', ';'].map((after): Equivalent => [
      'words.store(sleepingWord(worker), 0);',
      after,
      WOKEN_ONCE_MORE,
    ]),
    [
      'const before = words.compareExchange(stateWord(slot), QUEUED, TAKEN + SUBMITTER);',
      'const before = words.compareExchange(stateWord(slot), QUEUED, TAKEN - SUBMITTER);',
      NO_OTHER_STATE,
    ],
    [
      'this.#memory.words.store(stateWord(slot), TAKEN + SUBMITTER);',
      'this.#memory.words.store(stateWord(slot), TAKEN - SUBMITTER);',
      NO_OTHER_STATE,
    ],
  ],
  'src/posix/node/inbound.ts': [
    [
      'return this.#stream.readableLength > 0 || !(this.#flowing || this.#ended);',
      'return this.#stream.readableLength > 0 || !(this.#flowing && this.#ended);',
      'A stream that flows reads on by itself, and one that has ended has no more: to ask them as well changes nothing.',
    ],
  ],
  'src/posix/node/alarm.ts': [
    ['if (!this.#active) return;', 'if (!this.#active) ;', 'To release a timer once more changes nothing.'],
  ],
  'src/posix/node/buddy-memory.ts': [
    [
      'for (let larger = size * 2; larger <= this.shared.byteLength; larger *= 2) {',
      'for (let larger = size * 1; larger <= this.shared.byteLength; larger *= 2) {',
      'The list of that size was found empty before.',
    ],
    [
      'this.#list(size).push(Buffer.from(this.shared, offset, size));',
      'this.#list(size).unshift(Buffer.from(this.shared, offset, size));',
      WHICH_SPARE,
    ],
    ['const found = this.#list(larger).pop();', 'const found = this.#list(larger).shift();', WHICH_SPARE],
    ['#mayMerge = false;', '#mayMerge = true;', MERGED_ONCE_MORE],
    ['this.#mayMerge = false;', 'this.#mayMerge = true;', MERGED_ONCE_MORE],
    ['this.#mayMerge = false;', ';', MERGED_ONCE_MORE],
    ['if (!this.#mayMerge) return false;', 'if (false) return false;', MERGED_ONCE_MORE],
    ['if (!this.#mayMerge) return false;', 'if (!this.#mayMerge) return true;', MERGED_ONCE_MORE],
  ],
  'src/posix/node/accept-queue.ts': [
    [
      'if (this.#server.listening) this.#server.close();',
      'if (true) this.#server.close();',
      'To close a server that does not listen changes nothing.',
    ],
  ],
  'src/posix/node/adopted-stream.ts': [
    [
      "if (!('allowHalfOpen' in stream) || typeof stream.allowHalfOpen !== 'boolean') return false;",
      "if (!('allowHalfOpen' in stream) || typeof stream.allowHalfOpen !== 'boolean') return true;",
      'A stream without the property does not get it back.',
    ],
  ],
  'src/posix/node/node-poller.ts': [
    ...['true', 'this.#bad.size >= 0'].map((condition): Equivalent => [
      'else if (this.#bad.size > 0) this.#bad.delete(slot.fd);',
      `else if (${condition}) this.#bad.delete(slot.fd);`,
      'To remove what is not there changes nothing.',
    ]),
    ...['true', 'ready.length >= 1', 'ready.length > 0'].map((condition): Equivalent => [
      'if (ready.length > 1) ready.sort((a, b) => a.fd - b.fd);',
      `if (${condition}) ready.sort((a, b) => a.fd - b.fd);`,
      'A list of one is sorted already.',
    ]),
    [
      'if (deadlineMs >= this.#deadlineMs) return;',
      'if (deadlineMs > this.#deadlineMs) return;',
      'To set an alarm for the same moment once more changes nothing.',
    ],
    ...[
      'true',
      'this.#done !== undefined || (this.#hot.length > 0 || this.#bad.size > 0)',
      'this.#done !== undefined && (this.#hot.length >= 0 || this.#bad.size > 0)',
      'this.#done !== undefined && (this.#hot.length > 0 || this.#bad.size >= 0)',
    ].map((condition): Equivalent => [
      'if (this.#done !== undefined && (this.#hot.length > 0 || this.#bad.size > 0)) this.#wake();',
      `if (${condition}) this.#wake();`,
      'A look that finds nothing, or nobody who waits, changes nothing.',
    ]),
    ['#deadlineMs = 0;', '#deadlineMs = 1;', SET_FIRST],
    ['hotIndex = -1;', 'hotIndex = -2;', 'Every number below 0 is no place.'],
    [
      'if (this.#collecting) return;',
      'if (false) return;',
      'Each look finds only what is ready; several in a turn take more time, and nothing else.',
    ],
  ],
  'src/posix/node/outbound.ts': [
    [
      'if (stream.writableLength > 0) this.#slab.keep();',
      'if (true) this.#slab.keep();',
      'Memory that is not used again at once is only more memory.',
    ],
    ['stream.cork();', ';', 'Parts that are not put together only take more calls.'],
  ],
  'src/posix/node/send-slab.ts': ['65 * 1024', '63 * 1024', '64 * 1025', '64 * 1023'].flatMap((size) =>
    tuned('export const SEND_SLAB_BYTES = 64 * 1024;', `export const SEND_SLAB_BYTES = ${size};`),
  ),
  'src/posix/spare-buffers.ts': ['8 << 19', '8 << 21', '9 << 20', '7 << 20'].map((size): Equivalent => [
    'const MAX_SPARE_BYTES = 8 << 20;',
    `const MAX_SPARE_BYTES = ${size};`,
    'How much is kept decides how often memory is taken from the system, and nothing else.',
  ]),
  'src/posix/node/private-place.ts': [
    ['systemErrno(error);', ';', SYSTEM_ERRORS],
    ...[5, 7].map((bytes): Equivalent => [
      'const RANDOM_BYTES = 6;',
      `const RANDOM_BYTES = ${bytes};`,
      'Any name will do that nobody else takes.',
    ]),
  ],
  'src/posix/block-bytes.ts': ['false', 'exponent < 30'].map((condition): Equivalent => [
    'return exponent < 31 ? 1 << exponent : 2 ** exponent;',
    `return ${condition} ? 1 << exponent : 2 ** exponent;`,
    'Both make the same number of it; a shift only takes less time.',
  ]),
  'src/posix/node/map-lines.ts': [8191, 8193].map((characters): Equivalent => [
    'const MAX_LINE_CHARACTERS = 8192;',
    `const MAX_LINE_CHARACTERS = ${characters};`,
    'No line of a map is nearly as long.',
  ]),
  'src/posix/node/socket-file.ts': [['systemErrno(error);', ';', SYSTEM_ERRORS]],
  'src/posix/shared/name-resolver.ts': [
    ['#started = 0;', '#started = 1;', MOMENTS],
    [
      'if (kept !== undefined && kept.started > started) return;',
      'if (kept !== undefined && kept.started >= started) return;',
      'A lookup is kept once.',
    ],
  ],
  'src/posix/node/shared-memory.ts': [
    [
      '...[2, 11, 1, 1, 0x65, 1, 0x6d, 2, 3, 0x80, 8, 0x80, 8],',
      '...[2, 11, 1, 1, 0x65, 1, 0x6d, 2, 3, 0x80, 7, 0x80, 8],',
      MEMORY_FITS,
    ],
    ...['0x80, 9', '129, 8'].map((most): Equivalent => [
      '...[2, 11, 1, 1, 0x65, 1, 0x6d, 2, 3, 0x80, 8, 0x80, 8],',
      `...[2, 11, 1, 1, 0x65, 1, 0x6d, 2, 3, 0x80, 8, ${most}],`,
      MEMORY_FITS,
    ]),
  ],
};
