// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { MAX_VECTOR_FILE_BYTES, parseVectorFile, readVectorFile } from '../../src/conformance/vector-file.js';
import { faultsOf } from './vector-faults.js';

const scheduler = {
  suite: 'scheduler',
  name: 'one',
  about: 'A vector.',
  clock: 1000,
  events: { a: { mode: ['READ'], fd: 3, timeout: 0, on: [[['elapse', 1]]] } },
  steps: [['register', 'a']],
  trace: [['register', 'a', 1]],
};
const replication = {
  suite: 'replication',
  name: 'one',
  clock: 1000,
  connect: { retryTimeout: 1, maxConnections: 1, fd: -1 },
  syscalls: {},
  steps: [['kill']],
  trace: [['return', 'kill', null]],
};

t.test('a vector with every member of the format is accepted, in each suite', async (t) => {
  const full = {
    ...scheduler,
    name: 'full',
    uuid: 2147483647,
    limit: 3,
    clock: 0.015625,
    events: {
      'a label': { mode: [], fd: -5, timeout: -2147483648, cb: false },
      b: {
        mode: ['READ', 'WRITE', 'EXCEPT', 'TIMEOUT'],
        fd: 1023,
        timeout: 2147483647,
        on: [[], [['uuid', 0]]],
      },
      c: { mode: ['TIMEOUT'], fd: 5000, timeout: 1, cb: true },
    },
    steps: [
      ['register', 'a label'],
      ['unregister', 'b'],
      ['unregister', -1],
      ['setMaxTimeout', -1],
      ['elapse', -0.5],
      ['uuid', 1],
      ['wait', {}],
      ['wait', { read: [3], write: [], except: [1023], elapse: -1, errno: 'EHOSTDOWN' }],
    ],
    trace: [],
  };
  const other = {
    ...replication,
    name: 'full',
    callback: { on: [[['status'], ['init', 'x']]] },
    syscalls: {
      socket: ['EMFILE', 0],
      accept: [0],
      setsockopt: ['ENOPROTOOPT'],
      bind: [0],
      listen: [0],
      connect: ['EINPROGRESS'],
      register: ['EBUSY', 0],
      fcntl: [0, 2, 'EBADF'],
      getsockopt: [{ so_error: 'ECONNREFUSED' }, { so_error: 0 }, 'EBADF'],
      getaddrinfo: [
        [],
        [
          ['AF_INET', '10.0.0.2'],
          ['AF_INET6', '::1'],
        ],
        'EAI_NONAME',
      ],
    },
    steps: [
      ['init', ':'],
      ['server_start'],
      ['server_restart'],
      ['client_start'],
      ['kill'],
      ['status'],
      ['setStatus', -7],
      ['elapse', 1],
      ['uuid', 5],
      ['wait', {}],
    ],
  };
  t.same(faultsOf([full, other, scheduler, replication]), []);
});

const transfers = {
  suite: 'async-io',
  name: 'one',
  clock: 1000,
  ios: { r: { fd: 5, timeout: 0, mode: 'read', size: 8 } },
  syscalls: {},
  steps: [['start', 'r']],
  trace: [],
};
const cached = { suite: 'ramdisk', name: 'one', steps: [['destroy']], trace: [] };

t.test('a vector of transfers and of the ramdisk with every member of the format is accepted', async (t) => {
  const actions = [
    ['init', 'r'],
    ['start', 'r'],
    ['kill', 'w'],
    ['status', 'w'],
    ['set', 'r', { fd: 6, timeout: -1, mode: 'write', size: 0 }],
    ['set', 'r', {}],
    ['elapse', -1],
    ['uuid', 0],
  ];
  const full = {
    ...transfers,
    name: 'full',
    uuid: 5,
    limit: 1,
    ios: {
      r: { fd: -1, timeout: -5, mode: 2, size: -1, on: [[], actions] },
      w: { fd: 5, timeout: 0, mode: 'write', size: 2147483647 },
    },
    syscalls: { read: [0, 5, 'EAGAIN'], write: ['EPIPE', 1], register: [0, 'EBUSY'] },
    steps: [...actions, ['wait', { read: [5] }]],
    trace: [
      ['sys', 'read', 5, 0, 8, 8],
      ['callback', 'r', 8, 0],
    ],
  };
  const steps = [
    ['cacheWrite', 'primary', 2 ** 63, [1, -2]],
    ['readFromCache', 'secondary', 0, 0],
    ['clearCache', 'primary'],
    ['startFlush', 'secondary'],
    ['flushPended'],
    ['complete', 0, 0],
    ['complete', 1, 'EIO'],
    ['read', 10, 2],
    ['writesInflight'],
    ['destroy'],
  ];
  const trace = [
    ['write', 0, 1, [1]],
    ['log', 'ERR'],
    ['exit', -1],
  ];
  const guarded = { ...cached, suite: 'ramdisk-guarded', name: 'full', about: 'All.', steps, trace };
  t.same(faultsOf([full, transfers, cached, { ...cached, name: 'two', fault: true }, guarded]), []);
});

t.test('a fault in a vector of transfers, or of the ramdisk, names what was expected there', async (t) => {
  const io = transfers.ios.r;
  const wrong: [object, string, RegExp][] = [
    [{ ...transfers, clock: undefined }, 'clock', /expected a number, got nothing/],
    [{ ...transfers, uuid: -1 }, 'uuid', /expected a whole number from 0/],
    [{ ...transfers, limit: 0 }, 'limit', /expected a whole number from 1/],
    [{ ...transfers, ios: [] }, 'ios', /expected an object, got \[\]/],
    [{ ...transfers, ios: { r: { ...io, fd: 'r' } } }, 'ios.r.fd', /expected a whole number .* got "r"/],
    [{ ...transfers, ios: { r: { ...io, mode: 'rw' } } }, 'ios.r.mode', /expected one of "read", "write"/],
    [{ ...transfers, ios: { r: { ...io, cb: 1 } } }, 'ios.r.cb', /expected one of the members fd, timeout/],
    [
      { ...transfers, ios: { r: { ...io, on: [[['wait', {}]]] } } },
      'ios.r.on[0][0][0]',
      /expected one of "init", .*"uuid", got "wait"/,
    ],
    [{ ...transfers, syscalls: { send: [] } }, 'syscalls.send', /expected one of the members read, write/],
    [{ ...transfers, syscalls: { read: [-1] } }, 'syscalls.read[0]', /expected a whole number from 0/],
    [
      { ...transfers, syscalls: { write: ['EOF'] } },
      'syscalls.write[0]',
      /expected a count of bytes or an errno name, got "EOF"/,
    ],
    [{ ...transfers, syscalls: { register: [1] } }, 'syscalls.register[0]', /expected an errno name or 0/],
    [{ ...transfers, steps: [['start', 'q']] }, 'steps[0][1]', /expected one of "r", got "q"/],
    [{ ...transfers, steps: [['set', 'r']] }, 'steps[0]', /expected set and what it takes/],
    [{ ...transfers, steps: [['set', 'r', { on: [] }]] }, 'steps[0][2].on', /expected one of the members/],
    [{ ...transfers, steps: [['set', 'r', { fd: '5' }]] }, 'steps[0][2].fd', /expected a whole number/],
    [{ ...transfers, steps: [['set', 'r', { mode: 'rw' }]] }, 'steps[0][2].mode', /expected one of "read"/],
    [{ ...transfers, steps: [['elapse', 'x']] }, 'steps[0][1]', /expected a number, got "x"/],
    [{ ...transfers, steps: [['uuid', -1]] }, 'steps[0][1]', /expected a whole number from 0/],
    [{ ...transfers, steps: [['wait', { reads: [] }]] }, 'steps[0][1].reads', /expected one of the members/],
    [{ ...transfers, trace: [['log', 'ERR']] }, 'trace[0][0]', /expected one of .* got "log"/],
    [{ ...cached, fault: 1 }, 'fault', /expected true or false, got 1/],
    [{ ...cached, steps: [['flush']] }, 'steps[0][0]', /expected one of "cacheWrite", .* got "flush"/],
    [{ ...cached, steps: [['startFlush']] }, 'steps[0]', /expected startFlush and what it takes/],
    [{ ...cached, steps: [['startFlush', 'tertiary']] }, 'steps[0][1]', /expected one of "primary"/],
    [{ ...cached, steps: [['read', -1, 1]] }, 'steps[0][1]', /expected a whole number from 0/],
    [
      { ...cached, steps: [['read', 0, 2 ** 21]] },
      'steps[0][2]',
      /expected a whole number from 0 to 1048576/,
    ],
    [
      { ...cached, steps: [['read', 2 ** 64, 1]] },
      'steps[0][1]',
      new RegExp(`expected a whole number from 0 to ${2 ** 64 - 2 ** 11},`),
    ],
    [
      { ...cached, steps: [['cacheWrite', 'primary', 1, [0.5]]] },
      'steps[0][3][0]',
      /expected a whole number/,
    ],
    [{ ...cached, steps: [['complete', -1, 0]] }, 'steps[0][1]', /expected a whole number from 0/],
    [{ ...cached, steps: [['complete', 0, 'EOK']] }, 'steps[0][2]', /expected an errno name or 0/],
    [{ ...cached, trace: [['wait', 0]] }, 'trace[0][0]', /expected one of .* got "wait"/],
  ];
  for (const [vector, member, message] of wrong) {
    const [found] = faultsOf([vector]);
    t.equal(found?.[1], member);
    t.match(found?.[2], message);
  }
});

t.test('an unreadable vector file is one fault with the reason', async (t) => {
  t.match(readVectorFile('/nonexistent/file.json'), [
    { kind: 'fault', fault: { file: '/nonexistent/file.json', message: /^cannot be read: ENOENT/ } },
  ]);
  const binary = join(t.testdir(), 'binary.json');
  writeFileSync(binary, Uint8Array.of(0x5b, 0xff, 0x5d));
  t.same(readVectorFile(binary), [{ kind: 'fault', fault: { file: binary, message: 'not UTF-8' } }]);
  t.match(parseVectorFile('x', '[{'), [{ kind: 'fault', fault: { message: /^not JSON: / } }]);
  t.same(faultsOf({}), [[undefined, undefined, 'not an array of vectors']]);
  t.same(faultsOf([]), []);
});

t.test('a fault names the vector, the member, and the expected and the actual value', async (t) => {
  const wrong: [object, string, RegExp][] = [
    [
      { ...scheduler, suite: 'scheduling' },
      'suite',
      /expected one of "scheduler", "replication", .*, got "scheduling"/,
    ],
    [{ ...scheduler, name: '' }, 'name', /expected a name, got ""/],
    [{ ...scheduler, name: 5 }, 'name', /expected a string, got 5/],
    [{ ...scheduler, about: 5 }, 'about', /expected a string, got 5/],
    [{ ...scheduler, clock: '1000' }, 'clock', /expected a number, got "1000"/],
    [{ ...scheduler, uuid: -1 }, 'uuid', /expected a whole number from 0 to 2147483647, got -1/],
    [{ ...scheduler, limit: 0 }, 'limit', /expected a whole number from 1 to 2147483647, got 0/],
    [{ ...scheduler, trace: undefined }, 'trace', /expected an array, got nothing/],
    [{ ...scheduler, trace: {} }, 'trace', /expected an array, got \{\}/],
    [{ ...scheduler, trace: [['wait', 0], 'wait'] }, 'trace[1]', /expected an array, got "wait"/],
    [{ ...scheduler, trace: [[]] }, 'trace[0]', /expected an entry with its kind first, got \[\]/],
    [{ ...scheduler, trace: [['sys', 'socket', 3]] }, 'trace[0][0]', /expected one of .*"fire".* got "sys"/],
    [{ ...scheduler, steps: undefined }, 'steps', /expected an array, got nothing/],
    [
      { ...scheduler, steps: [['sleep', 1]] },
      'steps[0][0]',
      /expected one of "register", .*"wait", got "sleep"/,
    ],
    [{ ...scheduler, steps: [[]] }, 'steps[0][0]', /expected one of .* got nothing/],
    [
      { ...scheduler, steps: [['register']] },
      'steps[0]',
      /expected register and its argument, got \["register"\]/,
    ],
    [{ ...scheduler, steps: [['register', 'b']] }, 'steps[0][1]', /expected one of "a", got "b"/],
    [{ ...scheduler, steps: [['unregister', 1.5]] }, 'steps[0][1]', /expected a whole number/],
    [{ ...scheduler, steps: [['unregister', 'b']] }, 'steps[0][1]', /expected one of "a", got "b"/],
    [{ ...scheduler, steps: [['setMaxTimeout', null]] }, 'steps[0][1]', /expected a whole number/],
    [{ ...scheduler, steps: [['elapse', 'x']] }, 'steps[0][1]', /expected a number/],
    [
      { ...scheduler, steps: [['wait', { reads: [3] }]] },
      'steps[0][1].reads',
      /members read, write, except, elapse, errno/,
    ],
    [{ ...scheduler, steps: [['wait', { read: 3 }]] }, 'steps[0][1].read', /expected an array, got 3/],
    [{ ...scheduler, steps: [['wait', { read: ['3'] }]] }, 'steps[0][1].read[0]', /expected a whole number/],
    [
      { ...scheduler, steps: [['wait', { errno: 'EFOO' }]] },
      'steps[0][1].errno',
      /expected an errno name, got "EFOO"/,
    ],
    [
      { ...scheduler, steps: [['wait', { elapse: '1' }]] },
      'steps[0][1].elapse',
      /expected a number, got "1"/,
    ],
    [{ ...scheduler, steps: [['uuid', -1]] }, 'steps[0][1]', /expected a whole number from 0/],
    [{ ...scheduler, steps: [['wait', []]] }, 'steps[0][1]', /expected an object, got \[\]/],
    [{ ...scheduler, events: [] }, 'events', /expected an object/],
    [
      { ...scheduler, events: { a: { fd: 3, timeout: 0 } } },
      'events.a.mode',
      /expected an array, got nothing/,
    ],
    [
      { ...scheduler, events: { 'a b': { mode: ['X'], fd: 3, timeout: 0 } }, steps: [] },
      'events["a b"].mode[0]',
      /"READ"/,
    ],
    [
      { ...scheduler, events: { a: { mode: [], fd: 0.5, timeout: 0 } } },
      'events.a.fd',
      /expected a whole number/,
    ],
    [
      { ...scheduler, events: { a: { mode: [], fd: 3, timeout: 2147483648 } } },
      'events.a.timeout',
      /got 2147483648/,
    ],
    [
      { ...scheduler, events: { a: { mode: [], fd: 3, timeout: 0, cb: 0 } } },
      'events.a.cb',
      /expected true or false, got 0/,
    ],
    [
      { ...scheduler, events: { a: { mode: [], fd: 3, timeout: 0, at: 0 } } },
      'events.a.at',
      /mode, fd, timeout, cb, on/,
    ],
    [
      { ...scheduler, events: { a: { mode: [], fd: 3, timeout: 0, on: [[['wait', {}]]] } } },
      'events.a.on[0][0][0]',
      /expected one of "register", "unregister", "setMaxTimeout", "elapse", "uuid", got "wait"/,
    ],
    [{ ...replication, clock: '1' }, 'clock', /expected a number, got "1"/],
    [{ ...replication, uuid: -1 }, 'uuid', /expected a whole number from 0/],
    [{ ...replication, limit: 0 }, 'limit', /expected a whole number from 1/],
    [
      { ...replication, connect: { ...replication.connect, port: 1 } },
      'connect.port',
      /expected one of the members retryTimeout, maxConnections, fd, got "port"/,
    ],
    [
      { ...replication, connect: { retryTimeout: 1, fd: 0 } },
      'connect.maxConnections',
      /expected a whole number/,
    ],
    [{ ...replication, steps: [['kill', 1]] }, 'steps[0]', /expected kill without an argument/],
    [{ ...replication, steps: [['init', 1]] }, 'steps[0][1]', /expected "host:port", got 1/],
    [{ ...replication, steps: [['setStatus', '1']] }, 'steps[0][1]', /expected a whole number/],
    [{ ...replication, steps: [['uuid', -1]] }, 'steps[0][1]', /expected a whole number from 0/],
    [{ ...replication, steps: [['wait', 1]] }, 'steps[0][1]', /expected an object, got 1/],
    [{ ...replication, steps: [['elapse', null]] }, 'steps[0][1]', /expected a number/],
    [{ ...replication, callback: { on: [[['wait', {}]]] } }, 'callback.on[0][0][0]', /got "wait"/],
    [{ ...replication, callback: { do: [] } }, 'callback.do', /one of the members on, got "do"/],
    [
      { ...replication, syscalls: { scoket: [] } },
      'syscalls.scoket',
      /one of the members socket, .* got "scoket"/,
    ],
    [
      { ...replication, syscalls: { bind: ['EFOO'] } },
      'syscalls.bind[0]',
      /expected an errno name or 0, got "EFOO"/,
    ],
    [
      { ...replication, syscalls: { socket: [3] } },
      'syscalls.socket[0]',
      /expected an errno name or 0, got 3/,
    ],
    [{ ...replication, syscalls: { fcntl: [-1] } }, 'syscalls.fcntl[0]', /expected a whole number from 0/],
    [{ ...replication, syscalls: { getsockopt: [0] } }, 'syscalls.getsockopt[0]', /expected an object/],
    [
      { ...replication, syscalls: { getsockopt: ['X'] } },
      'syscalls.getsockopt[0]',
      /expected an errno name or \{"so_error"/,
    ],
    [
      { ...replication, syscalls: { getsockopt: [{ so_error: 1 }] } },
      'syscalls.getsockopt[0].so_error',
      /errno name or 0/,
    ],
    [
      { ...replication, syscalls: { getaddrinfo: ['ENOENT'] } },
      'syscalls.getaddrinfo[0]',
      /expected a name like "EAI_NONAME"/,
    ],
    [
      { ...replication, syscalls: { getaddrinfo: [['AF_INET']] } },
      'syscalls.getaddrinfo[0][0]',
      /expected an array/,
    ],
    [
      { ...replication, syscalls: { getaddrinfo: [[['AF_INET']]] } },
      'syscalls.getaddrinfo[0][0]',
      /expected a pair/,
    ],
    [
      { ...replication, syscalls: { getaddrinfo: [[['AF_INET', '::1']]] } },
      'syscalls.getaddrinfo[0][0][1]',
      /expected an address of family AF_INET, got "::1"/,
    ],
  ];
  for (const [vector, member, message] of wrong) {
    const [found] = faultsOf([vector]);
    t.equal(found?.[1], member);
    t.match(found?.[2], message);
    t.ok(found?.[2]?.startsWith(`${member}: `), 'the message says the member too');
  }
});

t.test('a vector file has at most 256 MiB', async (t) => {
  t.equal(MAX_VECTOR_FILE_BYTES, 2 ** 28);
});

t.test('a fault names a vector by suite and name, or by its position if it has none', async (t) => {
  const named = faultsOf([scheduler, { ...scheduler, name: 'two', clock: null }]);
  t.equal(named[0]?.[0], 'scheduler/two');
  for (const nameless of [7, null, { ...scheduler, name: 5 }])
    t.equal(faultsOf([scheduler, nameless])[0]?.[0], 'vector 1');
  t.equal(faultsOf([{ name: 'x' }])[0]?.[0], '?/x');
  t.equal(faultsOf([{ name: 'x', suite: 5 }])[0]?.[0], '?/x');
});

t.test('a fault does not affect the other vectors of its file', async (t) => {
  const items = parseVectorFile('f', JSON.stringify([{ ...scheduler, steps: 1 }, scheduler]));
  t.same(
    items.map(({ kind }) => kind),
    ['fault', 'vector'],
  );
});

t.test('a name given twice in a suite is a fault; the two suites do not share names', async (t) => {
  t.same(faultsOf([scheduler, replication]), []);
  t.same(faultsOf([scheduler, { ...scheduler, dialect: 'tapdisk3', trace: [] }]), [], 'nor do dialects');
  t.match(faultsOf([scheduler, scheduler]), [['scheduler/one', 'name', /no other vector of its suite has/]]);
});

t.test('an unknown member of a vector causes a warning, and is skipped', async (t) => {
  const [item] = parseVectorFile('f', JSON.stringify([{ ...scheduler, seed: 5 }]));
  t.match(item, { kind: 'vector', warnings: ['f: scheduler/one: unknown member seed is passed over'] });
});

t.test('a script may stand alone in its file, and without a trace', async (t) => {
  const file = join(t.testdir(), 'script.json');
  const { trace: _trace, ...script } = scheduler;
  writeFileSync(file, JSON.stringify(script));
  t.match(readVectorFile(file, 'script'), [{ kind: 'vector', vector: { name: 'one' } }]);
  t.match(readVectorFile(file), [{ kind: 'fault', fault: { message: 'not an array of vectors' } }]);
});

t.test('a value in a message is cut to 60 characters', async (t) => {
  const [found] = faultsOf([{ ...scheduler, clock: 'x'.repeat(100) }]);
  t.match(found?.[2], /got "x{56}\.\.\.$/);
});
