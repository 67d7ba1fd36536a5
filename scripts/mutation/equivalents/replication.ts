// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  descriptorOrErrno,
  SET_FIRST,
  tuned,
  TUNING,
  WHICH_SPARE,
  type Equivalents,
  type Equivalent,
} from './shared.js';

const PUT_BACK = 'An extent that is replaced without overlapping is put back as it was.';
const NOT_COPIED = 'A message that comes whole is not copied; one that is copied is the same.';
const THROWN_ON = 'Nothing but a StateError is thrown there unless the program has a fault.';
const IN_PRIMARIES = 'What a backup has in place of it is asked of primaries only.';
const WHILE_OPEN = 'Only an open disk has a status, and an open disk has all of its parts.';
const LOOKS_AGAIN = 'Who waits for room looks again, and waits on if there is none.';
const IN_RECORD = 'Data begins after the first block of a record.';

/** What passes on errors that are no StateError. */
const STATE_ERRORS_ONLY: readonly Equivalent[] = [
  ['if (!(error instanceof StateError)) throw error;', 'if (false) throw error;', THROWN_ON],
  ['if (!(error instanceof StateError)) throw error;', 'if (!(error instanceof StateError)) ;', THROWN_ON],
];

export const replication: Equivalents = {
  'src/replication/disk/backup/resync-index.ts': [
    [
      'this.#entries[place] = { grain, isZero: word >= ZERO_FLAG, crc };',
      'this.#entries[place] = { grain, isZero: word > ZERO_FLAG, crc };',
      'A word with the flag has the number of a grain too, which is at least 1.',
    ],
    [
      'for (let place = number * ENTRIES_A_SECTOR; place < (number + 1) * ENTRIES_A_SECTOR; place++) {',
      'for (let place = number * ENTRIES_A_SECTOR; place <= (number + 1) * ENTRIES_A_SECTOR; place++) {',
      'Where entries are read, zeroes follow them, which are no grain. (Where they are written, tests notice it.)',
    ],
    [
      'else fields.putU32(entry.grain + 1 + (entry.isZero ? ZERO_FLAG : 0)).putU32(entry.crc);',
      'else fields.putU32(entry.grain + 1 - (entry.isZero ? ZERO_FLAG : 0)).putU32(entry.crc);',
      'The flag is the highest bit of the word: adding it and subtracting it are the same.',
    ],
  ],
  'src/replication/disk/backup/apply.ts': [['let isFilling = false;', 'let isFilling = true;', SET_FIRST]],
  'src/replication/disk/backup/backup-role.ts': [
    ['#asked = { epoch: 0, generation: NO_ID };', '#asked = { epoch: 1, generation: NO_ID };', SET_FIRST],
    ...STATE_ERRORS_ONLY,
    ['done(0);', 'done(1);', 'Every result from 0 on is a success.'],
  ],
  'src/replication/disk/backup/checkpoint-store.ts': [
    [
      'this.#waiters.push(room);',
      'this.#waiters.unshift(room);',
      'All that wait are called, in whatever order.',
    ],
    [
      'if (layers.length === 0) {',
      'if (false) {',
      'Without a layer all of it comes from the image either way.',
    ],
    ['if (!this.hasRoom && !this.isFull) return;', 'if (false) return;', LOOKS_AGAIN],
    ['if (!this.hasRoom && !this.isFull) return;', 'if (!this.hasRoom && !this.isFull) ;', LOOKS_AGAIN],
  ],
  'src/replication/disk/backup/open-checkpoint.ts': [
    ...[
      'if (place === undefined) ;',
      "if (false) throw new Error('the journal keeps room for an abort');",
    ].map((after): Equivalent => [
      "if (place === undefined) throw new Error('the journal keeps room for an abort');",
      after,
      'The journal keeps room for an abort.',
    ]),
  ],
  'src/replication/disk/backup/overlay.ts': [
    [
      'if (extent.start > at) readFrom(top - 1, at, extent.start);',
      'if (extent.start > at) readFrom(top - 0, at, extent.start);',
      'The map has nothing before its extent: what is below is read all the same.',
    ],
  ],
  'src/replication/disk/backup/record-batch.ts': [
    [
      'return this.#spare.pop() ?? Buffer.allocUnsafeSlow(MAX_RECORD_BYTES);',
      'return this.#spare.shift() ?? Buffer.allocUnsafeSlow(MAX_RECORD_BYTES);',
      WHICH_SPARE,
    ],
    [
      'if (isWhole && this.#spare.length < MAX_SPARE) this.#spare.push(Buffer.from(bytes.buffer));',
      'if (isWhole && this.#spare.length < MAX_SPARE) this.#spare.unshift(Buffer.from(bytes.buffer));',
      WHICH_SPARE,
    ],
    [
      'putExtent(this.#buffer, this.#extents, { sector, sectors, dataAt: -1, crc: 0 });',
      'putExtent(this.#buffer, this.#extents, { sector, sectors, dataAt: -2, crc: 0 });',
      'Every place below 0 stands for zeroes.',
    ],
    [
      'map.set(sector, sector + sectors, undefined, 0);',
      'map.set(sector, sector + sectors, undefined, 1);',
      'Zeroes are in no piece, so their offset is not used.',
    ],
    [
      'if (length > used.length / 2) {',
      'if (length >= used.length / 2) {',
      'A record has whole blocks, and half a buffer is no whole number of them.',
    ],
  ],
  'src/replication/disk/backup/recover-layer.ts': [
    [
      'if (marker === undefined) return { ...recovered, layer: undefined, lastNumber, needsResync: false };',
      'if (marker === undefined) return { ...recovered, layer: undefined, lastNumber, needsResync: true };',
      'It is used together with a marker only.',
    ],
    ['return;', ';', 'The record of an abort has no extents.'],
    [
      'for (const [number, map] of checkpoints) if (isBefore(number)) layer.map.merge(map);',
      'for (const [number, map] of checkpoints) if (true) layer.map.merge(map);',
      'What is laid under the resync too early is laid over it again.',
    ],
    [
      'if (dataAt < 0) map.set(sector, sector + sectors, undefined, 0);',
      'if (dataAt <= 0) map.set(sector, sector + sectors, undefined, 0);',
      IN_RECORD,
    ],
    [
      'if (dataAt < 0) map.set(sector, sector + sectors, undefined, 0);',
      'if (dataAt < 1) map.set(sector, sector + sectors, undefined, 0);',
      IN_RECORD,
    ],
    [
      'if (dataAt < 0) map.set(sector, sector + sectors, undefined, 0);',
      'if (dataAt < 0) map.set(sector, sector + sectors, undefined, 1);',
      'Zeroes are in no piece, so their offset is not used.',
    ],
  ],
  'src/replication/disk/backup/resync-file.ts': [
    [
      'slots.push({ grain, slot: isZero ? -1 : place, crc });',
      'slots.unshift({ grain, slot: isZero ? -1 : place, crc });',
      'A table may name the slots in any order.',
    ],
    [
      'const place = this.#index.placeOf(grain) ?? -1;',
      'const place = this.#index.placeOf(grain) ?? -2;',
      'Every number below 0 is no place.',
    ],
    ['pins = 0;', 'pins = 1;', 'A slot is never in memory, so nothing asks whether that is in use.'],
    [
      'const start = new Uint8Array(8);',
      'const start = new Uint8Array(9);',
      'What follows the position of the table is zero anyway.',
    ],
  ],
  'src/replication/disk/backup/sector-map.ts': [
    [
      'for (let bucket = Math.floor(start / BUCKET); bucket * BUCKET < end; bucket++) {',
      'for (let bucket = Math.floor(start / BUCKET); bucket * BUCKET <= end; bucket++) {',
      'The bucket after the range has no extent in it.',
    ],
    [
      'while (after > 0 && (list[after - 1] as Extent).start >= extent.end) after -= 1;',
      'while (after > 1 && (list[after - 1] as Extent).start >= extent.end) after -= 1;',
      PUT_BACK,
    ],
    [
      'while (after > 0 && (list[after - 1] as Extent).start >= extent.end) after -= 1;',
      'while (after > 0 && (list[after - 1] as Extent).start > extent.end) after -= 1;',
      PUT_BACK,
    ],
    [
      'while (first > 0 && (list[first - 1] as Extent).end > extent.start) first -= 1;',
      'while (first > 0 && (list[first - 1] as Extent).end >= extent.start) first -= 1;',
      PUT_BACK,
    ],
  ],
  'src/replication/disk/journal/journal.ts': [
    ['#issued = 0;', '#issued = 1;', 'What counts is only which of two writes was issued first.'],
  ],
  'src/replication/disk/c/c-outbox.ts': [
    ['const MAX_STREAM_BYTES = 256 << 10;', 'const MAX_STREAM_BYTES = 257 << 10;', TUNING],
    ['const MAX_STREAM_BYTES = 256 << 10;', 'const MAX_STREAM_BYTES = 255 << 10;', TUNING],
    [
      'while (stream.queuedBytes < MAX_STREAM_BYTES && !stream.isOver) {',
      'while (stream.queuedBytes <= MAX_STREAM_BYTES && !stream.isOver) {',
      TUNING,
    ],
  ],
  'src/replication/disk/c/c-primary-session.ts': [
    [
      'const MAX_ANSWER_BYTES = 4096;',
      'const MAX_ANSWER_BYTES = 4095;',
      'Answers of four bytes reach both limits at the same time.',
    ],
  ],
  'src/replication/disk/c/c-reader.ts': [
    ['if (this.#length === 0) {', 'if (false) {', NOT_COPIED],
    ['if (bytes.length >= length) {', 'if (false) {', NOT_COPIED],
    ['if (bytes.length >= length) {', 'if (bytes.length > length) {', NOT_COPIED],
  ],
  'src/replication/disk/c/stall-watch.ts': [
    ['const LOOKS = 4;', 'const LOOKS = 5;', 'Looking more often only notices a standstill sooner.'],
  ],
  'src/replication/block-replication.ts': descriptorOrErrno('if (fd < 0) {'),
  'src/replication/connect-replica.ts': [
    ...descriptorOrErrno('if (fd < 0) {'),
    ...descriptorOrErrno('if (this.#fd >= 0) this.server.posix.close(this.#fd);'),
  ],
  'src/replication/serve-replica.ts': [
    ...descriptorOrErrno('if (fd >= 0) return new ReplicaListener(server, options, fd, closed);'),
    ...['if (false) return;', 'if (this.#closed) ;'].map((after): Equivalent => [
      'if (this.#closed) return;',
      after,
      'Each step of closing a listener does nothing the second time.',
    ]),
  ],
  'src/replication/disk/peer-calls.ts': descriptorOrErrno('if (connection < 0) return connection;'),
  'src/replication/disk/timer.ts': [
    ...descriptorOrErrno("if (this.#fd < 0) throw refused('a timer descriptor', this.#fd);"),
    [
      'readonly #count = new Uint8Array(8);',
      'readonly #count = new Uint8Array(9);',
      'A timer descriptor is read eight bytes at a time, and what they say is not used.',
    ],
    ...['<= 0', '< 1'].map((failed): Equivalent => [
      'if (host.posix.read(this.#fd, this.#count) < 0 || !this.#isSet) return;',
      `if (host.posix.read(this.#fd, this.#count) ${failed} || !this.#isSet) return;`,
      'A timer descriptor is read eight bytes at a time, and has no end.',
    ]),
  ],
  'src/replication/sector-table.ts': [
    [
      'for (const sector of [...table.keys()].sort((one, other) => (one < other ? -1 : 1))) {',
      'for (const sector of [...table.keys()].sort((one, other) => (one <= other ? -1 : 1))) {',
      'No two keys of a map are equal.',
    ],
    [
      '.sort((one, other) => (one < other ? -1 : 1));',
      '.sort((one, other) => (one <= other ? -1 : 1));',
      'It makes no difference which of two equal numbers comes first.',
    ],
  ],
  'src/replication/disk/connector.ts': [
    ...tuned('const BACKLOG = 16;', 'const BACKLOG = 17;', 'const BACKLOG = 15;'),
    ...['if (false) return;', 'if (this.#struct.status === CONNECTION_IN_PROGRESS) ;'].map(
      (after): Equivalent => [
        'if (this.#struct.status === CONNECTION_IN_PROGRESS) return;',
        after,
        'Nothing asks for an attempt while one is under way.',
      ],
    ),
  ],
  'src/replication/disk/engine.ts': [
    [
      'differs: (this.primary?.verifier.differences ?? 0) > 0,',
      'differs: (this.primary?.verifier.differences ?? 0) > 1,',
      'Differences are counted in the sectors of whole grains.',
    ],
    ...['?? 1) > 0', ') > 0'].map((counted): Equivalent => [
      'differs: (this.primary?.verifier.differences ?? 0) > 0,',
      `differs: (this.primary?.verifier.differences ${counted},`.replace(' )', ')'),
      IN_PRIMARIES,
    ]),
    ["phase: this.primary?.phase ?? 'alone',", 'phase: this.primary?.phase,', IN_PRIMARIES],
  ],
  'src/replication/disk/blank-image.ts': [
    [
      'buffer ??= Buffer.allocUnsafe(PIECE_SECTORS * SECTOR_SIZE);',
      'buffer = Buffer.allocUnsafe(PIECE_SECTORS * SECTOR_SIZE);',
      'A buffer of its own for each piece only takes longer.',
    ],
  ],
  'src/replication/disk/connection-resources.ts': STATE_ERRORS_ONLY,
  'src/replication/disk/own/own-primary-session.ts': [
    ...STATE_ERRORS_ONLY,
    ...[65, 63].map((kibibytes): Equivalent => [
      'const MAX_QUEUED_BYTES = 64 << 10;',
      `const MAX_QUEUED_BYTES = ${kibibytes} << 10;`,
      'It bounds memory: a kibibyte more or less makes no difference to either side.',
    ]),
  ],
  'src/replication/disk/commands.ts': [
    ...STATE_ERRORS_ONLY,
    [
      'if (differences === 0 && unreadable > 0)',
      'if (differences === 0 && unreadable > 1)',
      'What is unreadable is counted in the sectors of whole grains.',
    ],
    [
      'this.#engine.fail(what, error instanceof StateError ? error.result : -errno.EIO);',
      'this.#engine.fail(what, true ? error.result : -errno.EIO);',
      THROWN_ON,
    ],
    [
      'await backup.dropUnfinished();',
      'backup.dropUnfinished();',
      'A backup that is closed waits until it is dropped.',
    ],
  ],
  'src/replication/disk/peer-tls.ts': ['socket.setNoDelay(false);', ';'].map((after): Equivalent => [
    'socket.setNoDelay(true);',
    after,
    'It decides how soon a few bytes are sent, and nothing else.',
  ]),
  'src/replication/disk/peering.ts': [
    [
      'const RETRY_SECONDS = 1;',
      'const RETRY_SECONDS = 0;',
      'A connector waits for a second, however soon the next attempt is asked for.',
    ],
  ],
  'src/replication/disk/status-of.ts': [
    ["connection: connector?.state ?? 'none',", 'connection: connector?.state,', WHILE_OPEN],
    ...['address', 'kind', 'version'].map((known): Equivalent => {
      const name = `peer${known.replace(/^./, (letter) => letter.toUpperCase())}`;
      return [`${name}: peering?.${known} ?? null,`, `${name}: peering?.${known},`, WHILE_OPEN];
    }),
    ['const waitingFor = peering?.waitsFor ?? null;', 'const waitingFor = peering?.waitsFor;', WHILE_OPEN],
  ],
  'src/replication/disk/checkpoint-interval.ts': [
    [
      'if (this.#seconds > 0) this.#timer.set(this.#seconds);',
      'if (true) this.#timer.set(this.#seconds);',
      'A deadline of 0 seconds is none: the descriptor is disarmed by it.',
    ],
  ],
  'src/replication/disk/primary/primary-role.ts': [
    [
      'if (phase === this.#phase) return;',
      'if (false) return;',
      'The same phase again is no news to those who hear of it.',
    ],
    [
      'if (phase === this.#phase) return;',
      'if (phase === this.#phase) ;',
      'The same phase again is no news to those who hear of it.',
    ],
  ],
  'src/replication/disk/flush-policy.ts': [
    [
      'if (primary === undefined) this.#failAll();',
      'if (true) this.#failAll();',
      'No flush waits while there is no primary.',
    ],
    ...['> 0', '>= 1'].map((succeeded): Equivalent => [
      'if (result >= 0) one.done(0);',
      `if (result ${succeeded}) one.done(0);`,
      'The first checkpoint has the number 1.',
    ]),
  ],
  'src/replication/disk/state-file.ts': [
    ...STATE_ERRORS_ONLY,
    ...tuned(
      'const zeroes = new Uint8Array(Math.min(length, 1 << 20));',
      'const zeroes = new Uint8Array(Math.min(length, 2 << 20));',
      'const zeroes = new Uint8Array(Math.min(length, 1 << 21));',
      'const zeroes = new Uint8Array(Math.min(length, 1 << 19));',
    ),
  ],
  'src/replication/disk/own/sync-receiver.ts': [
    ['#unsyncedBytes = 0;', '#unsyncedBytes = 1;', 'Whole sectors reach the limit at the same time.'],
  ],
  'src/replication/disk/own/map-frames.ts': [
    ['let next = -1;', 'let next = -2;', 'Every number below 0 is no grain.'],
  ],
  'src/replication/disk/own/own-link.ts': [
    ['return;', ';', 'A link that is over sends nothing, and sets no timer.'],
  ],
  'src/replication/disk/bit-set.ts': [
    [
      'const page = (this.#pages[Math.floor(bit / PAGE_BITS)] ??= new Uint32Array(PAGE_BITS / 32));',
      'const page = (this.#pages[Math.floor(bit / PAGE_BITS)] ??= new Uint32Array(PAGE_BITS / 31));',
      'No bit is in the words that a page has more.',
    ],
    [
      'for (let number = Math.floor(from / PAGE_BITS); number < this.#pages.length; number++) {',
      'for (let number = Math.floor(from / PAGE_BITS); number <= this.#pages.length; number++) {',
      'A page after the last one is as one that was not made.',
    ],
  ],
  'src/replication/disk/wire/peer-stream.ts': [
    [
      'if (this.#mayNotifyDrain) this.#drainAt = Math.max(this.#drainAt, Math.floor(this.queuedBytes / 2));',
      'if (true) this.#drainAt = Math.max(this.#drainAt, Math.floor(this.queuedBytes / 2));',
      'Once something may be reported it is set anew.',
    ],
    [
      'if (taken > 0) this.#waiting.took(taken)();',
      'if (taken >= 0) this.#waiting.took(taken)();',
      'To take nothing from the queue changes nothing.',
    ],
  ],
  'src/replication/disk/wire/send-queue.ts': [
    ['this.#last = undefined;', ';', 'Nothing is added any more to a queue that was cleared.'],
  ],
  'src/replication/disk/wire/frame-reader.ts': [
    ['#partial = Buffer.alloc(0);', '#partial = Buffer.alloc(1);', SET_FIRST],
    ...['if (this.#partialLength === 0 && bytes.length > FRAME_HEADER_BYTES) {', 'if (false) {'].map(
      (after): Equivalent => [
        'if (this.#partialLength === 0 && bytes.length >= FRAME_HEADER_BYTES) {',
        after,
        NOT_COPIED,
      ],
    ),
    ['if (bytes.length >= length) {', 'if (bytes.length > length) {', NOT_COPIED],
    ['if (bytes.length >= length) {', 'if (false) {', NOT_COPIED],
    ...[4095, 4097].map((bytes): Equivalent => [
      'const larger = Buffer.allocUnsafeSlow(Math.max(length, 4096));',
      `const larger = Buffer.allocUnsafeSlow(Math.max(length, ${bytes}));`,
      TUNING,
    ]),
  ],
  'src/replication/disk/format/crc32.ts': [
    [
      'const crcOfSome: (bytes: Uint8Array, before?: number) => number = zlib.crc32 ?? crc32ByTable;',
      'const crcOfSome: (bytes: Uint8Array, before?: number) => number = zlib.crc32;',
      'The zlib of every Node that the suite runs on has it; the table has tests of its own.',
    ],
    [
      'const table = new Uint32Array(256).map((_, byte) => {',
      'const table = new Uint32Array(257).map((_, byte) => {',
      'No byte is 256.',
    ],
  ],
};
