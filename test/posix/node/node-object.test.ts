// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import { PassThrough, type Readable } from 'node:stream';
import { buffer as bufferOf, text as textOf } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import t from 'tap';
import { AF_INET, errno, READABLE, SOCK_STREAM, WRITABLE } from '../../../src/posix/index.js';
import { acceptOne, listening, readiness, readText } from '../arms/world.js';
import { connectedTo, nodeServer, posixFor, refusingAddress, turns } from '../fixture.js';

t.test('a connected descriptor is released as its net.Socket, without our listeners', async (t) => {
  const posix = posixFor(t);
  const { fd, peer } = await connectedTo(t, posix);
  const socket = posix.nodeObject(fd) as net.Socket;
  t.type(socket, net.Socket);
  t.equal(posix.nodeObject(fd), socket);
  for (const event of ['data', 'readable', 'drain']) t.equal(socket.listenerCount(event), 0, event);
  peer.end('for Node');
  t.equal(await textOf(socket), 'for Node');
});

t.test('bytes that were read ahead are put back, in order, whatever part of them was read', async (t) => {
  const posix = posixFor(t);
  const { fd, peer } = await connectedTo(t, posix);
  const poller = posix.createPoller();
  poller.setInterest(fd, READABLE);
  for (const piece of ['one ', 'two ', 'three ']) {
    peer.write(piece);
    await turns(4);
  }
  await readiness(posix, fd, READABLE);
  t.equal(posix.read(fd, Buffer.alloc(6)), 6);
  poller.setInterest(fd, 0);
  const socket = posix.nodeObject(fd) as net.Socket;
  peer.end('four');
  t.equal(await textOf(socket), 'o three four');
  poller.close();
});

t.test(
  'the object flows for a data listener, a pipe and a pipeline as if it had never been a descriptor',
  async (t) => {
    const consumers: ((socket: net.Socket) => Promise<string>)[] = [
      async (socket) => {
        let text = '';
        socket.on('data', (chunk) => (text += String(chunk)));
        await once(socket, 'end');
        return text;
      },
      async (socket) => {
        await turns(3);
        let text = '';
        socket.on('data', (chunk) => (text += String(chunk)));
        await once(socket, 'end');
        return text;
      },
      (socket) => textOf(socket.pipe(new PassThrough())),
      async (socket) => {
        const sink = new PassThrough();
        const [, text] = await Promise.all([pipeline(socket, sink), textOf(sink)]);
        return text;
      },
      async (socket) => {
        let text = '';
        for await (const chunk of socket) text += String(chunk);
        return text;
      },
    ];
    for (const consume of consumers) {
      const posix = posixFor(t);
      const { fd, peer } = await connectedTo(t, posix);
      const poller = posix.createPoller();
      poller.setInterest(fd, READABLE);
      peer.write('header body');
      await readiness(posix, fd, READABLE);
      t.equal(posix.read(fd, Buffer.alloc(7)), 7);
      poller.close();
      const socket = posix.nodeObject(fd) as net.Socket;
      t.equal(posix.release(fd), 0);
      const consumed = consume(socket);
      peer.end(' and end');
      // Pipelines want the writing side closed too.
      socket.end();
      t.equal(await consumed, 'body and end');
    }
  },
);

t.test(
  'in mid-stream, large: what the descriptor has read and what Node reads together are everything',
  async (t) => {
    const posix = posixFor(t);
    const { fd, peer } = await connectedTo(t, posix);
    const sent = Buffer.alloc(8 * 1024 * 1024);
    for (let word = 0; word < sent.length / 4; word++) sent.writeUInt32LE(word, word * 4);
    peer.end(sent);
    const poller = posix.createPoller();
    poller.setInterest(fd, READABLE);
    const head: Buffer[] = [];
    let count = 0;
    while (count < 3_000_000) {
      await readiness(posix, fd, READABLE);
      const piece = Buffer.alloc(30_011);
      const got = posix.read(fd, piece);
      head.push(piece.subarray(0, got));
      count += got;
    }
    poller.close();
    const rest = await bufferOf(posix.nodeObject(fd) as net.Socket);
    t.ok(Buffer.concat([...head, rest]).equals(sent));
  },
);

t.test(
  'without interest bytes stay in the Node object, so that a socket handed out after the end of file is itself',
  async (t) => {
    const posix = posixFor(t);
    const { server: listener, address } = await (async () => {
      const opened = listening(posix, { family: AF_INET, address: '127.0.0.1', port: 0 });
      return { server: opened.fd, address: opened.address as { port: number } };
    })();
    const peer = net.connect(address.port, '127.0.0.1');
    peer.end('short visit');
    await once(peer, 'finish');
    const fd = await acceptOne(posix, listener);
    await turns(5);
    const socket = posix.nodeObject(fd) as net.Socket;
    t.equal(socket.readableEnded, false);
    t.equal(await textOf(socket), 'short visit');
  },
);

t.test(
  'after the end of file with bytes unread the object is a stream of the rest that writes to the connection',
  async (t) => {
    const posix = posixFor(t);
    const { fd, peer } = await connectedTo(t, posix);
    const poller = posix.createPoller();
    poller.setInterest(fd, READABLE);
    peer.end('read this, not that');
    await readiness(posix, fd, READABLE);
    t.equal(posix.read(fd, Buffer.alloc(11)), 11);
    await turns(10);
    poller.close();
    const rest = posix.nodeObject(fd) as net.Socket;
    t.equal(posix.nodeObject(fd), rest, 'and it stays that stream');
    rest.end('answer');
    t.equal(await textOf(peer), 'answer');
    t.equal(await textOf(rest), 'not that');
  },
);

t.test('after a reset with unread bytes the object is a stream of the rest', async (t) => {
  const posix = posixFor(t);
  const { fd, peer } = await connectedTo(t, posix);
  const poller = posix.createPoller();
  poller.setInterest(fd, READABLE);
  peer.write('what came before');
  await readiness(posix, fd, READABLE);
  peer.resetAndDestroy();
  await turns(10);
  poller.close();
  const rest = posix.nodeObject(fd) as Readable;
  t.equal(rest.readableObjectMode, false, 'of bytes');
  t.equal(await textOf(rest), 'what came before');
});

t.test('a read, or new interest, resumes reading the object', async (t) => {
  const posix = posixFor(t);
  const { fd, peer } = await connectedTo(t, posix);
  const poller = posix.createPoller();
  poller.setInterest(fd, READABLE);
  peer.write('a');
  await readiness(posix, fd, READABLE);
  const socket = posix.nodeObject(fd) as net.Socket;
  t.equal(await readText(posix, fd), 'a', 'what was put back is still there to be read');
  peer.write('b');
  t.equal(await readText(posix, fd), 'b');
  posix.nodeObject(fd);
  peer.end('c');
  await turns(5);
  poller.setInterest(fd, 0);
  poller.setInterest(fd, READABLE);
  t.equal(await readText(posix, fd), 'c');
  t.equal(await readText(posix, fd), '');
  t.equal(posix.nodeObject(fd), socket);
  poller.close();
});

t.test('an end of file that came while the object was released is seen when it is read again', async (t) => {
  const posix = posixFor(t);
  const { fd, peer } = await connectedTo(t, posix);
  const socket = posix.nodeObject(fd) as net.Socket;
  socket.resume();
  peer.end('taken by Node');
  await once(socket, 'end');
  t.equal(posix.read(fd, Buffer.alloc(1)), 0);
});

t.test('an encoding set on the object meanwhile does not change the bytes', async (t) => {
  const posix = posixFor(t);
  const { fd, peer } = await connectedTo(t, posix);
  (posix.nodeObject(fd) as net.Socket).setEncoding('utf8');
  peer.write('grüße');
  await turns(5);
  const got = Buffer.alloc(20);
  await readiness(posix, fd, READABLE);
  t.equal(got.toString('utf8', 0, posix.read(fd, got)), 'grüße');
  const poller = posix.createPoller();
  poller.setInterest(fd, READABLE);
  peer.write('ñandú');
  await readiness(posix, fd, READABLE);
  t.equal(got.toString('utf8', 0, posix.read(fd, got)), 'ñandú');
  poller.close();
});

t.test('an error of a released object is not unhandled, and the descriptor reports it', async (t) => {
  const posix = posixFor(t);
  const { fd, peer } = await connectedTo(t, posix);
  const socket = posix.nodeObject(fd) as net.Socket;
  peer.resetAndDestroy();
  await new Promise((resolve) => socket.on('close', resolve));
  t.equal(posix.read(fd, Buffer.alloc(1)), -errno.ECONNRESET);
  t.equal(posix.read(fd, Buffer.alloc(1)), 0);
});

t.test('an object that its owner ended or destroyed cannot be written to', async (t) => {
  const posix = posixFor(t);
  const { fd } = await connectedTo(t, posix);
  const socket = posix.nodeObject(fd) as net.Socket;
  socket.end();
  t.equal(posix.write(fd, Buffer.from('x')), -errno.EPIPE);
  socket.destroy();
  t.equal(posix.write(fd, Buffer.from('x')), -errno.EPIPE);
  t.equal(posix.read(fd, Buffer.alloc(1)), 0);
});

t.test('release frees the number; the object survives, without our listeners', async (t) => {
  const posix = posixFor(t);
  const { fd, peer } = await connectedTo(t, posix);
  const before = new net.Socket();
  const socket = posix.nodeObject(fd) as net.Socket;
  t.equal(posix.release(fd), 0);
  t.same(posix.openDescriptors(), []);
  t.equal(posix.release(fd), -errno.EBADF);
  t.equal(posix.nodeObject(fd), undefined);
  for (const event of ['data', 'end', 'error', 'close', 'drain', 'readable', 'connect']) {
    t.equal(socket.listenerCount(event), before.listenerCount(event), event);
  }
  socket.end('bye');
  peer.end();
  t.equal(await textOf(peer), 'bye');
});

t.test(
  'before connect the object is the socket that will dial; afterwards the one that is connected',
  async (t) => {
    const posix = posixFor(t);
    const { address } = await nodeServer(t);
    const fd = posix.socket(AF_INET, SOCK_STREAM);
    const socket = posix.nodeObject(fd) as net.Socket;
    posix.connect(fd, address);
    t.equal(posix.nodeObject(fd), socket);
    await readiness(posix, fd, WRITABLE);
    t.equal(posix.nodeObject(fd), socket);
    t.equal(socket.remotePort, address.port);
  },
);

t.test('after a refused connect the object is a fresh one', async (t) => {
  const posix = posixFor(t);
  const address = refusingAddress(t);
  const fd = posix.socket(AF_INET, SOCK_STREAM);
  const first = posix.nodeObject(fd) as net.Socket;
  posix.connect(fd, address);
  await readiness(posix, fd, WRITABLE);
  const second = posix.nodeObject(fd) as net.Socket;
  t.not(second, first);
  t.equal(second.destroyed, false);
});

t.test('a socket that its owner connects is connected', async (t) => {
  const posix = posixFor(t);
  const { address } = await nodeServer(t);
  const fd = posix.socket(AF_INET, SOCK_STREAM);
  const socket = posix.nodeObject(fd) as net.Socket;
  socket.connect(address.port, '127.0.0.1');
  t.equal(posix.connect(fd, address), -errno.EALREADY);
  await once(socket, 'connect');
  t.same(posix.getpeername(fd), address);
});

t.test('destroying a connecting socket aborts the connect', async (t) => {
  const posix = posixFor(t);
  const { address } = await nodeServer(t);
  const fd = posix.socket(AF_INET, SOCK_STREAM);
  posix.connect(fd, address);
  (posix.nodeObject(fd) as net.Socket).destroy();
  await readiness(posix, fd, WRITABLE);
  t.equal(posix.getsockopt(fd, 1, 4), errno.ECONNABORTED);
});

t.test('a connecting socket can be released, and continues on its own', async (t) => {
  const posix = posixFor(t);
  const { address } = await nodeServer(t);
  const fd = posix.socket(AF_INET, SOCK_STREAM);
  posix.connect(fd, address);
  const socket = posix.nodeObject(fd) as net.Socket;
  posix.release(fd);
  await once(socket, 'connect');
  socket.destroy();
});

t.test('releasing a descriptor without an object just frees the number', async (t) => {
  const posix = posixFor(t);
  const counter = posix.eventfd();
  t.equal(posix.nodeObject(counter), undefined);
  t.equal(posix.release(counter), 0);
  const open = fs.readdirSync('/proc/self/fd').length;
  const bound = posix.socket(AF_INET, SOCK_STREAM);
  posix.bind(bound, { family: AF_INET, address: '127.0.0.1', port: 0 });
  const address = posix.getsockname(bound);
  t.equal(posix.release(bound), 0);
  t.equal(fs.readdirSync('/proc/self/fd').length, open, 'the kernel has none of it either');
  t.equal(listening(posix, address as never).fd, bound, 'and lets go of the address');
});

t.test('a listener gives its net.Server; waiting connections go to its listeners', async (t) => {
  const posix = posixFor(t);
  const { fd, address } = listening(posix, { family: AF_INET, address: '127.0.0.1', port: 0 });
  const { port } = address as { port: number };
  const first = net.connect(port, '127.0.0.1');
  await readiness(posix, fd, READABLE);
  const server = posix.nodeObject(fd) as net.Server;
  t.type(server, net.Server);
  t.equal(server.listenerCount('connection'), 0);
  await turns(3);
  t.ok(posix.accept(fd) > fd, 'with nobody listening they stay');
  const second = net.connect(port, '127.0.0.1');
  await readiness(posix, fd, READABLE);
  posix.nodeObject(fd);
  const [socket] = (await once(server, 'connection')) as [net.Socket];
  socket.end('from the server');
  t.equal(await textOf(second), 'from the server');
  const third = net.connect(port, '127.0.0.1');
  const [another] = (await once(server, 'connection')) as [net.Socket];
  another.destroy();
  for (const peer of [first, second, third]) peer.destroy();
});

t.test('a released listener keeps listening in Node', async (t) => {
  const posix = posixFor(t);
  const { fd, address } = listening(posix, { family: AF_INET, address: '127.0.0.1', port: 0 });
  const server = posix.nodeObject(fd) as net.Server;
  t.equal(posix.release(fd), 0);
  t.equal(server.listenerCount('error'), 0);
  const peer = net.connect((address as { port: number }).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [net.Socket];
  socket.destroy();
  peer.destroy();
  server.close();
  await once(server, 'close');
});
