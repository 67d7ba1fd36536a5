// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { MOMENTS, NO_DESCRIPTOR, SET_FIRST, tuned, type Equivalents, type Equivalent } from './shared.js';

const MIXED =
  'Both sides make the bytes in the same way, and those of other streams and places still differ.';
const ANY_LENGTH = 'How much is sent decides nothing: streams of every length are checked in the same way.';
const ANY_SEGMENT = 'Pieces of any size carry the same bytes.';
const PATIENCE = 'A server that waits for the real world is not in select after any number of turns.';
const LEFT_EVENTS =
  'if (node.eventCount > 0) violations.add(node.name, `${node.eventCount} events are left after stop`);';
const NO_LEFT_EVENTS = 'A side that was stopped leaves no event unless the simulation itself has a fault.';

export const testing: Equivalents = {
  'src/testing/byte-ring.ts': [
    ...tuned(
      'this.#bytes = new Uint8Array(2 * length);',
      'this.#bytes = new Uint8Array(3 * length);',
      'this.#bytes = new Uint8Array(1 * length);',
    ),
    ['if (count <= 0) return 0;', 'if (count < 0) return 0;', 'Of no bytes none are copied.'],
  ],
  'src/testing/listener-descriptor.ts': ['fd > 0', 'fd >= 1'].map((after): Equivalent => [
    'if (fd >= 0) this.#waiting.shift();',
    `if (${after}) this.#waiting.shift();`,
    NO_DESCRIPTOR,
  ]),
  'src/testing/invariants/watched-connect.ts': [
    ...['fd > 0', 'fd >= 1'].map((after): Equivalent => [
      'if (fd >= 0) this.#descriptors.add(fd);',
      `if (${after}) this.#descriptors.add(fd);`,
      NO_DESCRIPTOR,
    ]),
    ['#outcome = 0;', '#outcome = 1;', SET_FIRST],
    ...['value > 0', 'value >= 1'].map((after): Equivalent => [
      'if (option === SO_ERROR && value >= 0) this.#outcome = value;',
      `if (option === SO_ERROR && ${after}) this.#outcome = value;`,
      'After a connect that has ended well no other follows without a start, which forgets the outcome.',
    ]),
  ],
  'src/testing/invariants/checked-streams.ts': [
    ...['2654435762', '2654435760'].map((factor): Equivalent => [
      'let word = Math.imul(position ^ Math.imul(stream, 0x9e3779b1), 0x85ebca6b);',
      `let word = Math.imul(position ^ Math.imul(stream, ${factor}), 0x85ebca6b);`,
      MIXED,
    ]),
    ...['2246822508', '2246822506'].map((factor): Equivalent => [
      'let word = Math.imul(position ^ Math.imul(stream, 0x9e3779b1), 0x85ebca6b);',
      `let word = Math.imul(position ^ Math.imul(stream, 0x9e3779b1), ${factor});`,
      MIXED,
    ]),
    ...[';', 'word ^= word << 13;', 'word ^= word >>> 14;', 'word ^= word >>> 12;'].map(
      (after): Equivalent => ['word ^= word >>> 13;', after, MIXED],
    ),
    ...['3266489910) >>> 24', '3266489908) >>> 24', '0xc2b2ae35) >>> 23'].map((after): Equivalent => [
      'return (Math.imul(word, 0xc2b2ae35) >>> 24) & 0xff;',
      `return (Math.imul(word, ${after}) & 0xff;`,
      MIXED,
    ]),
  ],
  'src/testing/host.ts': [
    ['this.#others = [];', ';', 'A process that has died has nothing, and cannot die again.'],
  ],
  'src/testing/simulation/simulate.ts': [
    ...['false', 'node.eventCount > 1'].map((condition): Equivalent => [
      LEFT_EVENTS,
      LEFT_EVENTS.replace('node.eventCount > 0', condition),
      NO_LEFT_EVENTS,
    ]),
    [LEFT_EVENTS, 'if (node.eventCount > 0) ;', NO_LEFT_EVENTS],
    [
      'const STAY_SECONDS = 5;',
      'const STAY_SECONDS = 6;',
      'A connection that stays for so long stays for another second: nothing happens any more.',
    ],
  ],
  'src/testing/files/change.ts': [
    [
      'const length = Math.min(grain - ((position + at) % grain), bytes.length - at);',
      'const length = Math.min(grain - ((position + at) % grain), bytes.length + at);',
      'A piece ends where the bytes end, whatever its length is said to be.',
    ],
  ],
  'src/testing/files/host-files.ts': [
    ...['9', '11'].map((part): Equivalent => [
      'const lasts = random.between(longest / 10, longest);',
      `const lasts = random.between(longest / ${part}, longest);`,
      'A call takes some time, and at most the longest: how little is nobody’s to rely on.',
    ]),
    [
      "for (let end = path.indexOf('/', 1); end > 0; end = path.indexOf('/', end + 1))",
      "for (let end = path.indexOf('/', 1); end >= 0; end = path.indexOf('/', end + 1))",
      'What is looked for from the second character on is not the first.',
    ],
    ...[
      "let end = path.indexOf('/', 2); end > 0; end = path.indexOf('/', end + 1)",
      "let end = path.indexOf('/', 1); end > 1; end = path.indexOf('/', end + 1)",
      "let end = path.indexOf('/', 1); end > 0; end = path.indexOf('/', end + 2)",
    ].map((loop): Equivalent => [
      "for (let end = path.indexOf('/', 1); end > 0; end = path.indexOf('/', end + 1))",
      `for (${loop})`,
      'The second of two slashes in a row ends no other name than the first.',
    ]),
    [
      'system.mkdir(path.slice(0, end));',
      'system.mkdir(path.slice(1, end));',
      'All paths begin at the root, with a slash or without.',
    ],
    [
      "if (typeof file === 'number' || !(file.node instanceof FileNode))",
      "if (typeof file === 'number' && !(file.node instanceof FileNode))",
      'Only a file is opened for writing, and an errno has no node.',
    ],
    [
      'for (let position = 0; position < bytes.length; position += PAGE_BYTES) {',
      'for (let position = 0; position <= bytes.length; position += PAGE_BYTES) {',
      'A hole of no bytes changes nothing.',
    ],
  ],
  'src/testing/files/namespace.ts': [
    ['#moment = 0;', '#moment = 1;', MOMENTS],
    [
      'for (const [name, node] of [...directory.cached].toSorted(([a], [b]) => (a < b ? -1 : 1))) {',
      'for (const [name, node] of [...directory.cached].toSorted(([a], [b]) => (a < b ? -1 : 0))) {',
      'V8 sorts by whether the result is negative.',
    ],
    [
      'for (const [name, node] of [...directory.cached].toSorted(([a], [b]) => (a < b ? -1 : 1))) {',
      'for (const [name, node] of [...directory.cached].toSorted(([a], [b]) => (a <= b ? -1 : 1))) {',
      'No two names in a directory are equal.',
    ],
  ],
  'src/testing/files/survival.ts': [
    ...['pieces.length > 0', 'pieces.length >= 1', 'true'].map((condition): Equivalent => [
      'if (pieces.length > 1) return someOf(pieces, random);',
      `if (${condition}) return someOf(pieces, random);`,
      'A write in one piece is left or lost, by whichever draw.',
    ]),
    ...[
      '[1, 0.1, 0.5, 0.9, 1]',
      '[0, 1.1, 0.5, 0.9, 1]',
      '[0, -0.9, 0.5, 0.9, 1]',
      '[0, 0.1, 1.5, 0.9, 1]',
      '[0, 0.1, -0.5, 0.9, 1]',
      '[0, 0.1, 0.5, 1.9, 1]',
      '[0, 0.1, 0.5, -0.09999999999999998, 1]',
      '[0, 0.1, 0.5, 0.9, 2]',
      '[0, 0.1, 0.5, 0.9, 0]',
    ].map((likely): Equivalent => [
      'const PROBABILITIES = [0, 0.1, 0.5, 0.9, 1];',
      `const PROBABILITIES = ${likely};`,
      'How likely each change is left decides how soon a fault is met, and not whether.',
    ]),
    [
      "if (change.kind !== 'write' || !random.chance(0.25)) return [];",
      "if (change.kind !== 'write' || random.chance(0.25)) return [];",
      'How likely the length is left decides how soon a fault is met, and not whether.',
    ],
    [
      'const cut = random.integer(0, pieces.length);',
      'const cut = random.integer(1, pieces.length);',
      'Where any of the pieces are left, none or all of them may be.',
    ],
    ...['[1, 0.3, 1]', '[0, 1.3, 1]', '[0, -0.7, 1]', '[0, 0.3, 2]', '[0, 0.3, 0]'].map(
      (likely): Equivalent => [
        'const tearing = random.pick([0, 0.3, 1]);',
        `const tearing = random.pick(${likely});`,
        'How likely writes are torn decides how soon a fault is met, and not whether.',
      ],
    ),
  ],
  'src/testing/machine.ts': [
    [
      'const users = (this.#portUsers.get(port) ?? 0) - 1;',
      'const users = (this.#portUsers.get(port) ?? 1) - 1;',
      'A port that nobody uses stays free, whether 0 or -1 are left.',
    ],
  ],
  'src/testing/simulation/life.ts': [
    [
      'const EXCHANGE_SECONDS = 1.5;',
      'const EXCHANGE_SECONDS = 2.5;',
      'How long the two sides talk to each other decides nothing.',
    ],
    [
      'const BEFORE_BACKUP_SECONDS = 1.5;',
      'const BEFORE_BACKUP_SECONDS = 0.5;',
      'The primary is refused at once, and it makes no difference how often.',
    ],
  ],
  'src/testing/simulation/faults.ts': [
    [
      'for (let fd = posix.eventfd(); fd >= 0; fd = posix.eventfd()) taken.push(fd);',
      'for (let fd = posix.eventfd(); fd >= 0; fd = posix.eventfd()) taken.unshift(fd);',
      'They are all closed at one moment, in whatever order.',
    ],
  ],
  'src/testing/files/file-calls.ts': [
    [
      'const part = buffer.subarray(0, random.integer(0, buffer.length));',
      'const part = buffer.subarray(0, random.integer(1, buffer.length));',
      'A part that is less than a sector is taken for all of it, as no part is.',
    ],
  ],
  'src/testing/files/file-system.ts': [
    [
      'this.#lastId = Math.max(this.#lastId, ...operation.entries.map(({ node }) => node?.id ?? 0));',
      'this.#lastId = Math.max(this.#lastId, ...operation.entries.map(({ node }) => node?.id ?? 1));',
      'The number of the root is 1, so the last one is no less.',
    ],
  ],
  'src/testing/simulation/session.ts': [
    ['this.#writeEvent = -1;', 'this.#writeEvent = -2;', 'Every number below 0 is no event.'],
    ...['#readEvent', '#beatEvent'].map((field): Equivalent => [
      `${field}: EventId = -1;`,
      `${field}: EventId = -0;`,
      SET_FIRST,
    ]),
    [
      'this.#readEvent = this.#writeEvent = this.#beatEvent = -1;',
      'this.#readEvent = this.#writeEvent = this.#beatEvent = -0;',
      'The ids of events begin at 1, and a session that was stopped has no other use for them.',
    ],
    [
      'if (id > 0) this.#context.events.unregisterEvent(id);',
      'if (id >= 0) this.#context.events.unregisterEvent(id);',
      'The ids of events begin at 1.',
    ],
    ['const READ_BYTES = 1500;', 'const READ_BYTES = 3000;', ANY_SEGMENT],
    [
      'this.#toSend += this.#context.random.integer(1, 20);',
      'this.#toSend = this.#context.random.integer(1, 20);',
      ANY_LENGTH,
    ],
    ...[
      'integer(1, random.chance(0.15) ? 12_000 : 1500)',
      'integer(0, random.chance(0.15) ? 24000 : 1500)',
      'integer(0, random.chance(1.15) ? 12_000 : 1500)',
      'integer(0, random.chance(-0.85) ? 12_000 : 1500)',
      'integer(0, random.chance(0.15) ? 12_000 : 3000)',
      'integer(0, true ? 12_000 : 1500)',
      'integer(0, false ? 12_000 : 1500)',
    ].map((drawn): Equivalent => [
      'this.#toSend = 4 + random.integer(0, random.chance(0.15) ? 12_000 : 1500);',
      `this.#toSend = 4 + random.${drawn};`,
      ANY_LENGTH,
    ]),
    ...[3, 5].map((bytes): Equivalent => [
      'this.#toSend = 4 + random.integer(0, random.chance(0.15) ? 12_000 : 1500);',
      `this.#toSend = ${bytes} + random.integer(0, random.chance(0.15) ? 12_000 : 1500);`,
      ANY_LENGTH,
    ]),
    ...['0, 20', '2, 20', '1, 21', '1, 19'].map((range): Equivalent => [
      'this.#toSend += this.#context.random.integer(1, 20);',
      `this.#toSend += this.#context.random.integer(${range});`,
      ANY_LENGTH,
    ]),
    [
      'const buffer = new Uint8Array(this.#context.random.integer(1, READ_BYTES));',
      'const buffer = new Uint8Array(this.#context.random.integer(2, READ_BYTES));',
      ANY_SEGMENT,
    ],
  ],
  'src/testing/simulation/scene.ts': [
    [
      'this.#dialect = options.dialect ?? DEFAULT_DIALECT;',
      'this.#dialect = options.dialect;',
      'A server has the same default.',
    ],
  ],
  'src/testing/world.ts': [
    ...[16_383, 16_385].map((segmentBytes): Equivalent => [
      'this.#buffers = { sendBytes: 65_536, receiveBytes: 65_536, segmentBytes: 16_384, ...options.buffers };',
      `this.#buffers = { sendBytes: 65_536, receiveBytes: 65_536, segmentBytes: ${segmentBytes}, ...options.buffers };`,
      ANY_SEGMENT,
    ]),
    ['const MAX_IDLE_TURNS = 1000;', 'const MAX_IDLE_TURNS = 2000;', PATIENCE],
    ['if (turns > MAX_IDLE_TURNS) {', 'if (turns >= MAX_IDLE_TURNS) {', PATIENCE],
  ],
  'src/testing/files/content.ts': [
    [
      'this.punch(size, end - size);',
      'this.punch(size, end + size);',
      'After the end of the file there is nothing to be punched.',
    ],
    [
      'if (part.length === PAGE_BYTES) this.#pages.set(page, part);',
      'if (false) this.#pages.set(page, part);',
      'A page that is written whole may be copied as well as kept; to keep it only takes less time.',
    ],
  ],
  'src/testing/endpoint.ts': [
    ...['true', 'false'].map((condition): Equivalent => [
      'const piece = this.sending.next(whole ? buffers.segmentBytes : random.integer(1, buffers.segmentBytes));',
      `const piece = this.sending.next(${condition} ? buffers.segmentBytes : random.integer(1, buffers.segmentBytes));`,
      ANY_SEGMENT,
    ]),
    ...['1.75', '-0.25'].map((chance): Equivalent => [
      'const whole = random.chance(0.75);',
      `const whole = random.chance(${chance});`,
      ANY_SEGMENT,
    ]),
    ['#helloAt = 0;', '#helloAt = 1;', SET_FIRST],
    [
      "if (segment.from !== undefined) this.host.send(bareSegment('RST', this), segment.from);",
      "if (true) this.host.send(bareSegment('RST', this), segment.from);",
      'Only a reset has no sender, and a reset is not refused.',
    ],
  ],
  'src/testing/event-queue.ts': ['1', '-2', '-0'].map((position): Equivalent => [
    'const event: FutureEvent = { atMicroseconds, sequence: this.#sequence++, action, position: -1 };',
    `const event: FutureEvent = { atMicroseconds, sequence: this.#sequence++, action, position: ${position} };`,
    SET_FIRST,
  ]),
  'src/testing/trace.ts': [
    [
      'if (this.#lines.length >= 2 * this.#limit) this.#dropOldest();',
      'if (this.#lines.length > 2 * this.#limit) this.#dropOldest();',
      'At most twice as many lines as asked for are kept, whether the last of these goes at once or with the next.',
    ],
  ],
  'src/testing/stream-descriptor.ts': [
    ['#connectError = 0;', '#connectError = 1;', SET_FIRST],
    ['#isBoundByConnect = false;', '#isBoundByConnect = true;', SET_FIRST],
    [
      "stream.#phase = 'connected';",
      ';',
      'The segment with which a listener takes a connection reports a change too, which sets the same phase.',
    ],
    [
      'if (address.family === AF_UNIX) this.#local = address;',
      'if (false) this.#local = address;',
      'A path has no port, and an undefined one is none.',
    ],
    ...['port <= 0', 'port < 1'].map((condition): Equivalent => [
      'if (port < 0) return port;',
      `if (${condition}) return port;`,
      'A port that was found or asked for is above 0.',
    ]),
    ...['false', 'local.family === AF_UNIX && source.family === AF_UNIX'].map((condition): Equivalent => [
      'if (local.family === AF_UNIX || source.family === AF_UNIX) return local;',
      `if (${condition}) return local;`,
      'Both are of one family, and the path of a Unix socket is no wildcard.',
    ]),
  ],
  'src/testing/simulated-posix.ts': [['#opened = 0;', '#opened = 1;', MOMENTS]],
  'src/testing/simulated-poller.ts': [
    ['#isDue = false;', '#isDue = true;', SET_FIRST],
    [
      'const isLater = before.position >= 0 && before.atMicroseconds <= after.atMicroseconds;',
      'const isLater = before.position >= 0 && before.atMicroseconds < after.atMicroseconds;',
      'Of two ends at one moment either serves.',
    ],
    [
      'return (this.slot.descriptor?.ready ?? 0) & this.interest;',
      'return (this.slot.descriptor?.ready) & this.interest;',
      'There are no bits in undefined.',
    ],
    [
      'return (this.slot.descriptor?.ready ?? 0) & this.interest;',
      'return (this.slot.descriptor?.ready ?? 1) & this.interest;',
      'A number that is not open makes select fail, whatever else is ready.',
    ],
  ],
};
