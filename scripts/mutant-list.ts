// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { TAPDISK3_MUTANTS } from './tapdisk3-mutants.js';
import { inFile, type Mutant } from './mutant.js';
import { NBD_MUTANTS } from './nbd-mutants.js';
import { OUTSIDE_MUTANTS } from './outside-mutants.js';
import { RAMDISK_MUTANTS } from './ramdisk-mutants.js';
import { REPLICATION_MUTANTS } from './replication-mutants.js';
import { TRANSFER_MUTANTS } from './transfer-mutants.js';
import { VHD_MUTANTS } from './vhd-mutants.js';

const scheduler = inFile('scheduler/scheduler.ts', [
  ['E3', 'takes a mode without a known bit', '!integers || (mode & ANY_MODE) === 0 ||', '!integers ||'],
  ['E3', 'takes an event without a callback', " || typeof callback !== 'function'", ''],
  ['E4', 'rounds the time', '=> Math.floor(this.#clock.now());', '=> Math.round(this.#clock.now());'],
  [
    'E6',
    'does not wrap deadlines',
    '(this.#nowSeconds() + timeoutSeconds) | 0',
    'this.#nowSeconds() + timeoutSeconds',
  ],
  [
    'I3',
    'removes a foreign event for an unknown id',
    'const event = this.#ids.get(id);',
    'const event = this.#ids.get(id) ?? this.#order.tail?.event;',
  ],
  ['I3', 'leaves the deadline of an unregistered event', 'this.#deadlines.remove(event);', ''],
  [
    'I3',
    'leaves the interest of an unregistered event',
    'if (event.mode & ANY_DESCRIPTOR_MODE) this.#interest.remove(event);',
    '',
  ],
  [
    'I3',
    'leaves an unregistered event in the order',
    'this.#order.remove(event.orderNode as EventNode<RegisteredEvent>);',
    '',
  ],
  ['I2', 'leaves the id of an unregistered event', 'this.#ids.delete(id);', ''],
  [
    'W1',
    'counts descriptors, not bits',
    'for (let left = conditions; left !== 0; left &= left - 1) count += 1;',
    'count += conditions === 0 ? 0 : 1;',
  ],
  ['W2', 'sleeps longer than 600 s', 'MAX_TIMEOUT_SECONDS = 600', 'MAX_TIMEOUT_SECONDS = 3600'],
  ['W3', 'sleeps in its first wait', '#capSeconds = 0;', '#capSeconds = MAX_TIMEOUT_SECONDS;'],
  [
    'W3',
    'keeps the cap for later waits',
    'number => {\n    this.#capSeconds = MAX_TIMEOUT_SECONDS;',
    'number => {',
  ],
  [
    'W3',
    'keeps the cap when select fails',
    'number => {\n    this.#capSeconds = MAX_TIMEOUT_SECONDS;',
    "number => {\n    if (typeof ready !== 'number') this.#capSeconds = MAX_TIMEOUT_SECONDS;",
  ],
  ['W3', 'lets a larger cap win', 'Math.min(this.#capSeconds, timeoutSeconds)', 'timeoutSeconds'],
  [
    'W3',
    'takes a negative cap for 0',
    'if (timeoutSeconds < 0) return 0;',
    'if (timeoutSeconds < 0) timeoutSeconds = 0;',
  ],
  [
    'W5',
    'runs what is due when select fails',
    '        return ready;\n',
    '        this.#pass.run([], this.#nowSeconds());\n        return ready;\n',
  ],
  [
    'P4',
    'leaves the deadline when an event fires',
    'event.deadline = this.#deadlineAfter(event.timeoutSeconds);',
    '',
  ],
  [
    'P4',
    'moves the deadline by the period, not from now',
    'event.deadline = this.#deadlineAfter(event.timeoutSeconds);',
    'event.deadline = (event.deadline + event.timeoutSeconds) | 0;',
  ],
  [
    'P5',
    'does not show the pass what is registered',
    'if (this.#pass.running) this.#pass.registered(event);',
    '',
  ],
  [
    'P6',
    'does not tell the pass what is unregistered',
    'if (this.#pass.running) this.#pass.unregistered(event);',
    '',
  ],
]);

const pass = inFile('scheduler/pass.ts', [
  ['P2', 'prefers EXCEPT to WRITE to READ', 'return bits & -bits;', 'return 1 << (31 - Math.clz32(bits));'],
  [
    'P2',
    'fires a deadline a second late',
    'event.deadline <= this.#nowSeconds ? TIMEOUT : 0',
    'event.deadline < this.#nowSeconds ? TIMEOUT : 0',
  ],
  ['P3', 'does not clear a used bit', 'descriptor.bits &= ~mode;', ''],
  ['P3', 'clears all bits with one', 'descriptor.bits &= ~mode;', 'descriptor.bits = 0;'],
  ['P3', 'does not hand the other bits on', 'if (next !== undefined) this.#candidates.push(next.event);', ''],
  ['P3', 'keeps unused bits for the next pass', 'descriptor.bits = 0;\n      this.context', 'this.context'],
  ['P5', 'sees what the last event registers', 'else if (last) return undefined;', ''],
  [
    'P5',
    'settles what is last behind the callback',
    'const last = order.tail === event.orderNode;\n      this.#unregistered = false;\n      this.context.fire(event, mode);',
    'this.#unregistered = false;\n      this.context.fire(event, mode);\n      const last = order.tail === event.orderNode;',
  ],
  [
    'P5',
    'looks at a new event by its deadline only',
    'if (this.#modeToFire(event) !== 0) this',
    'if (this.#modeToFire(event) === TIMEOUT) this',
  ],
  ['P6', 'never starts over', 'if (this.#unregistered) this.#startOver();\n      else if', 'if'],
  ['P6', 'starts over after every later callback', '      this.#unregistered = false;\n', ''],
  [
    'P6',
    'starts over from where it is',
    '    this.#cursor = HEAD;\n    this.#collect(this.#passedOver);',
    '    this.#collect(this.#passedOver);',
  ],
  [
    'P6',
    'forgets what it passed over when it starts over',
    'this.#collect(this.#passedOver);',
    'this.#collect([]);',
  ],
  [
    'P6',
    'loses the bit of an unregistered event',
    'this.#unregistered = true;\n    this.#passOver(event);',
    'this.#unregistered = true;',
  ],
  ['P7', 'fires unregistered events', 'if (!event.live) continue;', ''],
  [
    'P2',
    'loses the deadlines that a callback which throws kept from their turn',
    'event = this.#candidates.pop()) this.#putBack(event);',
    'event = this.#candidates.pop()) continue;',
  ],
]);

const indexes = [
  ...inFile('scheduler/event-ids.ts', [
    ['I1', 'wraps ids to 0', 'id === this.#largest ? 1 : id + 1', 'id === this.#largest ? 0 : id + 1'],
    ['I1', 'wraps ids too early', 'MAX_EVENT_ID = 2 ** 31 - 1', 'MAX_EVENT_ID = 2 ** 31 - 2'],
    ['I2', 'gives a live id again', 'if (this.get(id) === undefined) return id;', 'return id;'],
    [
      'I3',
      'loses ids beside one that is unregistered',
      'if (distanceFromHome < ((slot - gap) & mask)) continue;',
      'continue;',
    ],
  ]),
  ...inFile('scheduler/deadlines.ts', [
    ['P2', 'collects a deadline a second late', 'first.deadline <= now ?', 'first.deadline < now ?'],
    [
      'W2',
      'hands select a negative time',
      'Math.max(0, first.deadline - nowSeconds)',
      'first.deadline - nowSeconds',
    ],
    [
      'E6',
      'does not narrow the time that is left',
      'Math.max(0, (event.deadline - nowSeconds) | 0)',
      'Math.max(0, event.deadline - nowSeconds)',
    ],
  ]),
  ...inFile('scheduler/heap.ts', [
    [
      'W2',
      'leaves a deadline that came nearer where it is',
      'if (index > 0 && this.isBefore(entry, parent)) this.#siftUp(entry, index);\n    else this',
      'this',
    ],
  ]),
  ...inFile('scheduler/interest-set.ts', [
    ['W2', 'forgets a descriptor that others still ask for', 'if (list.isEmpty) descriptor', 'descriptor'],
  ]),
  ...inFile('scheduler/event-list.ts', [
    ['E5', 'does not know its new last event after a removal', 'else this.tail = node.previous;', ''],
  ]),
];

const connect = inFile('replication/block-replication.ts', [
  ['R1', 'splits at the last colon', "name.indexOf(':')", "name.lastIndexOf(':')"],
  ['R2', 'takes the last IPv4 address', 't.sa = servinfoItr;\n      break;', 't.sa = servinfoItr;'],
  [
    'R3',
    'keeps the event id in init',
    't.id = -1;\n  t.status = CONNECTION_NONE;',
    't.status = CONNECTION_NONE;',
  ],
  ['R5', 'takes a corrupted status for closed', 'return -2;\n  }\n}', 'return -1;\n  }\n}'],
  [
    'R6',
    'starts a server over an established one',
    'if (t.status === CONNECTION_IN_PROGRESS || t.status === CONNECTION_ESTABLISHED) return rc;',
    'if (t.status === CONNECTION_IN_PROGRESS) return rc;',
  ],
  [
    'R6',
    'starts a client over a connecting one',
    'if (t.status === CONNECTION_IN_PROGRESS || t.status === CONNECTION_ESTABLISHED) return ERROR_INTERNAL;',
    'if (t.status === CONNECTION_ESTABLISHED) return ERROR_INTERNAL;',
  ],
  ['R7', 'has a backlog of its own', 't.posix.listen(fd, t.maxConnections)', 't.posix.listen(fd, 5)'],
  ['R8', 'does not tell that it should be client', 'if (-err === errno.EADDRNOTAVAIL) rc = -2;', ''],
  [
    'R8',
    'leaks the socket when listen fails',
    'EPRINTF(t, `could not listen on socket: ${-err}\\n`);\n    t.posix.close(fd);',
    'EPRINTF(t, `could not listen on socket: ${-err}\\n`);',
  ],
  [
    'R9',
    'leaks a second connection',
    "EPRINTF(t, 'connection is already established\\n');\n    t.posix.close(fd);",
    "EPRINTF(t, 'connection is already established\\n');",
  ],
  [
    'R9',
    'calls back before it is established',
    't.fd = fd;\n  t.status = CONNECTION_ESTABLISHED;\n  t.callback(t, 0);',
    't.fd = fd;\n  t.callback(t, 0);\n  t.status = CONNECTION_ESTABLISHED;',
  ],
  [
    'R10',
    'leaks the connection in a restart',
    "CLOSE_FD(t, 'fd');\n      t.status = CONNECTION_IN_PROGRESS;",
    't.status = CONNECTION_IN_PROGRESS;',
  ],
  ['R11', 'leaves the listener open in a kill', "CLOSE_FD(t, 'listenFd');", ''],
  [
    'R11',
    'leaves the event registered in a kill',
    "UNREGISTER_EVENT(t);\n  CLOSE_FD(t, 'fd');",
    "CLOSE_FD(t, 'fd');",
  ],
  [
    'R11',
    'kills in any status',
    'if (t.status !== CONNECTION_IN_PROGRESS && t.status !== CONNECTION_ESTABLISHED) return;',
    '',
  ],
  [
    'R11',
    'does not forget a closed descriptor',
    't.posix.close(t[member]);\n    t[member] = -1;',
    't.posix.close(t[member]);',
  ],
  ['R12', 'drops the flags of the socket', 'flags | O_NONBLOCK', 'O_NONBLOCK'],
  [
    'R12',
    'waits before it first dials',
    't.server.registerEvent(TIMEOUT, fd, 0, tdReplicationRetryConnectEvent, t)',
    't.server.registerEvent(TIMEOUT, fd, t.retryTimeoutS, tdReplicationRetryConnectEvent, t)',
  ],
  ['R13', 'waits for READ', 'registerEvent(POLL_WRITE_FD, t.fd,', 'registerEvent(POLL_READ_FD, t.fd,'],
  [
    'R14',
    'gives up when getsockopt fails',
    "EPRINTF(t, 'error getting socket errno\\n');\n    return;",
    "EPRINTF(t, 'error getting socket errno\\n');\n    tdReplicationClientFailed(t, ERROR_CONNECTION);\n    return;",
  ],
  ['R15', 'does not retry ETIMEDOUT', ' ||\n    err === errno.ETIMEDOUT', ''],
  [
    'R15',
    'retries EHOSTUNREACH',
    'err === errno.ETIMEDOUT',
    'err === errno.ETIMEDOUT ||\n    err === errno.EHOSTUNREACH',
  ],
  [
    'R15',
    'retries at once',
    'registerEvent(TIMEOUT, t.fd, t.retryTimeoutS,',
    'registerEvent(TIMEOUT, t.fd, 0,',
  ],
  [
    'R15',
    'leaves the old event registered in a retry',
    "UNREGISTER_EVENT(t);\n\n  DPRINTF(t, 'connect to server 1 second later');",
    "DPRINTF(t, 'connect to server 1 second later');",
  ],
  [
    'R16',
    'leaves the event registered after success',
    'UNREGISTER_EVENT(t);\n  t.status = CONNECTION_ESTABLISHED;',
    't.status = CONNECTION_ESTABLISHED;',
  ],
  [
    'R17',
    'calls back before it kills',
    'tdReplicationConnectKill(t);\n  t.callback(t, rc);',
    't.callback(t, rc);\n  tdReplicationConnectKill(t);',
  ],
  [
    'R17',
    'tells a connection error as an internal one',
    'giving up\\n`);\n    tdReplicationClientFailed(t, ERROR_CONNECTION);',
    'giving up\\n`);\n    tdReplicationClientFailed(t, ERROR_INTERNAL);',
  ],
]);

/** Small ways to break the scheduler, the replication module, and what keeps a VHD whole. */
export const MUTANTS: readonly Mutant[] = [
  ...scheduler,
  ...pass,
  ...indexes,
  ...TAPDISK3_MUTANTS,
  ...connect,
  ...TRANSFER_MUTANTS,
  ...RAMDISK_MUTANTS,
  ...REPLICATION_MUTANTS,
  ...VHD_MUTANTS,
  ...OUTSIDE_MUTANTS,
  ...NBD_MUTANTS,
];
