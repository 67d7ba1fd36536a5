// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { ControlMessage, textFits } from '../../src/control/message.js';
import * as messages from '../../src/control/message.js';
import * as types from '../../src/control/message-type.js';
import { messageTypeName } from '../../src/control/message-type.js';

t.test('a message has 280 bytes', async (t) => {
  t.throws(() => new ControlMessage(new Uint8Array(279)), {
    name: 'RangeError',
    message: /280 bytes, not 279/,
  });
  t.equal(ControlMessage.create(1, 2).bytes.length, 280);
});

t.test('bytes that were never written are zero', async (t) => {
  const bytes = Buffer.from(ControlMessage.create(0x0102, 0x0304).setPid(0x05060708).bytes);
  t.equal(bytes.subarray(0, 12).toString('hex'), '020104030000000008070605');
  t.ok(bytes.subarray(12).every((byte) => byte === 0));
});

t.test('numbers are little-endian, each at its offset', async (t) => {
  const hex = (message: ControlMessage, end: number): string =>
    Buffer.from(message.bytes.subarray(8, end))
      .toString('hex')
      .replaceAll(/.{8}(?!$)/g, '$& ');
  const message = (): ControlMessage => ControlMessage.create(0, 0);
  const image = message().setImage({ sectors: 0x0102_0304_0506, sectorSize: 0x0708_090a, info: 0x0b0c_0d0e });
  t.equal(hex(image, 24), '06050403 02010000 0a090807 0e0d0c0b');
  t.equal(hex(message().setParameters(0x80, 'x'.repeat(255)), 23), '80000000 00000000 00000000 ff0078');
  t.equal(hex(message().setResponse(0x0102, 'no'), 15), '02010000 6e6f00');
  const entry = { count: 0x0102, minor: 0x0304, state: 0x0506, path: 'p' };
  t.equal(hex(message().setList(entry), 22), '02010000 04030000 06050000 7000');
  t.equal(hex(message().setMinors([0x0102, 0x0304]), 20), '02000000 02010000 04030000');
  const report = { remaining: 0x0102, bytes: Buffer.from('r') };
  t.equal(hex(message().setReport(report), 17), '02010000 01000000 72');
});

t.test('a text that is too long is cut between characters', async (t) => {
  const { response } = new ControlMessage(
    ControlMessage.create(1, 0)
      .setResponse(22, `${'x'.repeat(254)}ä`)
      .bytes.slice(),
  );
  t.strictSame(response, { error: 22, text: 'x'.repeat(254) });
  t.equal(textFits('x'.repeat(255)), true);
  t.equal(textFits(`${'x'.repeat(254)}ä`), false);
  t.equal(textFits('a\0b'), false);
});

t.test('a text without a NUL, or that is not UTF-8, is still shown in a list', async (t) => {
  const message = ControlMessage.create(20, 0);
  message.bytes.fill(0x61, 20, 276);
  t.equal(message.list.path, 'a'.repeat(256));
  message.bytes.set([0xff, 0], 20);
  t.equal(message.list.path, '\ufffd');
});

t.test('counts in a message never reach beyond it', async (t) => {
  const message = ControlMessage.create(18, 0);
  new DataView(message.bytes.buffer).setInt32(8, 1_000_000, true);
  t.equal(message.minors.length, 63);
  new DataView(message.bytes.buffer).setInt32(8, -1, true);
  t.equal(message.minors.length, 0);
  new DataView(message.bytes.buffer).setInt32(12, 1_000_000, true);
  t.equal(message.report.bytes.length, 264);
});

t.test('types have names for log lines', async (t) => {
  t.equal(messageTypeName(21), 'forceShutdown');
  t.equal(messageTypeName(99), 'type 99');
});

t.test('types, flags and sizes are those of the C programs', async (t) => {
  t.same(types.MessageType, {
    error: 1,
    pid: 3,
    pidAnswer: 4,
    attach: 5,
    attachAnswer: 6,
    open: 7,
    openAnswer: 8,
    pause: 9,
    pauseAnswer: 10,
    resume: 11,
    resumeAnswer: 12,
    close: 13,
    closeAnswer: 14,
    detach: 15,
    detachAnswer: 16,
    listMinors: 17,
    listMinorsAnswer: 18,
    list: 19,
    listAnswer: 20,
    forceShutdown: 21,
    statistics: 21_505,
    statisticsAnswer: 21_506,
    replication: 21_507,
    replicationAnswer: 21_508,
    resize: 21_509,
    resizeAnswer: 21_510,
  });
  t.match(types, {
    FLAG_SHARED: 1,
    FLAG_READ_ONLY: 2,
    FLAG_ADD_CACHE: 4,
    FLAG_VHD_INDEX: 8,
    FLAG_LOG_DIRTY: 16,
  });
  t.match(messages, {
    MESSAGE_BYTES: 280,
    TEXT_BYTES: 256,
    MAX_LISTED_MINORS: 63,
    REPORT_BYTES: 264,
    NO_COOKIE: 65_535,
  });
});

t.test('what was written into a message is read from it, and a path needs its NUL', async (t) => {
  const message = ControlMessage.create(0x0102, 0x0304);
  t.same([message.type, message.cookie], [0x0102, 0x0304]);
  t.equal(message.setPid(-5).pid, -5);
  const image = { sectors: 2 ** 40 + 3, sectorSize: 4096, info: 0xffff_ffff };
  t.same(message.setImage(image).image, image);
  t.same(message.setParameters(255, 'aio:/ä').parameters, { flags: 255, path: 'aio:/ä' });
  t.same(message.setResponse(-7, 'why').response, { error: -7, text: 'why' });
  const minors = Array.from({ length: 63 }, (_, index) => index - 1);
  t.same(message.setMinors(minors).minors, minors);
  const list = { count: 3, minor: -1, state: 42, path: 'p'.repeat(255) };
  t.same(ControlMessage.create(20, 0).setList(list).list, list);
  const report = { remaining: -3, bytes: new Uint8Array(264).fill(7) };
  t.same(ControlMessage.create(20, 0).setReport(report).report, report);
  const full = ControlMessage.create(7, 0);
  full.bytes.fill(0x61, 22, 277);
  t.equal(full.parameters.path, 'a'.repeat(255));
  full.bytes[277] = 0x61;
  t.equal(full.parameters.path, undefined, 'all 256 bytes, and no NUL');
  full.bytes.set([0xff, 0], 22);
  t.equal(full.parameters.path, undefined, 'no UTF-8');
});
