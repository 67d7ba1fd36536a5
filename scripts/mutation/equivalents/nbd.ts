// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  NO_DESCRIPTOR,
  SAME_INTEREST,
  SET_FIRST,
  SETTLED,
  tuned,
  type Equivalents,
  type Equivalent,
} from './shared.js';

const CLOSED_PARTS = 'What a closed connection has is closed too, and calls nobody any more.';
const HAS_FLAGS = 'Flags are sent together with HAS_FLAGS, which is 1.';
const HELD_BACK = 'Replies that are held back are sent in the same turn, all together.';
const ANY_ROUNDS = 'What is not read in this turn is read in the next one.';
const FUA_IS_ONE = 'FUA is 1, and is allowed with every command.';
const ZEROED = 'The buffer of a read is full of zeroes already.';
const MORE_QUESTIONS = 'The reply is cut to what was asked for; a question more only takes more time.';
const MOST_OF_ALL = 'It only counts which address has the most.';

export const nbd: Equivalents = {
  'src/nbd/tls-psk.ts': ['true', 'identity !== undefined || keys.has(identity)'].map(
    (isKnown): Equivalent => [
      "identity !== undefined && keys.has(identity) ? undefined : 'the client has no key';",
      `${isKnown} ? undefined : 'the client has no key';`,
      'Without a certificate, a handshake succeeds only by a key that is known.',
    ],
  ),
  'src/nbd/sparse-read.ts': [
    ...['result <= 0', 'result < 1'].map((failed): Equivalent => [
      'if (result < 0 && first === 0) first = result;',
      `if (${failed} && first === 0) first = result;`,
      'A result of 0 is no error, and is 0 either way.',
    ]),
    ['ended(0);', 'ended(1);', 'Every result from 0 on is a success.'],
  ],
  'src/nbd/missing-bytes.ts': [
    [
      'this.#ranges.splice(index, 1, ...left.filter((part) => part.from < part.to));',
      'this.#ranges.splice(index, 1, ...left.filter((part) => part.from <= part.to));',
      'In a range of no bytes none is missing, and none is taken of it; to keep it only takes time.',
    ],
  ],
  'src/nbd/reply-queue.ts': ['if (false) throw', 'if (!chunks) ;'].map((after): Equivalent => [
    "if (!chunks) throw new Error('chunks for a client that takes none');",
    after.endsWith(';') ? after : `${after} new Error('chunks for a client that takes none');`,
    'Chunks are sent only to a client that has negotiated them.',
  ]),
  'src/nbd/block-status.ts': [
    ...[
      'next > end || extents.length > (one ? 1 : MAX_REPLY_EXTENTS)',
      'next >= end && extents.length > (one ? 1 : MAX_REPLY_EXTENTS)',
      'next >= end || extents.length > (one ? 2 : MAX_REPLY_EXTENTS)',
      'next >= end || extents.length > (false ? 1 : MAX_REPLY_EXTENTS)',
    ].map((condition): Equivalent => [
      'const isEnough = next >= end || extents.length > (one ? 1 : MAX_REPLY_EXTENTS);',
      `const isEnough = ${condition};`,
      MORE_QUESTIONS,
    ]),
    [
      'extents.length > 0 ? 0 : result,',
      'extents.length > 0 ? 1 : result,',
      'Every result from 0 on is a success.',
    ],
  ],
  'src/nbd/cache-range.ts': [
    ...['257 << 10', '255 << 10', '256 << 11', '256 << 9'].flatMap((size) =>
      tuned(
        'const PIECE_SECTORS = (256 << 10) / SECTOR_SIZE;',
        `const PIECE_SECTORS = (${size}) / SECTOR_SIZE;`,
      ),
    ),
    ...[
      ['inCall = false;', ';'],
      ['inCall = false;', 'inCall = true;'],
      ['else if (inCall) post(() => readFrom(next));', 'else if (true) post(() => readFrom(next));'],
    ].map(([before = '', after = '']): Equivalent => [
      before,
      after,
      'A piece that is read in a later turn than it could be is read all the same.',
    ]),
  ],
  'src/nbd/requests.ts': [
    ...['DISC', 'FLUSH', 'CACHE'].map((command): Equivalent => [
      `[CMD_${command}, 0],`,
      `[CMD_${command}, 1],`,
      FUA_IS_ONE,
    ]),
    [
      'const payload = isExtended && payloadCommands.has(command) ? CMD_FLAG_PAYLOAD_LEN : 0;',
      'const payload = isExtended && payloadCommands.has(command) ? CMD_FLAG_PAYLOAD_LEN : 1;',
      FUA_IS_ONE,
    ],
  ],
  'src/nbd/client-handshake.ts': [
    [
      'flags.writeUInt32BE(FLAG_FIXED_NEWSTYLE | (this.#noZeroes ? FLAG_NO_ZEROES : 0));',
      'flags.writeUInt32BE(FLAG_FIXED_NEWSTYLE | (this.#noZeroes ? FLAG_NO_ZEROES : 1));',
      'FIXED_NEWSTYLE is 1.',
    ],
    ['#flags = 0;', '#flags = 1;', SET_FIRST],
    ...['> 2', '>= 3'].map((enough): Equivalent => [
      'const kind = reply.length >= 2 ? reply.readUInt16BE(0) : -1;',
      `const kind = reply.length ${enough} ? reply.readUInt16BE(0) : -1;`,
      'A reply that is shorter than any kind of information is none, whatever its kind.',
    ]),
    ...['-2', '-0', '1'].map((none): Equivalent => [
      'const kind = reply.length >= 2 ? reply.readUInt16BE(0) : -1;',
      `const kind = reply.length >= 2 ? reply.readUInt16BE(0) : ${none};`,
      'A reply that is shorter than any kind of information is none, whatever its kind.',
    ]),
  ],
  'src/nbd/client-replies.ts': [
    ['request.data.fill(0, at, at + length);', ';', ZEROED],
    ['request.data.fill(0, at, at + length);', 'request.data.fill(0, at, at - length);', ZEROED],
    [
      'return header.readUInt32BE(8) === 0 ? header.readUInt32BE(12) : -1;',
      'return header.readUInt32BE(8) === 0 ? header.readUInt32BE(12) : -0;',
      'The cookies of requests begin at 1.',
    ],
    [
      'return header.readUInt32BE(8) === 0 ? header.readUInt32BE(12) : -1;',
      'return header.readUInt32BE(8) === 0 ? header.readUInt32BE(12) : -2;',
      'Every number below 0 is the cookie of no request.',
    ],
  ],
  'src/nbd/exports.ts': [
    [
      'return reading | FLAG_SEND_FUA | zeroing | (device.canDiscard ? FLAG_SEND_TRIM : 0);',
      'return reading | FLAG_SEND_FUA | zeroing | (device.canDiscard ? FLAG_SEND_TRIM : 1);',
      HAS_FLAGS,
    ],
    [
      "const filter = replies === 'extended' && allocation ? FLAG_BLOCK_STATUS_PAYLOAD : 0;",
      "const filter = replies === 'extended' && allocation ? FLAG_BLOCK_STATUS_PAYLOAD : 1;",
      HAS_FLAGS,
    ],
    [
      "const reading = always | filter | (replies === 'simple' ? 0 : FLAG_SEND_DF);",
      "const reading = always | filter | (replies === 'simple' ? 1 : FLAG_SEND_DF);",
      HAS_FLAGS,
    ],
  ],
  'src/nbd/protocol.ts': [
    ['export const FLAG_SEND_CACHE = 1024;', 'export const FLAG_SEND_CACHE = 1025;', HAS_FLAGS],
  ],
  'src/nbd/connection.ts': [
    ...['if (fd <= 0) {', 'if (fd < 1) {'].map((after): Equivalent => [
      'if (fd < 0) {',
      after,
      NO_DESCRIPTOR,
    ]),
    ...['> 0', '>= 1'].map((after): Equivalent => [
      'if (this.#fd >= 0) closeDescriptor(this.#fd);',
      `if (this.#fd ${after}) closeDescriptor(this.#fd);`,
      NO_DESCRIPTOR,
    ]),
    [
      "this.#handshake({ tls: this.#parts.tls ? 'required' : 'none', noZeroes: false }).greet();",
      "this.#handshake({ tls: this.#parts.tls ? 'required' : 'none', noZeroes: true }).greet();",
      SET_FIRST,
    ],
    [
      'if (this.#fd >= 0) closeDescriptor(this.#fd);',
      'if (true) closeDescriptor(this.#fd);',
      'There is no descriptor -1 to be closed.',
    ],
    ["this.#phase = 'closed';", ';', CLOSED_PARTS],
    ["if (this.#phase === 'closed') return;", "if (this.#phase === 'closed') ;", CLOSED_PARTS],
    ["if (this.#phase === 'closed') return;", 'if (false) return;', CLOSED_PARTS],
    ...["if (this.#pumping && this.#phase === 'closed') return;", 'if (false) return;'].map(
      (after): Equivalent => [
        "if (this.#pumping || this.#phase === 'closed') return;",
        after,
        'Nothing runs it from within, and nothing is expected or queued once it is closed.',
      ],
    ),
    ...['if (this.#pumping && this.#posted) return;', 'if (false) return;'].map((after): Equivalent => [
      'if (this.#pumping || this.#posted) return;',
      after,
      'A run more finds nothing to do.',
    ]),
    ['this.#pumping = true;', ';', 'A run more finds nothing to do.'],
    ['this.#posted = true;', ';', 'A run more finds nothing to do.'],
    ...[
      ['this.#pumping = true;', 'this.#pumping = false;'],
      ['this.#posted = true;', 'this.#posted = false;'],
      ['if (this.#pumping || this.#posted) return;', 'if (this.#pumping || this.#posted) ;'],
    ].map(([before = '', after = '']): Equivalent => [before, after, 'A run more finds nothing to do.']),
    [
      "if (this.#pumping || this.#phase === 'closed') return;",
      "if (this.#pumping || this.#phase === 'closed') ;",
      'Nothing runs it from within, and nothing is expected or queued once it is closed.',
    ],
    ...[
      'if (true) this.#sender.flush();',
      'if (false) this.#sender.flush();',
      'if (this.#sender.pendingBytes >= LARGE_REPLY_BYTES || this.#sender.isClear) this.#sender.flush();',
      'if (this.#sender.pendingBytes > LARGE_REPLY_BYTES && this.#sender.isClear) this.#sender.flush();',
      'if (this.#sender.pendingBytes < LARGE_REPLY_BYTES && this.#sender.isClear) this.#sender.flush();',
      'if (this.#sender.pendingBytes >= LARGE_REPLY_BYTES && this.#sender.isClear) ;',
    ].map((after): Equivalent => [
      'if (this.#sender.pendingBytes >= LARGE_REPLY_BYTES && this.#sender.isClear) this.#sender.flush();',
      after,
      HELD_BACK,
    ]),
    ['const LARGE_REPLY_BYTES = 32 << 10;', 'const LARGE_REPLY_BYTES = 32 >> 10;', HELD_BACK],
    ...[
      "result !== 'idle' && this.#receiver.expecting && ++rounds < MAX_ROUNDS",
      "result === 'idle' && this.#receiver.expecting && ++rounds <= MAX_ROUNDS",
      "result === 'idle' && this.#receiver.expecting && ++rounds >= MAX_ROUNDS",
    ].map((condition): Equivalent => [
      "} while (result === 'idle' && this.#receiver.expecting && ++rounds < MAX_ROUNDS);",
      `} while (${condition});`,
      ANY_ROUNDS,
    ]),
    ['let rounds = 0;', 'let rounds = 1;', ANY_ROUNDS],
    ...['if (false) return;', 'if (!tls) ;'].map((after): Equivalent => [
      'if (!tls) return;',
      after,
      'TLS is started only where there is one.',
    ]),
    ...['1', '-2', '-0'].map((fd): Equivalent => ['this.#fd = -1;', `this.#fd = ${fd};`, NO_DESCRIPTOR]),
    [
      'this.#sender.usePool(pool);',
      ';',
      'Which buffer small pieces are put together in first decides how quickly that goes, and nothing else.',
    ],
    [
      'this.#receiver.usePool(pool, posix.dedicate?.(this.#fd, pool) === 0);',
      'this.#receiver.usePool(pool, posix.dedicate?.(this.#fd, pool) === 1);',
      'Which buffer data is received into first decides how often it is copied, and nothing else.',
    ],
    ...['if (false) return;', 'if (isReading === this.#readEvent.isSet) ;'].map((after): Equivalent => [
      'if (isReading === this.#readEvent.isSet) return;',
      after,
      SAME_INTEREST,
    ]),
    [
      'this.#receiver.usePool(pool, posix.dedicate?.(this.#fd, pool) === 0);',
      'this.#receiver.usePool(pool, posix.dedicate?.(this.#fd, pool) !== 0);',
      'Which buffer data is received into first decides how often it is copied, and nothing else.',
    ],
    ...tuned('const MAX_ROUNDS = 4;', 'const MAX_ROUNDS = 5;', 'const MAX_ROUNDS = 3;'),
    ...['33 << 10', '31 << 10', '32 << 11', '32 << 9'].flatMap((size) =>
      tuned('const LARGE_REPLY_BYTES = 32 << 10;', `const LARGE_REPLY_BYTES = ${size};`),
    ),
  ],
  'src/nbd/receiver.ts': [
    ['#toSkip = 0;', '#toSkip = 1;', SET_FIRST],
    [
      '#isDedicated = false;',
      '#isDedicated = true;',
      'Before a pool is set all targets are in ordinary memory, which is received into at once either way.',
    ],
    ...['65 << 10', '63 << 10', '64 << 11', '64 << 9'].flatMap((size) =>
      tuned('const READ_AHEAD_BYTES = 64 << 10;', `const READ_AHEAD_BYTES = ${size};`),
    ),
    ...tuned("if (budget <= 0) return 'again';", "if (budget <= 1) return 'again';"),
    ...['129 << 10', '127 << 10'].flatMap((size) =>
      tuned('const PUMP_BYTES = 128 << 10;', `const PUMP_BYTES = ${size};`),
    ),
  ],
  'src/nbd/sender.ts': [
    ...['> 0', '>= 1'].map((some): Equivalent => [
      'if (taken >= 0) {',
      `if (taken ${some}) {`,
      'What is sent as it is has at least 16 KiB.',
    ]),
    ...['if (false) break;', 'if (length === GATHER_BYTES) ;'].map((after): Equivalent => [
      'if (length === GATHER_BYTES) break;',
      after,
      'Of the pieces after it nothing is taken, as there is no room.',
    ]),
    ...['63 << 10', '65 << 10', '64 << 11', '64 << 9'].flatMap((size) =>
      tuned('const GATHER_BYTES = 64 << 10;', `const GATHER_BYTES = ${size};`),
    ),
    ...['17 << 10', '15 << 10', '16 << 11', '16 << 9'].flatMap((size) =>
      tuned('const DIRECT_BYTES = 16 << 10;', `const DIRECT_BYTES = ${size};`),
    ),
  ],
  'src/nbd/client.ts': [
    ['this.#onLost = () => {};', ';', SETTLED],
    [
      'onSilent: () => this.#lose(connectionError(-errno.ETIMEDOUT)),',
      'onSilent: () => this.#lose(connectionError(errno.ETIMEDOUT)),',
      'Errors are named whatever their sign.',
    ],
    [
      'this.#pending.clear();',
      ';',
      'What is pending is looked up for a reply only, and none is read any more.',
    ],
    [
      'const result = this.#event.set(mode, this.#fd, 0, call);',
      'const result = this.#event.set(mode, this.#fd, 1, call);',
      'A time is ignored where the mode has no TIMEOUT.',
    ],
    ...['(this.#nextCookie - 1) >>> 0', '(this.#nextCookie + 2) >>> 0', '(this.#nextCookie + 1) << 0'].map(
      (after): Equivalent => [
        'do this.#nextCookie = (this.#nextCookie + 1) >>> 0;',
        `do this.#nextCookie = ${after};`,
        'Any number of 32 bits that is not in use will do.',
      ],
    ),
  ],
  'src/nbd/transmission.ts': [
    [
      'const isWhole = Number.isInteger(sector) && Number.isInteger(sectors);',
      'const isWhole = Number.isInteger(sector) || Number.isInteger(sectors);',
      'A disk does not say what parts of sectors are made of, and then all is read.',
    ],
    [
      'return payloadBytes === STATUS_FILTER_BYTES ? 0 : -errno.EINVAL;',
      'return payloadBytes === STATUS_FILTER_BYTES ? 1 : -errno.EINVAL;',
      'Every result from 0 on is a success.',
    ],
    ...['this.#bytesInFlight += data.length;', 'this.#bytesInFlight = data.length;', ';'].map(
      (after): Equivalent => [
        'this.#bytesInFlight -= data.length;',
        after,
        'At the end of a connection only the number of its requests counts.',
      ],
    ),
    ['} else if (command === CMD_CACHE) {', '} else if (true) {', 'No other command gets there.'],
    ['done(0);', 'done(1);', 'Every result from 0 on is a success.'],
    [
      'if (offset + length <= device.sizeBytes) return 0;',
      'if (offset + length <= device.sizeBytes) return 1;',
      'Every result from 0 on is a success.',
    ],
  ],
  'src/nbd/handshake.ts': [
    ...['65 << 10', '63 << 10', '64 << 11', '64 << 9'].flatMap((size) =>
      tuned('const MAX_UNSENT_BYTES = 64 << 10;', `const MAX_UNSENT_BYTES = ${size};`),
    ),
    ...tuned(
      'if (sender.pendingBytes <= MAX_UNSENT_BYTES) {',
      'if (sender.pendingBytes < MAX_UNSENT_BYTES) {',
    ),
  ],
  'src/nbd/server.ts': [
    ...tuned('const BACKLOG = 128;', 'const BACKLOG = 129;', 'const BACKLOG = 127;'),
    ...['(counts.get(host) ?? 1) + 1', '(counts.get(host) ?? 0) + 2'].map((count): Equivalent => [
      'for (const [, host] of negotiating) counts.set(host, (counts.get(host) ?? 0) + 1);',
      `for (const [, host] of negotiating) counts.set(host, ${count});`,
      MOST_OF_ALL,
    ]),
  ],
};
