// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Mutation } from './mutations.js';

/** Mutations that change nothing that anybody could observe, with the reason. */
type Equivalent = readonly [before: string, after: string, reason: string];

const SET_FIRST = 'It is set before it is read.';
const ALWAYS_THERE = 'It is always there, which its type does not say.';
const TUNING = 'How much is put together decides how many calls it takes, and nothing else.';
const CANDIDATE = 'One candidate more, which is passed over when its turn comes as nothing is ready for it.';
const CANDIDATES_IN_ORDER =
  'Candidates come out of their heap in the order of registration, in whatever order they are put in.';
const OUTSIDE_OF_PASS =
  'Outside of a pass no bit is set: an event that is due is one candidate more, and what was unregistered is noted again.';
const READ_FIRST =
  'READ is the first bit that an event fires by, so one that asks for it never leaves it set.';
const ALL_FREED = 'All the dead are freed, in whatever order.';
const OTHER_WORD = 'Any word will do that is no other one.';
const ANY_SLOT = 'Every slot will do that is free.';
const NO_SLOT = 'Every number below 0 is no slot.';
const NO_OTHER_STATE = 'Any number will do that is no state of a slot that a worker can take or has taken.';
const WOKEN_ONCE_MORE =
  'A worker that is awake, and is still taken for asleep, is only woken once too often.';
const NOTHING_TO_REAP = 'Of a ring whose calls are all completed nothing is reaped.';
const MIXED =
  'Both sides make the bytes in the same way, and those of other streams and places still differ.';
const WHICH_SPARE = 'It makes no difference which of the spare buffers is used.';
const PUT_BACK = 'An extent that is replaced without overlapping is put back as it was.';
const MOMENTS = 'Moments are only compared with each other.';
const FIRST_THREAD = 'There is always a first thread.';
const NOT_COPIED = 'A message that comes whole is not copied; one that is copied is the same.';
const MEMORY_FITS = 'A memory of 1024 pages satisfies an import of fewer, or of more at most.';
const NO_DESCRIPTOR = 'There is no descriptor below 3.';
const THROWN_ON = 'Nothing but a StateError is thrown there unless the program has a fault.';
const IN_PRIMARIES = 'What a backup has in place of it is asked of primaries only.';
const WHILE_OPEN = 'Only an open disk has a status, and an open disk has all of its parts.';
const LOOKS_AGAIN = 'Who waits for room looks again, and waits on if there is none.';
const IN_RECORD = 'Data begins after the first block of a record.';
const CLOSED_PARTS = 'What a closed connection has is closed too, and calls nobody any more.';
const EVENT_IDS = 'The ids of events begin at 1.';
const PLACE = 'Which slot an id is put in decides how soon it is found, and nothing else.';
const SEQUENCES = 'Sequence numbers are only compared with each other.';
const THREE_MODES = 'There is no fourth condition: nothing asks for it.';
const ANY_LENGTH = 'How much is sent decides nothing: streams of every length are checked in the same way.';
const ANY_SEGMENT = 'Pieces of any size carry the same bytes.';
const CLOSED_WHOLE = 'All is in the file once that is closed; early answers only take less time.';
const ASKED_OPEN = 'Nothing is asked of an image that is closed.';
const SLOWEST_FIRST =
  'One that took no longer than the quickest of ten is put after it, and dropped; to ask first only takes less time.';
const SETTLED = 'A promise that has settled stays as it is.';
const PATIENCE = 'A server that waits for the real world is not in select after any number of turns.';
const HAS_FLAGS = 'Flags are sent together with HAS_FLAGS, which is 1.';
const SYSTEM_ERRORS = 'Nothing but a system error is thrown there unless the program has a fault.';
const SAME_INTEREST = 'To ask a poller for the same once more changes nothing.';
const WRITTEN_AHEAD = 'How much is written back ahead decides how long the pause is, and nothing else.';
const ANY_IDLE = 'Whichever of the idle processes gets a script, it runs it.';
const ALWAYS_OPENS = 'The image can be opened: it was read just before.';
const NEXT_THROWS = 'The next line throws without it.';
const OUR_FAULT = 'Nothing else is thrown there unless the program has a fault.';
const ZEROES_ALREADY = 'What is a hole now is read, found to be zeroes, and left as it is.';
const NO_DATA = 'Nobody looks at the buffer of a request without data.';
const HELD_BACK = 'Replies that are held back are sent in the same turn, all together.';
const ANY_ROUNDS = 'What is not read in this turn is read in the next one.';
const FUA_IS_ONE = 'FUA is 1, and is allowed with every command.';
const ZEROED = 'The buffer of a read is full of zeroes already.';
const MORE_QUESTIONS = 'The reply is cut to what was asked for; a question more only takes more time.';
const MOST_OF_ALL = 'It only counts which address has the most.';
const GETUID = 'Every system that the package runs on has getuid.';

/** A size that only decides how much is handled at once. */
const tuned = (before: string, ...afters: readonly string[]): Equivalent[] =>
  afters.map((after) => [before, after, TUNING]);

/** What passes on errors that are no StateError. */
const STATE_ERRORS_ONLY: readonly Equivalent[] = [
  ['if (!(error instanceof StateError)) throw error;', 'if (false) throw error;', THROWN_ON],
  ['if (!(error instanceof StateError)) throw error;', 'if (!(error instanceof StateError)) ;', THROWN_ON],
];

/** Where a number is put in a hash table. */
const placed = (before: string, ...afters: readonly string[]): Equivalent[] =>
  afters.map((after) => [before, after, PLACE]);

/** A result that is a descriptor, or a negative errno. */
const descriptorOrErrno = (before: string): Equivalent[] =>
  [
    ['< 0', '<= 0'],
    ['< 0', '< 1'],
    ['>= 0', '> 0'],
    ['>= 0', '>= 1'],
  ].flatMap(([from = '', to = '']): Equivalent[] =>
    before.includes(` ${from}`) ? [[before, before.replace(from, to), NO_DESCRIPTOR]] : [],
  );

/** An assertion, with what is thrown where it does not hold: it always does. */
const alwaysHolds = (condition: string, thrown: string, reason: string): Equivalent[] =>
  [`if (false) ${thrown}`, `if (${condition}) ;`].map((after) => [
    `if (${condition}) ${thrown}`,
    after,
    reason,
  ]);

/** A default for a part that is undefined where it is not needed. */
const withoutDefault = (parts: readonly string[], of: string, reason: string): Equivalent[] =>
  parts.map((part) => [
    of.replaceAll('PART', part),
    of.replaceAll('PART', part).replace(/ \?\? .*;/, ';'),
    reason,
  ]);

/** The condition of a loop over the modes of descriptors, with one round more. */
function noFourthMode(): Equivalent {
  const loop = (comparison: string): string =>
    `for (let index = 0; index ${comparison} DESCRIPTOR_MODES.length; index++) {`;
  return [loop('<'), loop('<='), THREE_MODES];
}

/** An argument that a tuple was checked to have. */
function checkedArgument(): Equivalent[] {
  return ['if (argument === undefined) ;', 'if (false) return;'].map((after) => [
    'if (argument === undefined) return;',
    after,
    ALWAYS_THERE,
  ]);
}

/** Where the search for a piece's slot begins. */
const spread = (hash: string): Equivalent => [
  'let slot = (Math.imul(piece, 0x9e37_79b1) >>> 7) & this.#mask;',
  `let slot = ${hash} & this.#mask;`,
  'However pieces are spread over the slots, each is found; well spread ones take fewer steps.',
];

const LEFT_EVENTS =
  'if (node.eventCount > 0) violations.add(node.name, `${node.eventCount} events are left after stop`);';
const NO_LEFT_EVENTS = 'A side that was stopped leaves no event unless the simulation itself has a fault.';

const EQUIVALENTS: Readonly<Record<string, readonly Equivalent[]>> = {
  'src/cli/table-text.ts': [
    ['if (excess <= 0) break;', 'if (excess < 0) break;', 'From a table that just fits nothing is cut.'],
    [
      "const width = Math.max(clip.minWidth, widest(cells.map((row) => row[column] ?? '')) - excess);",
      'const width = Math.max(clip.minWidth, widest(cells.map((row) => row[column])) - excess);',
      ALWAYS_THERE,
    ],
  ],
  'src/cli/command-line/parse-values.ts': [
    [
      "given.set(key, [...before, value ?? '']);",
      'given.set(key, [...before, value]);',
      'Of an option without a value only the number of times counts.',
    ],
  ],
  'src/cli/command-line/value-type.ts': [
    [
      'const mode = /^0?[0-7]{3}$/.test(value) ? Number.parseInt(value, 8) : 0;',
      'const mode = /^0?[0-7]{3}$/.test(value) ? Number.parseInt(value, 8) : 1;',
      'Permissions without those of the owner are refused, whatever they are.',
    ],
  ],
  'src/cli/ctl/daemon-commands.ts': [';', 'throw error;'].map((thrown): Equivalent => [
    'if (!(error instanceof TypeError)) throw error;',
    thrown === ';' ? 'if (!(error instanceof TypeError)) ;' : 'if (false) throw error;',
    OUR_FAULT,
  ]),
  'src/cli/ctl/snapshot-command.ts': [
    ...[';', 'syncAhead(images.from);'].map((after): Equivalent => [
      'await syncAhead(images.from);',
      after,
      WRITTEN_AHEAD,
    ]),
    ...descriptorOrErrno('if (fd < 0) return;'),
    ['if (fd < 0) return;', 'if (false) return;', ALWAYS_OPENS],
    ['if (fd < 0) return;', 'if (fd < 0) ;', ALWAYS_OPENS],
    ...[';', 'new Promise<number>((done) => calls.files.fdatasync(fd, done));'].map((after): Equivalent => [
      'await new Promise<number>((done) => calls.files.fdatasync(fd, done));',
      after,
      WRITTEN_AHEAD,
    ]),
    [
      'await new Promise<number>((done) => calls.files.close(fd, done));',
      'new Promise<number>((done) => calls.files.close(fd, done));',
      'The file is closed all the same, while the disk is being paused.',
    ],
  ],
  'src/cli/simulate/simulate-command.ts': [
    [
      'const WHOLE_TRACE_LINES = 1_000_000;',
      'const WHOLE_TRACE_LINES = 2000000;',
      'No run has so many lines.',
    ],
    [
      'if (trace) io.stdout.write(result.trace.toString());',
      'if (true) io.stdout.write(result.trace.toString());',
      'What is not traced has no lines.',
    ],
  ],
  'src/cli/status/status-command.ts': [
    ['if (code === undefined) throw error;', 'if (code === undefined) ;', SYSTEM_ERRORS],
    ['if (code === undefined) throw error;', 'if (false) throw error;', SYSTEM_ERRORS],
  ],
  'src/cli/exit-status.ts': [
    [
      'return 128 + (signalNumbers[signal] ?? 0);',
      'return 128 + (signalNumbers[signal] ?? 1);',
      'No other signal stops a command.',
    ],
  ],
  'src/cli/transfer/calm-reporter.ts': [
    [
      "const cause = 'code' in event ? `${event.event} ${event.code}` : event.event;",
      'const cause = true ? `${event.event} ${event.code}` : event.event;',
      'A cause without a code is one of its own, whatever its name.',
    ],
  ],
  'src/daemon/daemon.ts': [['break;', ';', 'A server that was stopped ends its next run at once.']],
  'src/daemon/metrics-service.ts': ['listener', 'page'].map((each): Equivalent => [
    `this.#closing.push(${each});`,
    `this.#closing.unshift(${each});`,
    'All of them are closed at the end, in whatever order.',
  ]),
  'src/daemon/open-disks.ts': [
    [
      'if (!(error instanceof SystemError)) throw error;',
      'if (!(error instanceof SystemError)) ;',
      'Opening a disk rejects with nothing else, whatever its driver throws.',
    ],
  ],
  'src/daemon/replication-control.ts': ['epoch <= 0', 'epoch < 1'].map((failed): Equivalent => [
    "if (epoch < 0) throw new SystemError(epoch, 'the checkpoint was not committed: see the status');",
    `if (${failed}) throw new SystemError(epoch, 'the checkpoint was not committed: see the status');`,
    'The first checkpoint has the number 1.',
  ]),
  'src/daemon/pid-file.ts': descriptorOrErrno('if (this.#fd < 0) return;'),
  'src/daemon/tls-files.ts': [
    [
      'const version = minVersion === undefined ? {} : { minVersion };',
      'const version = false ? {} : { minVersion };',
      'An undefined version stands for the default one, too.',
    ],
  ],
  'src/daemon/services.ts': [
    [
      'const result = fd < 0 ? fd : nbd.listenOn(fd);',
      'const result = fd < 1 ? fd : nbd.listenOn(fd);',
      'The numbers of descriptors begin at 3.',
    ],
    [
      'const result = fd < 0 ? fd : nbd.listenOn(fd);',
      'const result = fd <= 0 ? fd : nbd.listenOn(fd);',
      'The numbers of descriptors begin at 3.',
    ],
  ],
  'src/control/requests.ts': [
    [
      'if (!(error instanceof SystemError)) throw error;',
      'if (!(error instanceof SystemError)) ;',
      SYSTEM_ERRORS,
    ],
  ],
  'src/conformance/adapter.ts': [
    [
      'for (let process = this.#idle.pop(); process !== undefined; process = this.#idle.pop()) {',
      'for (let process = this.#idle.pop(); process !== undefined; process = this.#idle.shift()) {',
      ANY_IDLE,
    ],
    [
      'for (let process = this.#idle.pop(); process !== undefined; process = this.#idle.pop()) {',
      'for (let process = this.#idle.shift(); process !== undefined; process = this.#idle.pop()) {',
      ANY_IDLE,
    ],
    [
      'if (!process.ended) this.#idle.push(process);',
      'if (!process.ended) this.#idle.unshift(process);',
      ANY_IDLE,
    ],
  ],
  'src/conformance/scripted-sockets.ts': [
    ...descriptorOrErrno('if (result >= 0) this.#open.add(result);'),
    [
      'if (result >= 0) this.#open.add(result);',
      'if (true) this.#open.add(result);',
      'No script opens a descriptor below 0, whatever is noted as open.',
    ],
  ],
  'src/conformance/async-io-driver.ts': [
    ...['values.size + 0', 'values.size + 2'].map((size): Equivalent => [
      'if (taio.buff.length <= values.size) taio.buff = new Uint8Array(values.size + 1);',
      `if (taio.buff.length <= values.size) taio.buff = new Uint8Array(${size});`,
      'How much more room there is shows only in a transfer that moves more than it may, as ours does not.',
    ]),
    ...[
      'if (false) throw new Error(`no transfer has the label ${action[1]}`);',
      'if (one === undefined) ;',
    ].map((after): Equivalent => [
      'if (one === undefined) throw new Error(`no transfer has the label ${action[1]}`);',
      after,
      'The labels of a vector are checked when it is read.',
    ]),
  ],
  'src/conformance/async-io-shape.ts': checkedArgument(),
  'src/conformance/vector-shape.ts': checkedArgument(),
  'src/conformance/outcome-shape.ts': [
    ['if (family === undefined || address === undefined) continue;', 'if (false) continue;', ALWAYS_THERE],
    [
      'if (family === undefined || address === undefined) continue;',
      'if (family === undefined && address === undefined) continue;',
      ALWAYS_THERE,
    ],
    [
      'if (family === undefined || address === undefined) continue;',
      'if (family === undefined || address === undefined) ;',
      ALWAYS_THERE,
    ],
  ],
  'src/conformance/outcome-list.ts': ['?? 1)', ')'].map((byDefault): Equivalent => [
    "return typeof outcome === 'string' ? -(scriptedErrno(outcome) ?? 0) : success;",
    `return typeof outcome === 'string' ? -(scriptedErrno(outcome)${byDefault === ')' ? '' : ' '}${byDefault} : success;`,
    ALWAYS_THERE,
  ]),
  'src/conformance/scripted-poller.ts': [' ?? 1', ''].map((byDefault): Equivalent => [
    'script.errno === undefined ? readyDescriptors(script, interest) : -(scriptedErrno(script.errno) ?? 0);',
    `script.errno === undefined ? readyDescriptors(script, interest) : -(scriptedErrno(script.errno)${byDefault});`,
    ALWAYS_THERE,
  ]),
  'src/conformance/page/failure.ts': [' ?? 1', ''].map((byDefault): Equivalent => [
    "const where = parted === undefined ? '' : whereText(parted.first, vector?.steps.length ?? 0);",
    `const where = parted === undefined ? '' : whereText(parted.first, vector?.steps.length${byDefault});`,
    ALWAYS_THERE,
  ]),
  'src/conformance/reference-ramdisk.ts': ['if (false) throw', 'if (write === undefined) ;'].map(
    (after): Equivalent => [
      'if (write === undefined) throw new Error(`write ${number} ends, but was not issued`);',
      after.endsWith(';') ? after : `${after} new Error(\`write \${number} ends, but was not issued\`);`,
      NEXT_THROWS,
    ],
  ),
  'src/conformance/vector-file.ts': [
    ...['if (false) throw error;', 'if (!(error instanceof ShapeError)) ;'].map((after): Equivalent => [
      'if (!(error instanceof ShapeError)) throw error;',
      after,
      OUR_FAULT,
    ]),
    [
      "return vectorName({ suite, name: value.name, dialect: 'dialect' in value ? value.dialect : undefined });",
      'return vectorName({ suite, name: value.name, dialect: true ? value.dialect : undefined });',
      'A member that is not there is undefined.',
    ],
  ],
  'src/conformance/comparison.ts': [
    [
      'return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));',
      'return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one <= other ? -1 : 1)));',
      'No two keys of an object are equal.',
    ],
    [
      'return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));',
      'return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 2)));',
      'Of the result of a comparison only the sign counts.',
    ],
  ],
  'src/conformance/error-names.ts': [
    [
      'const FIRST_PRIVATE_NUMBER = 10_000;',
      'const FIRST_PRIVATE_NUMBER = 20000;',
      'Every number that no system has serves as well.',
    ],
  ],
  'src/conformance/name-pattern.ts': [
    ['let star = -1;', 'let star = -2;', 'Every number below 0 is no place.'],
    ['let starEnd = 0;', 'let starEnd = 1;', SET_FIRST],
    ...['> 0', '>= 1'].map((after): Equivalent => [
      '} else if (star >= 0) {',
      `} else if (star ${after}) {`,
      'What comes after the last star is never at the beginning.',
    ]),
  ],
  'src/conformance/rule-table.ts': [
    [
      'const WIDTH = 80;',
      'const WIDTH = 79;',
      'Cells of one width in a line come to 80 with no number of them but one.',
    ],
  ],
  'src/conformance/trace-diff.ts': [
    [
      'while (i < one.length && j < other.length) {',
      'while (i < one.length && j <= other.length) {',
      'After the end of the other one there is no pair.',
    ],
    [
      'else if (lengthAt(i + 1, j) >= lengthAt(i, j + 1)) i++;',
      'else if (lengthAt(i + 1, j) >= lengthAt(i, j + 0)) i++;',
      'Where two entries differ, what can follow them is as long as the longer of what follows when either is left out.',
    ],
  ],
  'src/disks/drivers/aio.ts': [
    ...['<= 0', '< 1'].map((failed): Equivalent => [
      'if (hole) this.#punch(hole, (result) => (result < 0 ? write() : ended(result)));',
      `if (hole) this.#punch(hole, (result) => (result ${failed} ? write() : ended(result)));`,
      ZEROES_ALREADY,
    ]),
    ...['1', '-2', '-0'].flatMap((other): Equivalent[] => [
      ['#fd = -1;', `#fd = ${other};`, SET_FIRST],
      ['this.#fd = -1;', `this.#fd = ${other};`, ASKED_OPEN],
    ]),
    ['this.#fd = -1;', ';', ASKED_OPEN],
    ['#isRegular = true;', '#isRegular = false;', SET_FIRST],
    ...['isOnlyWriter', 'readOnly', 'wasShort'].map((flag): Equivalent => [
      `#${flag} = false;`,
      `#${flag} = true;`,
      SET_FIRST,
    ]),
  ],
  'src/disks/drivers/vhd/changes.ts': ['<= 0', '< 1'].map((failed): Equivalent => [
    'this.#holes.punch(range, (result) => (result < 0 ? write() : done(result)));',
    `this.#holes.punch(range, (result) => (result ${failed} ? write() : done(result)));`,
    ZEROES_ALREADY,
  ]),
  'src/disks/drivers/log.ts': [
    [
      "this.#below.flush(this.#logged('flush', { sector: 0, sectors: 0, complete: done }));",
      "this.#below.flush(this.#logged('flush', { sector: 1, sectors: 0, complete: done }));",
      'Of a request without sectors no range is logged.',
    ],
  ],
  'src/disks/drivers/vhd/tools/describe.ts': [
    [
      'links.push(vhdLink(image));',
      'links.unshift(vhdLink(image));',
      'There is no other link when the first one comes.',
    ],
  ],
  'src/disks/drivers/remus-rebind.ts': ['if (false) return;', 'if (dirname(at) === dirname(goal)) ;'].map(
    (after): Equivalent => [
      'if (dirname(at) === dirname(goal)) return;',
      after,
      'A directory that is synced twice is no less durable.',
    ],
  ),
  'src/disks/drivers/vhd/chain.ts': [
    [
      "return { kind: 'vhd', file: image.file, image, sectors: image.footer?.sectors ?? 0 };",
      "return { kind: 'vhd', file: image.file, image, sectors: image.footer?.sectors ?? 1 };",
      'The size of an image without a footer is only compared with those of others, which are larger.',
    ],
  ],
  'src/disks/drivers/remus-fifos.ts': ['if (commands < 0) {', 'if (answers < 0) {'].flatMap(
    descriptorOrErrno,
  ),
  'src/disks/drivers/vhd/zeroed-blocks.ts': [
    [
      'layer.find(at, end - at, found);',
      'layer.find(at, end + at, found);',
      'Only what begins before the end is looked at, however much more is found.',
    ],
  ],
  'src/disks/request.ts': [
    ['const nothing = new Uint8Array(0);', 'const nothing = new Uint8Array(1);', NO_DATA],
    ...withoutDefault(['buffer'], 'this.PART = parts.PART ?? nothing;', NO_DATA),
    ...withoutDefault(
      ['noHole', 'fast', 'forceUnitAccess'],
      'this.PART = parts.PART ?? false;',
      'What is undefined counts as false.',
    ),
  ],
  'src/disks/request-queue.ts': [
    [
      'const behind = this.#retrying.findIndex((other) => other.sequence > request.sequence);',
      'const behind = this.#retrying.findIndex((other) => other.sequence >= request.sequence);',
      'No two requests have the same sequence number.',
    ],
    ...['<= 0', '< 1'].map((failed): Equivalent => [
      'this.#end(request, result < 0 ? result : 0);',
      `this.#end(request, result ${failed} ? result : 0);`,
      'A result of 0 ends as 0 either way.',
    ]),
  ],
  'src/disks/stack.ts': [
    [
      'return colon >= 0 && types.has(text.slice(0, colon));',
      'return colon > 0 && types.has(text.slice(0, colon));',
      'No driver has an empty name.',
    ],
  ],
  'src/disks/waiting-lines.ts': ['true', 'this.#lines.size >= 1', 'this.#lines.size > 0'].map(
    (condition): Equivalent => [
      'else if (this.#lines.size > 1) {',
      `else if (${condition}) {`,
      'A single line is the last one as well as the first.',
    ],
  ),
  'src/disks/drivers/ram.ts': [
    ['#readOnly = false;', '#readOnly = true;', SET_FIRST],
    ['request.complete(0);', 'request.complete(1);', 'Every result from 0 on is a success.'],
  ],
  'src/disks/drivers/vhd/vhd.ts': [['#readOnly = false;', '#readOnly = true;', SET_FIRST]],
  'src/disks/drivers/vhd/bits.ts': [
    [
      'if ((at & 7) === 0 && bits[at >> 3] === whole) {',
      'if ((at | 7) === 0 && bits[at >> 3] === whole) {',
      'A byte at once is looked at bit by bit as well; to do so only takes more time.',
    ],
  ],
  'src/disks/drivers/vhd/block-places.ts': [
    ...['(Math.imul(piece, 2654435762) >>> 7)', '(Math.imul(piece, 2654435760) >>> 7)'].map(spread),
    ...['>>> 8', '>>> 6', '<< 7'].map((shift) => spread(`(Math.imul(piece, 0x9e37_79b1) ${shift})`)),
    [
      'const size = 2 ** Math.ceil(Math.log2(countAllocated(bat) * 2 + 2));',
      'const size = 2 ** Math.ceil(Math.log2(countAllocated(bat) * 1 + 2));',
      'The table has room for every block either way; with more of it a look-up takes fewer steps.',
    ],
  ],
  'src/disks/drivers/vhd/layer.ts': ['1', '-2'].map((mark): Equivalent => [
    'export const ABSENT = -1;',
    `export const ABSENT = ${mark};`,
    'No data begins there: it is a mark that is only compared with itself.',
  ]),
  'src/disks/drivers/vhd/tools/coalesce.ts': [
    [
      'const disk = yield* VhdDisk.open(calls, path, { ...rules, readOnly: false, answersEarly: true });',
      'const disk = yield* VhdDisk.open(calls, path, { ...rules, readOnly: false, answersEarly: false });',
      CLOSED_WHOLE,
    ],
  ],
  'src/disks/drivers/vhd/tools/convert.ts': [
    [
      'const disk = yield* VhdDisk.open(calls, target, { readOnly: false, answersEarly: true });',
      'const disk = yield* VhdDisk.open(calls, target, { readOnly: false, answersEarly: false });',
      CLOSED_WHOLE,
    ],
  ],
  'src/disks/drivers/zero-range.ts': [
    [
      'else if (Buffer.compare(piece, zeroes.subarray(0, length)) === 0) next(0);',
      'else if (Buffer.compare(piece, zeroes.subarray(0, length)) === 0) next(1);',
      'Every result from 0 on is a success.',
    ],
  ],
  'src/disks/vbd.ts': [
    ...['#pauseWaiters', '#closeWaiters'].map((waiters): Equivalent => [
      `this.${waiters} = [];`,
      ';',
      SETTLED,
    ]),
    ['#sequence = 0;', '#sequence = 1;', SEQUENCES],
    [
      '#flags: OpenFlags = { readOnly: false, shared: false };',
      '#flags: OpenFlags = { readOnly: false, shared: true };',
      SET_FIRST,
    ],
  ],
  'src/metrics/diagnostics.ts': ['register', 'unregister'].map((name): Equivalent => [
    `if (${name}.hasSubscribers) ${name}.publish(describe(event));`,
    `if (true) ${name}.publish(describe(event));`,
    'What nobody subscribed to is published to nobody; to ask first only takes less time.',
  ]),
  'src/metrics/trace-event.ts': [
    ['return kind satisfies never;', 'return undefined;', 'There is no further kind.'],
  ],
  'src/metrics/http-host.ts': [
    [
      'if (authority !== undefined && given.length === 1) given.push(authority);',
      'if (authority !== undefined && given.length === 1) given.unshift(authority);',
      'All of the hosts must be ours, in whatever order.',
    ],
  ],
  'src/metrics/recording.ts': tuned('const PIECE_ENTRIES = 256;', 'const PIECE_ENTRIES = 255;'),
  'src/metrics/page/streamed-answer.ts': tuned(
    'const scratch = new Uint8Array(512);',
    'const scratch = new Uint8Array(511);',
  ),
  'src/metrics/page/streamed-answers.ts': ['<= 0', '< 1'].map((none): Equivalent => [
    'if (fd < 0) return true;',
    `if (fd ${none}) return true;`,
    NO_DESCRIPTOR,
  ]),
  'src/metrics/slow-callbacks.ts': [
    ['if (this.#isNone(seconds) && now < this.#spanEnds) return;', 'if (false) return;', SLOWEST_FIRST],
    [
      'if (this.#isNone(seconds) && now < this.#spanEnds) return;',
      'if (this.#isNone(seconds) && now < this.#spanEnds) ;',
      SLOWEST_FIRST,
    ],
    [
      'return last !== undefined && this.#recent.length === MAX_SLOW_CALLBACKS && seconds <= last.seconds;',
      'return last !== undefined && this.#recent.length === MAX_SLOW_CALLBACKS && seconds < last.seconds;',
      SLOWEST_FIRST,
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
    ...['-2', '1'].map((none): Equivalent => [
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
      'this.#pending.clear();',
      ';',
      'What is pending is looked up for a reply only, and none is read any more.',
    ],
    [
      'const result = this.#event.set(mode, this.#fd, 0, call);',
      'const result = this.#event.set(mode, this.#fd, 1, call);',
      'A time is ignored where the mode has no TIMEOUT.',
    ],
    ...['if (fd <= 0) {', 'if (fd < 1) {'].map((after): Equivalent => [
      'if (fd < 0) {',
      after,
      NO_DESCRIPTOR,
    ]),
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
    ['done(0);', 'done(1);', 'Every result from 0 on is a success.'],
    [
      'if (offset + length <= device.sizeBytes) return 0;',
      'if (offset + length <= device.sizeBytes) return 1;',
      'Every result from 0 on is a success.',
    ],
  ],
  'src/nbd/handshake.ts': ['65 << 10', '63 << 10', '64 << 11', '64 << 9'].flatMap((size) =>
    tuned('const MAX_UNSENT_BYTES = 64 << 10;', `const MAX_UNSENT_BYTES = ${size};`),
  ),
  'src/nbd/server.ts': [
    ...tuned('const BACKLOG = 128;', 'const BACKLOG = 129;', 'const BACKLOG = 127;'),
    ...['(counts.get(host) ?? 1) + 1', '(counts.get(host) ?? 0) + 2'].map((count): Equivalent => [
      'for (const [, host] of negotiating) counts.set(host, (counts.get(host) ?? 0) + 1);',
      `for (const [, host] of negotiating) counts.set(host, ${count});`,
      MOST_OF_ALL,
    ]),
  ],
  'src/posix/node/bind-handle.ts': [['return 0;', 'return 1;', 'Every result from 0 on is a success.']],
  'src/posix/node/dedicated-inbound.ts': [
    ...['65 << 10', '63 << 10', '64 << 11', '64 << 9'].flatMap((size) =>
      tuned('const BLOCK_BYTES = 64 << 10;', `const BLOCK_BYTES = ${size};`),
    ),
    ...['17 << 10', '15 << 10', '16 << 11', '16 << 9', '16 >> 10'].flatMap((size) =>
      tuned('const SMALL_BYTES = 16 << 10;', `const SMALL_BYTES = ${size};`),
    ),
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
  'src/posix/node/buddy-memory.ts': [
    [
      'this.#list(size).push(Buffer.from(this.shared, offset, size));',
      'this.#list(size).unshift(Buffer.from(this.shared, offset, size));',
      WHICH_SPARE,
    ],
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
  ],
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
  'src/scheduler/interest-set.ts': [
    noFourthMode(),
    [
      'if (descriptor.conditions !== before) this.changed(event.fd, descriptor.conditions);',
      'if (true) this.changed(event.fd, descriptor.conditions);',
      SAME_INTEREST,
    ],
  ],

  'src/scheduler/pending-pass.ts': [noFourthMode()],

  'src/scheduler/deferred-deadlines.ts': [
    [
      '(a, b) => a.sortedBy < b.sortedBy,',
      '(a, b) => a.sortedBy <= b.sortedBy,',
      'Events that are due at the same time have their turns in the order of registration.',
    ],
    [
      'if (isIn && event.deadline >= event.sortedBy) return;',
      'if (isIn && event.deadline > event.sortedBy) return;',
      'An event whose deadline is what it is sorted by stays in its place.',
    ],
  ],

  'src/scheduler/maskable-deadlines.ts': [
    [
      'if (isIn) this.put(event);',
      'if (true) this.put(event);',
      'An event that is out is pending, and put back as its turn comes, before anything else looks.',
    ],
  ],

  'src/scheduler/descriptor-map.ts': ['while (false)', 'while (this.#usual.length <= fd)'].map(
    (loop): Equivalent => [
      'while (this.#usual.length < fd) this.#usual.push(undefined);',
      `${loop} this.#usual.push(undefined);`,
      'A number without an entry has none, whether or not its place is filled.',
    ],
  ),

  'src/scheduler/event.ts': [
    [
      "if (mode & POLL_READ_FD) names.push('READ');",
      "if (mode & POLL_READ_FD) names.unshift('READ');",
      'The first of a list is at its beginning and at its end.',
    ],
  ],

  'src/scheduler/tapdisk3-event.ts': [['this.sortedBy = deadline;', ';', SET_FIRST]],

  'src/scheduler/wait-stack.ts': [
    ...['false', 'this.#depth === 0'].map((outermost): Equivalent => [
      'if (this.#depth === 1) {',
      `if (${outermost}) {`,
      'Nothing is pending in an outermost wait, so it drains nothing and selects in the same turn.',
    ]),
    ['this.#whenBack[this.#depth] = undefined;', ';', SETTLED],
  ],

  'src/scheduler/unmasked-interest.ts': [
    noFourthMode(),
    [
      'if (descriptor.conditions !== before) this.#changed(event.fd, descriptor.conditions);',
      'if (true) this.#changed(event.fd, descriptor.conditions);',
      SAME_INTEREST,
    ],
  ],

  'src/scheduler/deadlines.ts': [
    [
      '(a, b) => a.deadline < b.deadline,',
      '(a, b) => a.deadline <= b.deadline,',
      'Events that are due at the same time have their turns in the order of registration.',
    ],
  ],

  'src/scheduler/event-ids.ts': [
    ...placed(
      'const MULTIPLIER = 0x9e3779b1;',
      'const MULTIPLIER = 2654435762;',
      'const MULTIPLIER = 2654435760;',
    ),
    ...placed('const NEIGHBOUR_BITS = 3;', 'const NEIGHBOUR_BITS = 4;', 'const NEIGHBOUR_BITS = 2;'),
    ...placed(
      'const NEIGHBOURS = 2 ** NEIGHBOUR_BITS - 1;',
      'const NEIGHBOURS = 3 ** NEIGHBOUR_BITS - 1;',
      'const NEIGHBOURS = 1 ** NEIGHBOUR_BITS - 1;',
      'const NEIGHBOURS = 2 ** NEIGHBOUR_BITS - 2;',
      'const NEIGHBOURS = 2 ** NEIGHBOUR_BITS - 0;',
      'const NEIGHBOURS = 2 ** NEIGHBOUR_BITS + 1;',
    ),
    ...placed(
      'const block = Math.imul(id >> NEIGHBOUR_BITS, MULTIPLIER) >>> 8;',
      'const block = Math.imul(id << NEIGHBOUR_BITS, MULTIPLIER) >>> 8;',
      'const block = Math.imul(id >> NEIGHBOUR_BITS, MULTIPLIER) << 8;',
      'const block = Math.imul(id >> NEIGHBOUR_BITS, MULTIPLIER) >>> 9;',
      'const block = Math.imul(id >> NEIGHBOUR_BITS, MULTIPLIER) >>> 7;',
    ),
    ...placed(
      'return ((block << NEIGHBOUR_BITS) | (id & NEIGHBOURS)) & (this.#keys.length - 1);',
      'return ((block << NEIGHBOUR_BITS) | (id | NEIGHBOURS)) & (this.#keys.length - 1);',
      'return ((block << NEIGHBOUR_BITS) & (id & NEIGHBOURS)) & (this.#keys.length - 1);',
      'return ((block >> NEIGHBOUR_BITS) | (id & NEIGHBOURS)) & (this.#keys.length - 1);',
    ),
    ...[
      'length > SMALLEST_CAPACITY && 8 * this.#size <= length',
      'length > SMALLEST_CAPACITY && 9 * this.#size < length',
      'length > SMALLEST_CAPACITY && 7 * this.#size < length',
      'length >= SMALLEST_CAPACITY && 8 * this.#size < length',
    ].map((shrinks): Equivalent => [
      'if (length > SMALLEST_CAPACITY && 8 * this.#size < length) this.#resize(length / 2);',
      `if (${shrinks}) this.#resize(length / 2);`,
      'When the table shrinks decides how much memory it takes, and nothing else.',
    ]),
    ...[
      '2 * (this.#size - 1) >',
      '2 * (this.#size + 0) >',
      '2 * (this.#size + 2) >',
      '2 * (this.#size + 1) >=',
    ]
      .concat('3 * (this.#size + 1) >')
      .map((grows): Equivalent => [
        'if (2 * (this.#size + 1) > this.#keys.length) this.#resize(2 * this.#keys.length);',
        `if (${grows} this.#keys.length) this.#resize(2 * this.#keys.length);`,
        'The table grows a little earlier or later, and is never full.',
      ]),
  ],
  'src/scheduler/scheduler.ts': [
    ['#nextSequence = 0;', '#nextSequence = 1;', SEQUENCES],
    [
      'if (this.#pass.running) this.#pass.registered(event);',
      'if (true) this.#pass.registered(event);',
      CANDIDATE,
    ],
    [
      'if (this.#pass.running) this.#pass.unregistered(event);',
      'if (true) this.#pass.unregistered(event);',
      OUTSIDE_OF_PASS,
    ],
  ],

  'src/scheduler/tapdisk3-scheduler.ts': [
    ['#nextSequence = 0;', '#nextSequence = 1;', SEQUENCES],
    [
      'if (this.#ids.next <= 0) this.#ids.next = 1; // T-I3',
      'if (this.#ids.next <= 1) this.#ids.next = 1; // T-I3',
      'A counter at 1 stays there.',
    ],
    ...['timeout <= 0', 'timeout < 1'].map((none): Equivalent => [
      'return Number.isSafeInteger(timeout) && (timeout < 0 || Number.isSafeInteger(deadline));',
      `return Number.isSafeInteger(timeout) && (${none} || Number.isSafeInteger(deadline));`,
      'The deadline of a timeout of 0 is the clock itself, which is exact.',
    ]),
    ['this.#dead.push(event);', 'this.#dead.unshift(event);', ALL_FREED],
    ...[
      ['shift', 'pop'],
      ['pop', 'shift'],
    ].map(([first, next]): Equivalent => [
      'for (let event = this.#dead.pop(); event; event = this.#dead.pop()) this.#ids.delete(event.id);',
      `for (let event = this.#dead.${first}(); event; event = this.#dead.${next}()) this.#ids.delete(event.id);`,
      ALL_FREED,
    ]),
  ],

  'src/scheduler/pass.ts': [
    ['const HEAD = -1;', 'const HEAD = -2;', 'Every number below 0 is before all events.'],
    noFourthMode(),
    ['#unregistered = false;', '#unregistered = true;', SET_FIRST],
    ['#running = false;', '#running = true;', OUTSIDE_OF_PASS],
    ['this.#running = false;', ';', OUTSIDE_OF_PASS],
    ['this.#running = false;', 'this.#running = true;', OUTSIDE_OF_PASS],
    ...[
      ['shift', 'pop'],
      ['pop', 'shift'],
    ].map(([first, next]): Equivalent => [
      'for (let descriptor = this.#ready.pop(); descriptor; descriptor = this.#ready.pop()) {',
      `for (let descriptor = this.#ready.${first}(); descriptor; descriptor = this.#ready.${next}()) {`,
      'Descriptors are let go one by one, in whatever order.',
    ]),
    ['this.#ready.push(descriptor);', 'this.#ready.unshift(descriptor);', CANDIDATES_IN_ORDER],
    ...[
      'if (true) this.#passedOver.push(descriptor);',
      'if (this.#cursor !== HEAD) this.#passedOver.unshift(descriptor);',
    ].map((after): Equivalent => [
      'if (this.#cursor !== HEAD) this.#passedOver.push(descriptor);',
      after,
      CANDIDATE,
    ]),
    [
      'if (descriptor !== undefined && descriptor.bits !== 0) this.#passedOver.push(descriptor);',
      'if (descriptor !== undefined && descriptor.bits !== 0) this.#passedOver.unshift(descriptor);',
      CANDIDATES_IN_ORDER,
    ],
    [
      'if (this.#modeToFire(event) !== 0) this.#candidates.push(event);',
      'if (true) this.#candidates.push(event);',
      CANDIDATE,
    ],
    ...['if (false) return;', 'if (descriptor.bits === 0) ;'].map((after): Equivalent => [
      'if (descriptor.bits === 0) return;',
      after,
      'Where no bit is left, none is handed on.',
    ]),
    ['if (descriptor.bits === 0) return;', 'if (descriptor.bits === 1) return;', READ_FIRST],
    ...[
      '(descriptor.bits & (DESCRIPTOR_MODES[index] as number))',
      '(bits & (DESCRIPTOR_MODES[index] as number))',
    ].flatMap((bit): Equivalent[] =>
      ['if (false) continue;', `if (${bit} === 0) ;`, `if (${bit.replace('&', '|')} === 0) continue;`].map(
        (after) => [`if (${bit} === 0) continue;`, after, CANDIDATE],
      ),
    ),
    [
      'if ((descriptor.bits & (DESCRIPTOR_MODES[index] as number)) === 0) continue;',
      'if ((descriptor.bits & (DESCRIPTOR_MODES[index] as number)) === 1) continue;',
      READ_FIRST,
    ],
    ...['if (true)', 'if (this.#passedOver.length >= 0)'].map((after): Equivalent => [
      'if (this.#passedOver.length > 0) this.#passedOver.length = 0;',
      `${after} this.#passedOver.length = 0;`,
      'An empty list that is emptied stays empty.',
    ]),
    ...[
      'if (this.#passedOver.length > 1) this.#passedOver.length = 0;',
      'if (this.#passedOver.length > 0) this.#passedOver.length = 1;',
    ].map((after): Equivalent => [
      'if (this.#passedOver.length > 0) this.#passedOver.length = 0;',
      after,
      CANDIDATE,
    ]),
  ],
  'src/scheduler/retried-select.ts': [
    ['#start = 0;', '#start = 1;', SET_FIRST],
    ['#span = 0;', '#span = 1;', 'A poller that has never slept has no sleep to be shortened.'],
  ],
  'src/server/socket-path.ts': [
    [
      'return lstatSync(path, { bigint: true, throwIfNoEntry: false });',
      'return lstatSync(path, { bigint: false, throwIfNoEntry: false });',
      'The numbers of devices and inodes below 2^53, which tests get, are exact as numbers too.',
    ],
  ],
  'src/server/client-connection.ts': [
    ...['true', 'outcome >= 0'].map((condition): Equivalent => [
      'return outcome > 0 ? -outcome : outcome;',
      `return ${condition} ? -outcome : outcome;`,
      'The option of an open descriptor can be read, and -0 is 0.',
    ]),
    [
      'if (seconds <= 0) return -errno.ETIMEDOUT;',
      'if (seconds < 0) return -errno.ETIMEDOUT;',
      'A wait without any time ends at once, too.',
    ],
  ],
  'src/server/dead-sockets.ts': [
    'if (false) throw error;',
    'if ((error as NodeJS.ErrnoException).code === undefined) ;',
  ].map((after): Equivalent => [
    'if ((error as NodeJS.ErrnoException).code === undefined) throw error;',
    after,
    'Whatever keeps a socket from being removed has a code.',
  ]),
  'src/server/exchange.ts': tuned(
    'const scratch = new Uint8Array(512);',
    'const scratch = new Uint8Array(511);',
    'const scratch = new Uint8Array(513);',
  ),
  'src/server/file-place.ts': [
    ['const own = process.geteuid?.() ?? file.uid;', 'const own = process.geteuid?.();', GETUID],
    [
      'await fileResult((done) => files.close(fd, done));',
      'fileResult((done) => files.close(fd, done));',
      'The descriptor is closed in any case, just before the error is thrown or just after.',
    ],
  ],
  'src/server/own-file.ts': [
    [
      'if (stats.uid !== (process.geteuid?.() ?? stats.uid))',
      'if (stats.uid !== (process.geteuid?.()))',
      GETUID,
    ],
    [
      "return (error as NodeJS.ErrnoException).code ?? '';",
      'return (error as NodeJS.ErrnoException).code;',
      'Whatever keeps a file from being opened has a code.',
    ],
  ],
  'src/server/exchange-listener.ts': tuned(
    'const BACKLOG = 64;',
    'const BACKLOG = 65;',
    'const BACKLOG = 63;',
  ),
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
  'src/testing/invariants/watched-connect.ts': ['fd > 0', 'fd >= 1'].map((after): Equivalent => [
    'if (fd >= 0) this.#descriptors.add(fd);',
    `if (${after}) this.#descriptors.add(fd);`,
    NO_DESCRIPTOR,
  ]),
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
    [
      "for (let end = path.indexOf('/', 1); end > 0; end = path.indexOf('/', end + 1))",
      "for (let end = path.indexOf('/', 1); end >= 0; end = path.indexOf('/', end + 1))",
      'What is looked for from the second character on is not the first.',
    ],
  ],
  'src/testing/files/namespace.ts': [
    ['#moment = 0;', '#moment = 1;', MOMENTS],
    [
      'for (const [name, node] of [...directory.cached].toSorted(([a], [b]) => (a < b ? -1 : 1))) {',
      'for (const [name, node] of [...directory.cached].toSorted(([a], [b]) => (a < b ? -1 : 0))) {',
      'V8 sorts by whether the result is negative.',
    ],
  ],
  'src/testing/files/survival.ts': [
    ...[
      '[1, 0.1, 0.5, 0.9, 1]',
      '[0, 1.1, 0.5, 0.9, 1]',
      '[0, 0.1, 1.5, 0.9, 1]',
      '[0, 0.1, 0.5, 1.9, 1]',
    ].map((likely): Equivalent => [
      'const PROBABILITIES = [0, 0.1, 0.5, 0.9, 1];',
      `const PROBABILITIES = ${likely};`,
      'How likely each change is left decides how soon a fault is met, and not whether.',
    ]),
    [
      'const tearing = random.pick([0, 0.3, 1]);',
      'const tearing = random.pick([0, 0.3, 0]);',
      'How likely writes are torn decides how soon a fault is met, and not whether.',
    ],
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
  ],
  'src/testing/simulation/session.ts': [
    ['this.#writeEvent = -1;', 'this.#writeEvent = -2;', 'Every number below 0 is no event.'],
    ...[
      'integer(1, random.chance(0.15) ? 12_000 : 1500)',
      'integer(0, random.chance(0.15) ? 24000 : 1500)',
      'integer(0, random.chance(1.15) ? 12_000 : 1500)',
    ].map((drawn): Equivalent => [
      'this.#toSend = 4 + random.integer(0, random.chance(0.15) ? 12_000 : 1500);',
      `this.#toSend = 4 + random.${drawn};`,
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
    ['const whole = random.chance(0.75);', 'const whole = random.chance(1.75);', ANY_SEGMENT],
  ],
  'src/testing/event-queue.ts': ['1', '-2', '-0'].map((position): Equivalent => [
    'const event: FutureEvent = { atMicroseconds, sequence: this.#sequence++, action, position: -1 };',
    `const event: FutureEvent = { atMicroseconds, sequence: this.#sequence++, action, position: ${position} };`,
    SET_FIRST,
  ]),
  'src/testing/stream-descriptor.ts': [['#connectError = 0;', '#connectError = 1;', SET_FIRST]],
  'src/testing/simulated-posix.ts': [['#opened = 0;', '#opened = 1;', MOMENTS]],
  'src/testing/simulated-poller.ts': [
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
  'src/transfer/connection.ts': [
    ...tuned('const BACKLOG = 16;', 'const BACKLOG = 17;', 'const BACKLOG = 15;'),
    ['fd: -1,', 'fd: -0,', NO_DESCRIPTOR],
  ],
  'src/transfer/primary.ts': [
    [
      "if (this.#connection.state === 'established') resetConnection(posix, struct.fd);",
      'if (true) resetConnection(posix, struct.fd);',
      'What is not connected has no peer that could see a reset, and is closed next.',
    ],
  ],
  'src/transfer/image-reader.ts': [
    [
      "else if (start.length >= HEADER.length) this.#mode = 'framed';",
      "else if (start.length > HEADER.length) this.#mode = 'framed';",
      'A header alone is kept until the next byte decides the same, and is broken if there is none.',
    ],
  ],
  'src/transfer/input.ts': [
    '1024 / 1024',
    '1025 * 1024',
    '1023 * 1024',
    '1024 * 1025',
    '1024 * 1023',
  ].flatMap((size) => tuned('const READ_BYTES = 1024 * 1024;', `const READ_BYTES = ${size};`)),
  'src/transfer/output.ts': [
    '1024 / 1024',
    '1025 * 1024',
    '1023 * 1024',
    '1024 * 1025',
    '1024 * 1023',
  ].flatMap((size) =>
    tuned('export const WRITE_BUFFER_BYTES = 1024 * 1024;', `export const WRITE_BUFFER_BYTES = ${size};`),
  ),
  'src/transfer/pump.ts': [
    ...['257 * 1024', '255 * 1024', '256 * 1025', '256 * 1023'].flatMap((size) =>
      tuned('export const PUMP_BUFFER_BYTES = 256 * 1024;', `export const PUMP_BUFFER_BYTES = ${size};`),
    ),
    ...['this.#buffer ??= new', 'if (this.#pieces.length > 0) this.#buffer ??= new'].map(
      (start): Equivalent => [
        `${start} Uint8Array(PUMP_BUFFER_BYTES);`,
        `${start.replace('??=', '=')} Uint8Array(PUMP_BUFFER_BYTES);`,
        'A fresh buffer serves as well as the one before; to keep that only takes less time.',
      ],
    ),
  ],
  'src/transfer/observed-calls.ts': descriptorOrErrno('if (fd < 0) return fd;'),
  'src/transfer/refusal.ts': ['65 * 1024', '63 * 1024', '64 * 1025', '64 * 1023'].flatMap((size) =>
    tuned('const SCRATCH_BYTES = 64 * 1024;', `const SCRATCH_BYTES = ${size};`),
  ),
  'src/transfer/sending.ts': [
    ...['17 * 1024', '15 * 1024', '16 * 1025', '16 * 1023'].flatMap((size) =>
      tuned('const ANSWER_BUFFER_BYTES = 16 * 1024;', `const ANSWER_BUFFER_BYTES = ${size};`),
    ),
    ...['1', '-2', '-0'].map((fd): Equivalent => ['#inputFd = -1;', `#inputFd = ${fd};`, NO_DESCRIPTOR]),
    ...alwaysHolds(
      'digest === undefined',
      "throw new Error('complete before the end of the image');",
      'A transfer is complete after the end of the image only.',
    ),
  ],
  'src/transfer/output-file.ts': [
    [
      'await place.close();',
      'place.close();',
      'The directory is not used any more, whether its descriptor is closed before or after what follows.',
    ],
  ],
  'src/transfer/play-role.ts': [
    ['await watched;', 'watched;', 'The watch ends as soon as its signal is aborted, which is before this.'],
    ['await running;', 'running;', 'The disposal of the server waits for the end of its run as well.'],
  ],
  'src/transfer/receiving.ts': [
    ...[
      'false ? -errno.EBADF : posix.adopt(this.#copy.stream)',
      'this.#copy === undefined ? errno.EBADF : posix.adopt(this.#copy.stream)',
    ].map((fd): Equivalent => [
      'this.#outputFd = this.#copy === undefined ? -errno.EBADF : posix.adopt(this.#copy.stream);',
      `this.#outputFd = ${fd};`,
      'There is a copy once the output is open.',
    ]),
    ...alwaysHolds(
      'ending === undefined || copy === undefined',
      "throw new Error('an end without an ending');",
      'At the end of the stream there are both.',
    ),
    [
      "if (ending === undefined || copy === undefined) throw new Error('an end without an ending');",
      "if (ending === undefined && copy === undefined) throw new Error('an end without an ending');",
      'At the end of the stream there are both.',
    ],
    ...['1', '-2', '-0'].flatMap((fd): Equivalent[] => [
      ['#outputFd = -1;', `#outputFd = ${fd};`, NO_DESCRIPTOR],
      ['this.#outputFd = -1;', `this.#outputFd = ${fd};`, NO_DESCRIPTOR],
    ]),
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
  'src/replication/disk/timer.ts': descriptorOrErrno(
    "if (this.#fd < 0) throw refused('a timer descriptor', this.#fd);",
  ),
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
  'src/replication/disk/connector.ts': tuned(
    'const BACKLOG = 16;',
    'const BACKLOG = 17;',
    'const BACKLOG = 15;',
  ),
  'src/replication/disk/engine.ts': [
    ...STATE_ERRORS_ONLY,
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
  'src/replication/disk/state-file.ts': tuned(
    'const zeroes = new Uint8Array(Math.min(length, 1 << 20));',
    'const zeroes = new Uint8Array(Math.min(length, 2 << 20));',
    'const zeroes = new Uint8Array(Math.min(length, 1 << 21));',
    'const zeroes = new Uint8Array(Math.min(length, 1 << 19));',
  ),
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
  'src/status/status-client.ts': [
    [
      'const answer = Buffer.alloc(MAX_ANSWER_BYTES + 1);',
      'const answer = Buffer.alloc(MAX_ANSWER_BYTES + 2);',
      'One byte beyond the limit shows that a reply is too long, and so do two.',
    ],
    [
      'if (!(error instanceof SyntaxError)) throw error;',
      'if (!(error instanceof SyntaxError)) ;',
      'JSON.parse throws nothing else.',
    ],
  ],
  'src/status/status-directory.ts': [
    ['return process.getuid?.() ?? 0;', 'return process.getuid?.();', GETUID],
    ['return process.getuid?.() ?? 0;', 'return process.getuid?.() ?? 1;', GETUID],
  ],
};

/** The same in whatever file. */
const ANYWHERE: readonly (readonly [before: RegExp, after: RegExp, reason: string])[] = [
  [
    /^(?:throw error|systemErrno\(error\));$/,
    /^;$/,
    'Nobody knows an error that gets here: it is thrown on.',
  ],
  [
    /^if \((?:[\w.#]*\.isTracing|this\.trace\.enabled)\)/,
    /^if \(true\)/,
    'What is noted without a trace is dropped there; to ask first only takes less time.',
  ],
  [/(?:\bfd|Fd) < 0\b/, /(?:\bfd|Fd) (?:<= 0|< 1)\b/, NO_DESCRIPTOR],
  [/(?:\bfd|Fd) >= 0\b/, /(?:\bfd|Fd) (?:> 0|>= 1)\b/, NO_DESCRIPTOR],
  [/(?:[eE]vent|\bid) < 0\b/, /(?:[eE]vent|\bid) (?:<= 0|< 1)\b/, EVENT_IDS],
  [/(?:[eE]vent|\bid) >= 0\b/, /(?:[eE]vent|\bid) (?:> 0|>= 1)\b/, EVENT_IDS],
  [/[eE]vent(?:: EventId)? = -1;$/, /[eE]vent(?:: EventId)? = -2;$/, 'Every number below 0 is no event.'],
  [
    /^const \[\w+ = 0(?:, \w+ = 0)*\] = readNumbers\(/,
    /^const \[\w+ = [01](?:, \w+ = [01])*\] = readNumbers\(/,
    'All that is asked for is there.',
  ],
  [
    /\(POLL_(?:READ|WRITE)_FD, [\w.#]+, 0,/,
    /\(POLL_(?:READ|WRITE)_FD, [\w.#]+, 1,/,
    'A time is ignored where the mode has no TIMEOUT.',
  ],
  [/\bTIMEOUT, -1,/, /\bTIMEOUT, (?:-2|-0|1),/, 'An event that only waits for a time has no descriptor.'],
];

/** Why a mutation changes nothing; undefined unless it is known to. */
export function equivalence({ file, before, after }: Mutation): string | undefined {
  const named = EQUIVALENTS[file]?.find(([from, to]) => from === before && to === after);
  return (named ?? ANYWHERE.find(([from, to]) => from.test(before) && to.test(after)))?.[2];
}

/** The entries of the list that fit no mutation of their file any more. */
export function outdated(mutationsOf: (file: string) => readonly Mutation[]): string[] {
  return Object.entries(EQUIVALENTS).flatMap(([file, entries]) => {
    const mutations = mutationsOf(file);
    return entries
      .filter(([from, to]) => !mutations.some(({ before, after }) => before === from && after === to))
      .map(([from, to]) => `${file}: no mutation makes ${JSON.stringify(to)} of ${JSON.stringify(from)}`);
  });
}
