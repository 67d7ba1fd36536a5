// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SAME_INTEREST, SEQUENCES, SET_FIRST, SETTLED, type Equivalents, type Equivalent } from './shared.js';

const CANDIDATE = 'One candidate more, which is passed over when its turn comes as nothing is ready for it.';
const CANDIDATES_IN_ORDER =
  'Candidates come out of their heap in the order of registration, in whatever order they are put in.';
const OUTSIDE_OF_PASS =
  'Outside of a pass no bit is set: an event that is due is one candidate more, and what was unregistered is noted again.';
const READ_FIRST =
  'READ is the first bit that an event fires by, so one that asks for it never leaves it set.';
const ALL_FREED = 'All the dead are freed, in whatever order.';
const PLACE = 'Which slot an id is put in decides how soon it is found, and nothing else.';
const THREE_MODES = 'There is no fourth condition: nothing asks for it.';

/** Where a number is put in a hash table. */
const placed = (before: string, ...afters: readonly string[]): Equivalent[] =>
  afters.map((after) => [before, after, PLACE]);

/** The condition of a loop over the modes of descriptors, with one round more. */
function noFourthMode(): Equivalent {
  const loop = (comparison: string): string =>
    `for (let index = 0; index ${comparison} DESCRIPTOR_MODES.length; index++) {`;
  return [loop('<'), loop('<='), THREE_MODES];
}

export const scheduler: Equivalents = {
  'src/scheduler/interest-set.ts': [
    noFourthMode(),
    [
      'if (descriptor.conditions !== before) this.changed(event.fd, descriptor.conditions);',
      'if (true) this.changed(event.fd, descriptor.conditions);',
      SAME_INTEREST,
    ],
  ],

  'src/scheduler/pending-pass.ts': [
    noFourthMode(),
    [
      'readonly #pending = new Heap<Tapdisk3Event>((a, b) => a.sequence < b.sequence);',
      'readonly #pending = new Heap<Tapdisk3Event>((a, b) => a.sequence <= b.sequence);',
      'No two events have one sequence number.',
    ],
  ],

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

  'src/scheduler/tapdisk3-registrar.ts': [
    [
      'export const INFINITE = -1;',
      'export const INFINITE = -2;',
      'Every negative number of microseconds is infinite.',
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
    [
      'if (answer !== -errno.EBADF) return;',
      'if (false) return;',
      'After any other failure no descriptor is bad.',
    ],
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
};
