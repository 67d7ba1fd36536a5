// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { once } from 'node:events';
import { Socket } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import t from 'tap';
import { Outbound } from '../../../src/posix/node/outbound.js';
import { SendSlab } from '../../../src/posix/node/send-slab.js';
import { nodeServer } from '../fixture.js';

t.test('bytes that wait for the kernel, even one, are not overwritten by the next write', async (t) => {
  const { server, address } = await nodeServer(t);
  const arrival = once(server, 'connection') as Promise<[Socket]>;
  const socket = new Socket().connect(address.port, address.address);
  const side = new Outbound(socket, new SendSlab(), 1000, () => {});
  for (const byte of 'abc') t.equal(side.write(Buffer.from(byte)), 1);
  socket.end();
  const [peer] = await arrival;
  t.equal(await textOf(peer), 'abc');
});
