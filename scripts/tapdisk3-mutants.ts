// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { inFile, type Mutant } from './mutant.js';

/** Nothing else runs the files. */
const noticing = { detectors: ['vectors', 'tapdisk3 model', 'tapdisk3 small scope'] };

const scheduler = inFile(
  'scheduler/tapdisk3-scheduler.ts',
  [
    ['T-E3', 'takes a mode without a known bit', '(mode & ANY_MODE) === 0 || typeof', 'typeof'],
    ['T-E3', 'takes an event without a callback', " || typeof callback !== 'function'", ''],
    ['T-I3', 'leaves a counter at 0', 'if (this.#ids.next <= 0)', 'if (this.#ids.next < 0)'],
    ['T-I3', 'leaves a counter below 0', 'if (this.#ids.next <= 0)', 'if (this.#ids.next === 0)'],
    [
      'T-E4',
      'rounds deadlines to the second',
      'this.#now() + timeout;\n    if (!isInt32',
      'Math.floor((this.#now() + timeout) / 1e6) * 1e6;\n    if (!isInt32',
    ],
    [
      'T-W3',
      'does not ask for the descriptors of new events',
      'if (event.asksForDescriptor) this.#interest.add(event);',
      '',
    ],
    [
      'T-W4',
      'forgets the deadlines of new events',
      'this.#deadlines.put(event);\n    this.#shortenFor(event);\n    this.#observer',
      'this.#shortenFor(event);\n    this.#observer',
    ],
    [
      'T-U1',
      'unregisters a dead event again',
      'if (event === undefined || !event.live) return;\n    event.live = false;',
      'if (event === undefined) return;\n    event.live = false;',
    ],
    ['T-U1', 'lets a dead event fire', 'event.live = false;', ''],
    ['T-U1', 'leaves the deadline of a dead event', 'this.#deadlines.remove(event);', ''],
    [
      'T-U1',
      'leaves the interest of a dead event',
      'if (event.asksForDescriptor && !event.masked) this.#interest.remove(event);',
      '',
    ],
    ['T-G1', 'frees at once', 'this.#dead.push(event);', 'this.#ids.delete(event.id);'],
    [
      'T-G1',
      'never frees',
      'event = this.#dead.pop()) this.#ids.delete(event.id);',
      'event = this.#dead.pop()) {}',
    ],
    [
      'T-M1',
      'masks an event twice',
      '!event.live || event.masked === masked) return;',
      '!event.live) return;',
    ],
    ['T-M1', 'does not unmask', 'event.masked === masked) return;', '!masked) return;'],
    [
      'T-M2',
      'asks for the descriptor of a masked event',
      'if (masked) this.#interest.remove(event);\n      else',
      'if (!masked)',
    ],
    ['T-M2', 'does not ask again once it is unmasked', '\n      else this.#interest.add(event);', ''],
    [
      'T-M1',
      'masks a dead event',
      'if (event === undefined || !event.live || event.masked',
      'if (event === undefined || event.masked',
    ],
    ['T-M3', 'calls a masked event', 'if (event.masked) return undefined;', ''],
    [
      'T-M3',
      'leaves the deadline of a masked event',
      'if (event.isTimed) {\n      event.deadline = this.#now()',
      'if (event.isTimed && !event.masked) {\n      event.deadline = this.#now()',
    ],
    ['T-S1', 'knows an event of id 0', 'if (id === 0 || !isTimeout', 'if (!isTimeout'],
    [
      'T-S1',
      'does not find the dead',
      'if (event === undefined) return -errno.ENOENT;',
      'if (!event?.live) return -errno.ENOENT;',
    ],
    [
      'T-S1',
      'takes an event without TIMEOUT',
      'if ((event.mode & TIMEOUT) === 0) return -errno.EINVAL;\n    if (!event.live)',
      'if (!event.live)',
    ],
    [
      'T-S1',
      'keeps the old timeout',
      '    event.timeout = timeout;\n    event.deadline = deadline;',
      '    event.deadline = deadline;',
    ],
    [
      'T-S1',
      'keeps the old deadline',
      '    event.timeout = timeout;\n    event.deadline = deadline;',
      '    event.timeout = timeout;',
    ],
    [
      'T-S1',
      'leaves the deadline at its old place',
      'event.deadline = deadline;\n    this.#deadlines.put(event);',
      'event.deadline = deadline;',
    ],
    ['T-D1', 'takes a negative cap', 'if (timeout < 0) return 0;', ''],
    ['T-W7', 'raises the cap', 'this.#cap = Math.min(this.#cap, timeout);', 'this.#cap = timeout;'],
    ['T-W7', 'keeps the cap after a select', 'this.#cap = MAX_TIMEOUT_MICROSECONDS;\n', ''],
    [
      'T-W6',
      'resets the cap after a select that failed',
      'if (answer !== -errno.EBADF) return;',
      'this.#cap = MAX_TIMEOUT_MICROSECONDS;\n    if (answer !== -errno.EBADF) return;',
    ],
    ['T-W2', 'sleeps in its first wait', '#cap = 0;', '#cap = MAX_TIMEOUT_MICROSECONDS;'],
    [
      'T-P5',
      'counts from the old deadline',
      'event.deadline = this.#now() + event.timeout; // T-P5',
      'event.deadline += event.timeout;',
    ],
    [
      'T-P5',
      'leaves the deadline where it was',
      'if (event.isTimed) {\n      event.deadline',
      'if (false) {\n      event.deadline',
    ],
  ],
  noticing,
);

const pass = inFile(
  'scheduler/pending-pass.ts',
  [
    ['T-P1', 'gives a bit that was not reported', '(conditions & mode) === 0 ? undefined : ', ''],
    [
      'T-P3',
      'lets an event time out that got a bit',
      'if (event.pending === 0) this.#add(event, TIMEOUT);',
      'this.#add(event, TIMEOUT);',
    ],
    ['T-P3', 'finds nobody due', 'if (event.pending === 0) this.#add(event, TIMEOUT);', ''],
    [
      'T-P3',
      'looks at the clock for each deadline',
      'deadlines.popDue(now); event; event = deadlines.popDue(now)',
      'deadlines.popDue(now); event; event = undefined',
    ],
    [
      'T-P4',
      'calls in the order of what was found',
      'new Heap<Tapdisk3Event>((a, b) => a.sequence < b.sequence)',
      'new Heap<Tapdisk3Event>(() => false)',
    ],
    ['T-E1', 'calls in the order of ids', '(a, b) => a.sequence < b.sequence', '(a, b) => a.id < b.id'],
    [
      'T-D3',
      'keeps the pending set while it calls',
      'event.pending = 0;\n      if (!event.live) continue;',
      'if (!event.live) continue;',
    ],
    [
      'T-P4',
      'hands over one mode only',
      'const modes = event.pending;',
      'const modes = event.pending & -event.pending;',
    ],
    ['T-U1', 'calls the dead', 'if (!event.live) continue;\n      hasHandled = true;', 'hasHandled = true;'],
    ['T-N1', 'counts no event as progress', 'return hasHandled;', 'return false;'],
    [
      'T-N1',
      'takes the dead for progress',
      'if (!event.live) continue;\n      hasHandled = true;',
      'hasHandled = true;\n      if (!event.live) continue;',
    ],
    [
      'T-N1',
      'takes a drain that waited for none',
      '    return true;\n  }\n\n  /** Goes on until',
      '    return false;\n  }\n\n  /** Goes on until',
    ],
    [
      'T-N4',
      'ends the pass with a callback that waited',
      'advanced = this.#advance();\n    }',
      'advanced = true;\n    }',
    ],
  ],
  noticing,
);

const waits = inFile(
  'scheduler/wait-stack.ts',
  [
    [
      'T-N1',
      'does not drain',
      'if (this.#depth === 1) {\n      this.#selectAndRun(end);',
      'if (this.#depth >= 1) {\n      this.#selectAndRun(end);',
    ],
    ['T-N1', 'selects after a drain, too', 'if (progress) end.answered(0);\n      else this', 'this'],
    ['T-N2', 'does not select within another wait', 'else this.#selectAndRun(end);', 'else end.answered(0);'],
    [
      'T-G1',
      'frees within a wait',
      'if (this.#depth === 0 && this.#hasSelected) {',
      'if (this.#hasSelected) {',
    ],
    [
      'T-G1',
      'frees after a select that failed',
      'if (this.#depth === 0 && this.#hasSelected) {',
      'if (this.#depth === 0) {',
    ],
    [
      'T-W6',
      'runs what is pending though select failed',
      '      this.#context.selectFailed(answer);\n      return answer;',
      '      this.#context.selectFailed(answer);\n      this.#context.selected([]);\n      pass.run();\n      return answer;',
    ],
    [
      'T-W1',
      'answers what it called',
      "return typeof ran === 'boolean' ? 0 :",
      "return typeof ran === 'boolean' ? Number(ran) :",
    ],
    [
      'T-N4',
      'goes on while a callback waits',
      'if (this.#depth === depth && !isThenable(returned)) return undefined;',
      'return undefined;',
    ],
  ],
  noticing,
);

const select = inFile(
  'scheduler/retried-select.ts',
  [
    ['T-W5', 'ends with EINTR', 'if (end === -errno.EINTR) {', 'if (false) {'],
    ['T-W5', 'starts the time anew', 'Math.max(0, this.#span - this.#elapsed()), ended', 'this.#span, ended'],
    [
      'T-W5',
      'hands select a negative time',
      'Math.max(0, this.#span - this.#elapsed()), ended',
      'this.#span - this.#elapsed(), ended',
    ],
    [
      'T-W5',
      'gives time back when the clock goes back',
      'return Math.max(0, this.#readNow() - this.#start);',
      'return this.#readNow() - this.#start;',
    ],
    [
      'T-W5',
      'counts from the first call',
      '    this.#start = this.#readNow();\n    this.#span = span;',
      '    this.#start ||= this.#readNow();\n    this.#span = span;',
    ],
  ],
  noticing,
);

const indexes = [
  ...inFile(
    'scheduler/unmasked-interest.ts',
    [
      [
        'T-W3',
        'forgets a descriptor that others still ask for',
        'if (asking.smallest === undefined) descriptor',
        'descriptor',
      ],
      [
        'T-W3',
        'goes on asking for what nobody wants',
        'if (asking.smallest === undefined) descriptor.conditions &= ~mode;',
        '',
      ],
      [
        'T-P1',
        'gives a bit to the last of them',
        '(a, b) => a.sequence < b.sequence',
        '(a, b) => a.sequence > b.sequence',
      ],
    ],
    noticing,
  ),
  ...inFile(
    'scheduler/maskable-deadlines.ts',
    [
      [
        'T-M2',
        'wakes for a masked deadline',
        'const deadlines = event.masked ? this.#masked : this.#unmasked;',
        'const deadlines = this.#unmasked;',
      ],
      ['T-P3', 'does not spend a masked deadline', ' ?? this.#masked.popDue(now)', ''],
      ['T-M4', 'forgets a deadline as it is masked', 'if (isIn) this.put(event);', ''],
      ['T-D1', 'keeps the deadline of a timeout that became infinite', 'else deadlines.remove(event);', ''],
      [
        'T-W4',
        'hands select a negative time',
        'Math.max(0, first.deadline - readNow())',
        'first.deadline - readNow()',
      ],
      [
        'T-W4',
        'sleeps beyond the cap',
        'Math.min(limit, Math.max(0, first.deadline - readNow()))',
        'Math.max(0, first.deadline - readNow())',
      ],
    ],
    noticing,
  ),
  ...inFile(
    'scheduler/deferred-deadlines.ts',
    [
      [
        'T-S1',
        'leaves a deadline that came nearer where it is',
        'if (isIn && event.deadline >= event.sortedBy) return;',
        'if (isIn) return;',
      ],
      [
        'T-W4',
        'takes a deadline that was put off for the first',
        'first !== undefined && first.sortedBy !== first.deadline',
        'false',
      ],
      [
        'T-P3',
        'finds a deadline due a microsecond late',
        'first.deadline <= now ?',
        'first.deadline < now ?',
      ],
      [
        'T-P5',
        'forgets how far a deadline was put off',
        'first.sortedBy = first.deadline;\n      this.#heap.updateAt(0);',
        'first.deadline = first.sortedBy;\n      this.#heap.updateAt(0);',
      ],
    ],
    noticing,
  ),
  ...inFile(
    'scheduler/tapdisk3-event.ts',
    [
      ['T-W3', 'asks for negative descriptors', ' && this.fd >= 0', ''],
      [
        'T-D1',
        'takes a negative timeout for one that is due',
        'return (this.mode & TIMEOUT) !== 0 && this.timeout >= 0;',
        'return (this.mode & TIMEOUT) !== 0;',
      ],
      [
        'T-D1',
        'takes 0 for infinite',
        'return (this.mode & TIMEOUT) !== 0 && this.timeout >= 0;',
        'return (this.mode & TIMEOUT) !== 0 && this.timeout > 0;',
      ],
      [
        'T-E2',
        'gives every event a deadline',
        'return (this.mode & TIMEOUT) !== 0 && this.timeout >= 0;',
        'return this.timeout >= 0;',
      ],
    ],
    noticing,
  ),
];

/** Small ways to break tapdisk3's scheduler. */
export const TAPDISK3_MUTANTS: readonly Mutant[] = [...scheduler, ...pass, ...waits, ...select, ...indexes];
