// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { ControlMessage, textFits } from '../../src/control/message.js';
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
