// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import { Duplex, PassThrough, Readable, Transform, Writable } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import path from 'node:path';
import t from 'tap';
import {
  AF_INET,
  AF_UNIX,
  errno,
  type NodeObject,
  READABLE,
  SHUT_WR,
  SOL_SOCKET,
  WRITABLE,
} from '../../../src/posix/index.js';
import { acceptOne, readiness, readText, readToEnd, readyFor, succeeded, writeText } from '../arms/world.js';
import { selectPromise } from '../../../src/posix/shared/select-once.js';
import { shortDirectory } from '../../short-directory.js';
import { connectedTo, nodeServer, posixFor, refusingAddress, spyOn, turns } from '../fixture.js';

t.test("a child's output and input are descriptors: through cat and back", async (t) => {
  const posix = posixFor(t);
  const child = spawn('cat');
  const exited = once(child, 'exit');
  const input = posix.adopt(child.stdin);
  const output = posix.adopt(child.stdout);
  t.same([input, output], [3, 4], 'they take the lowest free numbers');
  const sent = 'pipe'.repeat(100_000);
  const [got] = await Promise.all([
    readToEnd(posix, output),
    writeText(posix, input, sent).then(() => posix.close(input)),
  ]);
  t.ok(got === sent);
  await exited;
});

t.test('the end of a child is seen as end of file of its output', async (t) => {
  const posix = posixFor(t);
  const child = spawn(process.execPath, [
    '-e',
    'process.stdout.write("partial"); setInterval(() => {}, 1000)',
  ]);
  const output = posix.adopt(child.stdout);
  t.equal(await readText(posix, output), 'partial');
  t.equal(posix.read(output, Buffer.alloc(1)), -errno.EAGAIN);
  process.kill(child.pid as number, 'SIGKILL');
  t.equal(await readText(posix, output), '');
});

t.test('file streams: a file is read and written through descriptors', async (t) => {
  const posix = posixFor(t);
  const directory = t.testdir({ from: 'x'.repeat(300_000) });
  const input = posix.adopt(fs.createReadStream(path.join(directory, 'from')));
  const file = fs.createWriteStream(path.join(directory, 'to'));
  const output = posix.adopt(file);
  await writeText(posix, output, await readToEnd(posix, input));
  posix.close(output);
  await once(file, 'close');
  t.equal(fs.readFileSync(path.join(directory, 'to'), 'utf8').length, 300_000);
  t.equal(posix.write(input, Buffer.from('x')), -errno.EBADF, 'not open for writing');
});

t.test(
  'a descriptor that can only be written says -EBADF to read, and is never ready for READ',
  async (t) => {
    const posix = posixFor(t);
    const fd = posix.adopt(new Writable({ write: (_chunk, _encoding, done) => done() }));
    t.equal(posix.read(fd, Buffer.alloc(1)), -errno.EBADF);
    t.equal(await readyFor(posix, fd), 'W');
  },
);

t.test('reading without interest works too: the first read starts the stream', async (t) => {
  const posix = posixFor(t);
  const fd = posix.adopt(Readable.from([Buffer.from('lazy')], { objectMode: false }));
  t.equal(posix.read(fd, Buffer.alloc(9)), -errno.EAGAIN);
  await turns();
  const buffer = Buffer.alloc(9);
  t.equal(posix.read(fd, buffer), 4);
  t.equal(buffer.toString('utf8', 0, 4), 'lazy');
  posix.read(fd, buffer);
  await turns();
  t.equal(posix.read(fd, buffer), 0);
});

t.test('socket calls return -ENOTSOCK on a stream that is not a socket', async (t) => {
  const posix = posixFor(t);
  const fd = posix.adopt(new PassThrough());
  const address = { family: AF_INET, address: '127.0.0.1', port: 0 } as const;
  t.equal(posix.bind(fd, address), -errno.ENOTSOCK);
  t.equal(posix.listen(fd, 1), -errno.ENOTSOCK);
  t.equal(posix.accept(fd), -errno.ENOTSOCK);
  t.equal(posix.connect(fd, address), -errno.ENOTSOCK);
  t.equal(posix.shutdown(fd, SHUT_WR), -errno.ENOTSOCK);
  t.equal(posix.getsockname(fd), -errno.ENOTSOCK);
  t.equal(posix.getpeername(fd), -errno.ENOTSOCK);
  t.equal(posix.setsockopt(fd, 1, 9, 1), -errno.ENOTSOCK);
  t.equal(posix.getsockopt(fd, 1, 4), -errno.ENOTSOCK);
  t.match(posix.openDescriptors(), [{ fd, description: 'adopted PassThrough' }]);
});

t.test('a net.Socket is a connected socket, with its names and options', async (t) => {
  const posix = posixFor(t);
  const { server, address } = await nodeServer(t, { allowHalfOpen: true });
  const socket = net.connect(address.port, '127.0.0.1');
  const [peer] = (await once(server, 'connection')) as [net.Socket];
  if (socket.connecting) await once(socket, 'connect');
  const fd = posix.adopt(socket);
  t.same(posix.getpeername(fd), address);
  t.match(posix.getsockname(fd), { port: socket.localPort });
  t.equal(posix.connect(fd, address), -errno.EISCONN);
  for (const answer of [posix.bind(fd, address), posix.listen(fd, 1), posix.accept(fd)])
    t.equal(answer, -errno.EINVAL);
  const told: unknown[] = [];
  socket.setNoDelay = (on) => {
    told.push(on);
    return socket;
  };
  t.equal(posix.setsockopt(fd, 6, 1, 1), 0);
  t.equal(posix.getsockopt(fd, 6, 1), 1);
  t.same(told, [true], 'it is in force');
  t.equal(posix.setsockopt(fd, 6, 99, 1), -errno.ENOPROTOOPT);
  t.equal(posix.getsockopt(fd, 1, 4), 0);
  t.match(posix.openDescriptors(), [
    { description: /^adopted Socket 127\.0\.0\.1:\d+ -> 127\.0\.0\.1:\d+$/ },
  ]);
  peer.end('half');
  t.equal(await readToEnd(posix, fd), 'half');
  t.equal(posix.write(fd, Buffer.from('other half')), 10, "the peer's end of file leaves our side open");
  t.equal(posix.shutdown(fd, SHUT_WR), 0);
  t.equal(await textOf(peer), 'other half');
});

t.test('a connecting net.Socket is ready for nothing until it is connected', async (t) => {
  const posix = posixFor(t);
  const { address } = await nodeServer(t);
  const fd = posix.adopt(net.connect(address.port, '127.0.0.1'));
  t.equal(posix.read(fd, Buffer.alloc(1)), -errno.EAGAIN);
  t.equal(posix.write(fd, Buffer.alloc(1)), -errno.EAGAIN);
  t.equal(posix.take(fd), -errno.EAGAIN);
  t.equal(
    posix.send(fd, [Buffer.alloc(1)], () => {}),
    -errno.EAGAIN,
  );
  t.equal(posix.connect(fd, address), -errno.EALREADY);
  t.equal(posix.getpeername(fd), -errno.ENOTCONN);
  await readiness(posix, fd, WRITABLE);
  t.same(posix.getpeername(fd), address);
});

t.test('a net.Socket whose connect fails has its error pending', async (t) => {
  const posix = posixFor(t);
  const address = refusingAddress(t);
  const fd = posix.adopt(net.connect(address.port, '127.0.0.1'));
  await readiness(posix, fd, WRITABLE);
  t.equal(posix.getsockopt(fd, 1, 4), errno.ECONNREFUSED);
  t.equal(posix.read(fd, Buffer.alloc(1)), 0);
  t.equal(posix.write(fd, Buffer.alloc(1)), -errno.EPIPE);
});

t.test('a server is a listener; its connections are accepted as descriptors', async (t) => {
  const posix = posixFor(t);
  const { server, address } = await nodeServer(t);
  const fd = posix.adopt(server);
  t.same(posix.getsockname(fd), address);
  const peer = net.connect({ port: address.port, host: '127.0.0.1', allowHalfOpen: true });
  const accepted = await acceptOne(posix, fd);
  peer.end('to the server');
  t.equal(await readToEnd(posix, accepted), 'to the server');
  await writeText(posix, accepted, 'and back');
  posix.close(accepted);
  t.equal(await textOf(peer), 'and back');
  posix.close(fd);
  t.equal(server.listening, false);
});

t.test('servers of every family are recognised, even before they listen', async (t) => {
  const posix = posixFor(t);
  const unix = net.createServer();
  const socketPath = path.join(shortDirectory(t), 's');
  unix.listen(socketPath);
  const idle = net.createServer();
  t.same(posix.getsockname(posix.adopt(unix)), { family: AF_UNIX, path: socketPath });
  const fd = posix.adopt(idle);
  t.same(posix.getsockname(fd), { family: AF_UNIX, path: '' });
  idle.listen(0, '::1');
  await once(idle, 'listening');
  t.match(posix.getsockname(fd), { address: '::1' });
  const idle6 = posixFor(t).adopt(idle);
  t.equal(idle6, 3);
});

t.test('a server that was closed has no address, but the family that it had', async (t) => {
  for (const host of ['127.0.0.1', '::1']) {
    const posix = posixFor(t);
    const server = net.createServer().listen(0, host);
    await once(server, 'listening');
    const fd = posix.adopt(server);
    server.close();
    t.match(posix.getsockname(fd), { address: host === '::1' ? '::' : '0.0.0.0', port: 0 });
  }
});

t.test('accept returns a server’s error, once', async (t) => {
  const posix = posixFor(t);
  const { address } = await nodeServer(t);
  const second = net.createServer();
  const fd = posix.adopt(second);
  second.listen(address.port, '127.0.0.1');
  await readiness(posix, fd, READABLE);
  t.equal(posix.accept(fd), -errno.EADDRINUSE);
  t.equal(posix.accept(fd), -errno.EAGAIN);
});

t.test(
  'a duplex of any kind is one, and what was written is not overwritten by the next write',
  async (t) => {
    const posix = posixFor(t);
    const fd = posix.adopt(new PassThrough());
    const buffer = Buffer.from('aaaa');
    t.equal(posix.write(fd, buffer), 4);
    buffer.fill('b');
    t.equal(posix.write(fd, buffer), 4);
    t.equal(await readText(posix, fd), 'aaaabbbb');
  },
);

t.test('a transform that has another reader is not cut off by close', async (t) => {
  const posix = posixFor(t);
  const upper = new Transform({
    transform(chunk, _encoding, done) {
      setImmediate(() => done(null, String(chunk).toUpperCase()));
    },
  });
  const read = textOf(upper);
  const fd = posix.adopt(upper);
  posix.write(fd, Buffer.from('all of it'));
  posix.close(fd);
  t.equal(await read, 'ALL OF IT');
});

t.test('an unread transform is destroyed by close', async (t) => {
  const posix = posixFor(t);
  const stream = new PassThrough();
  const fd = posix.adopt(stream);
  posix.write(fd, Buffer.from('unread'));
  posix.close(fd);
  await once(stream, 'close');
  const readable = new PassThrough();
  readable.end();
  posix.close(posix.adopt(readable));
  await once(readable, 'close');
});

t.test('an error without an errno is EIO, and is pending once', async (t) => {
  const posix = posixFor(t);
  const broken = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done(new Error('no errno')) });
  const fd = posix.adopt(broken);
  t.equal(posix.write(fd, Buffer.from('x')), -errno.EPIPE);
  await readiness(posix, fd, READABLE);
  t.equal(posix.read(fd, Buffer.alloc(1)), -errno.EIO);
  t.equal(posix.read(fd, Buffer.alloc(1)), 0);
});

t.test(
  'an error of a stream that is no socket is answered by write too, once: the disk is full',
  async (t) => {
    const posix = posixFor(t);
    const full = new Writable({
      write: (_chunk, _encoding, done) =>
        setImmediate(done, Object.assign(new Error('no space left'), { code: 'ENOSPC' })),
    });
    const fd = posix.adopt(full);
    t.equal(posix.write(fd, Buffer.from('image')), 5);
    await once(full, 'close').catch(() => undefined);
    t.equal(posix.write(fd, Buffer.from('more')), -errno.ENOSPC);
    t.equal(posix.write(fd, Buffer.from('more')), -errno.EPIPE);
  },
);

t.test('a stream whose buffer is full to the byte is not ready until it is empty', async (t) => {
  const posix = posixFor(t, { sendBufferBytes: 1000 });
  let finish = (): void => {};
  const slow = new Writable({
    highWaterMark: 1000,
    write: (_chunk, _encoding, done) => {
      finish = done;
    },
  });
  const fd = posix.adopt(slow);
  t.equal(posix.write(fd, Buffer.alloc(600)), 600);
  t.equal(await readyFor(posix, fd), 'W');
  t.equal(posix.write(fd, Buffer.alloc(400)), 400);
  t.equal(await readyFor(posix, fd), '');
  t.equal(posix.write(fd, Buffer.alloc(1)), -errno.EAGAIN);
  t.equal(posix.write(fd, Buffer.alloc(0)), 0, 'nothing has room');
  finish();
  t.equal(await readyFor(posix, fd), '', 'part of it waits still');
  finish();
  await readiness(posix, fd, WRITABLE);
  t.equal(posix.write(fd, Buffer.alloc(2000)), 1000, 'as much as there is room for');
});

t.test('a stream takes as much as its own mark says, if that is higher, and is ready again', async (t) => {
  const posix = posixFor(t, { sendBufferBytes: 1000 });
  const finished: (() => void)[] = [];
  const slow = new Writable({
    highWaterMark: 4000,
    write: (_chunk, _encoding, done) => void finished.push(done),
  });
  const fd = posix.adopt(slow);
  t.equal(posix.write(fd, Buffer.alloc(5000)), 4000);
  t.equal(await readyFor(posix, fd), '');
  finished.pop()?.();
  await readiness(posix, fd, WRITABLE);
  t.equal(posix.write(fd, Buffer.alloc(1)), 1);
  posix.release(fd);
  t.equal(slow.listenerCount('drain'), 0, 'released, it has no listener of the descriptor’s');
});

t.test('a pending EPIPE is not an error of reads, and a close wakes those who wait', async (t) => {
  const posix = posixFor(t);
  const poller = posix.createPoller();
  t.teardown(() => poller.close());
  const source = new Readable({ read() {}, autoDestroy: false });
  const fd = posix.adopt(source);
  poller.setInterest(fd, READABLE);
  source.emit('error', Object.assign(new Error('gone'), { code: 'EPIPE' }));
  t.same(await selectPromise(poller, 0), []);
  t.equal(posix.read(fd, Buffer.alloc(1)), -errno.EAGAIN);
  const woken = selectPromise(poller, 600);
  source.destroy();
  t.same(await woken, [{ fd, conditions: READABLE }]);
  t.equal(posix.read(fd, Buffer.alloc(1)), 0);
});

t.test(
  'parts are sent only through sockets, and an error is returned by the write in their place',
  async (t) => {
    const posix = posixFor(t);
    const parts = [Buffer.from('x')];
    const sent = (): void => void t.fail('it was not sent');
    t.equal(posix.send(posix.adopt(new Readable({ read() {} })), parts, sent), -errno.EBADF);
    const full = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('full'), { code: 'ENOSPC' })),
    });
    const fd = posix.adopt(full);
    t.equal(posix.send(fd, parts, sent), -errno.EOPNOTSUPP);
    posix.write(fd, Buffer.from('x'));
    await readiness(posix, fd, WRITABLE);
    await turns();
    t.equal(posix.send(fd, parts, sent), -errno.EOPNOTSUPP);
    t.equal(posix.write(fd, Buffer.from('x')), -errno.ENOSPC);
    t.equal(posix.write(fd, Buffer.from('x')), -errno.EPIPE);
  },
);

t.test(
  'what is unsent is what the stream has taken and not passed on, and none once it is destroyed',
  async (t) => {
    const posix = posixFor(t);
    t.equal(posix.unsent(posix.adopt(new Readable({ read() {} }))), 0);
    const stuck = new Writable({ write() {} });
    const fd = posix.adopt(stuck);
    t.equal(posix.unsent(fd), 0);
    t.equal(posix.write(fd, Buffer.from('abc')), 3);
    t.equal(posix.unsent(fd), 3);
    stuck.destroy();
    t.equal(posix.unsent(fd), 0);
  },
);

t.test('an error of a stream that continues is pending once, and its bytes still arrive', async (t) => {
  const posix = posixFor(t);
  const source = new Readable({ read() {}, autoDestroy: false });
  const fd = posix.adopt(source);
  source.emit('error', Object.assign(new Error('for now'), { code: 'ENOSPC' }));
  await readiness(posix, fd, READABLE);
  t.equal(posix.read(fd, Buffer.alloc(0)), 0, 'to read nothing takes no error');
  t.equal(posix.read(fd, Buffer.alloc(1)), -errno.ENOSPC);
  t.equal(posix.read(fd, Buffer.alloc(1)), -errno.EAGAIN);
  source.push('more');
  t.equal(await readText(posix, fd), 'more');
});

t.test(
  'what cannot be a descriptor is an error: -EINVAL, -EBADF when destroyed, -EBUSY when it is one, -EMFILE',
  async (t) => {
    const posix = posixFor(t, { maxDescriptors: 5 });
    for (const bad of [undefined, null, 7, 'stdin', {}, new EventTarget()] as unknown as NodeObject[]) {
      t.equal(posix.adopt(bad), -errno.EINVAL);
    }
    t.equal(posix.adopt(Readable.from(['objects'])), -errno.EINVAL);
    t.equal(posix.adopt(new Writable({ objectMode: true })), -errno.EINVAL);
    const gone = new PassThrough();
    gone.destroy();
    t.equal(posix.adopt(gone), -errno.EBADF);
    const stream = new PassThrough();
    const server = net.createServer();
    t.equal(posix.adopt(stream), 3);
    t.equal(posix.adopt(stream), -errno.EBUSY);
    t.equal(posix.adopt(server), 4);
    t.equal(posix.adopt(server), -errno.EBUSY);
    const third = new PassThrough();
    t.equal(posix.adopt(third), -errno.EMFILE);
    t.equal(third.listenerCount('error'), 0, 'and it is left as it was');
    posix.release(3);
    t.equal(posix.adopt(stream), 3, 'a released one can be adopted again');
  },
);

t.test("a connection's own object is not adopted twice", async (t) => {
  const posix = posixFor(t);
  const { fd, peer } = await connectedTo(t, posix);
  const socket = posix.nodeObject(fd) as net.Socket;
  t.equal(posix.adopt(socket), -errno.EBUSY);
  posix.release(fd);
  const again = succeeded(posix.adopt(socket));
  peer.write('same bytes');
  t.equal(await readText(posix, again), 'same bytes');
});

t.test(
  'a connecting socket that is released has no listener of the descriptor’s, and no option that was refused',
  async (t) => {
    const posix = posixFor(t);
    const { address } = await nodeServer(t);
    let calls = 0;
    for (const name of ['setNoDelay', 'setKeepAlive'] as const) spyOn(t, name, () => calls++);
    const socket = net.connect(address.port, address.address);
    const events = ['connect', 'error', 'close', 'end', 'data', 'readable', 'drain'];
    const counts = (): number[] => events.map((event) => socket.listenerCount(event));
    const before = counts();
    const fd = posix.adopt(socket);
    t.equal(posix.setsockopt(fd, SOL_SOCKET, 9999, 1), -errno.ENOPROTOOPT);
    t.equal(calls, 0);
    t.equal(posix.release(fd), 0);
    t.same(counts(), before);
    await once(socket, 'connect');
    socket.destroy();
  },
);

t.test('release returns a stream unchanged', async (t) => {
  const posix = posixFor(t);
  const { server, address } = await nodeServer(t);
  const socket = net.connect(address.port, '127.0.0.1');
  await once(server, 'connection');
  t.equal(socket.allowHalfOpen, false);
  const fd = posix.adopt(socket);
  t.equal(socket.allowHalfOpen, true);
  posix.release(fd);
  t.equal(socket.allowHalfOpen, false);
  socket.destroy();
});

t.test('a stream with an encoding is refused: its bytes are lost', async (t) => {
  const posix = posixFor(t);
  const text = new PassThrough().setEncoding('utf8');
  t.equal(posix.adopt(text), -errno.EINVAL);
  t.equal(posix.adopt(new PassThrough({ encoding: 'latin1' })), -errno.EINVAL);
});

t.test(
  'a stream that somebody else has a `readable` listener on is ready when it has bytes, and at its end',
  async (t) => {
    const posix = posixFor(t);
    const stream = new PassThrough();
    stream.on('readable', () => {});
    const fd = posix.adopt(stream);
    setImmediate(() => stream.write('some'));
    await readiness(posix, fd, READABLE);
    const buffer = Buffer.alloc(10);
    t.equal(posix.read(fd, buffer), 4);
    t.equal(posix.read(fd, buffer), -errno.EAGAIN);
    setImmediate(() => stream.end());
    await readiness(posix, fd, READABLE);
    t.equal(posix.read(fd, buffer), 0);
  },
);

t.test('a stream whose bytes another reader takes is -EBUSY to read, until that reader goes', async (t) => {
  const posix = posixFor(t);
  const buffer = Buffer.alloc(10);
  for (const isWaitedFor of [true, false]) {
    const stream = new PassThrough();
    const other = new PassThrough();
    stream.pipe(other);
    const fd = posix.adopt(stream);
    if (isWaitedFor) await readiness(posix, fd, READABLE);
    t.equal(posix.read(fd, buffer), -errno.EBUSY);
    t.equal(posix.take(fd), -errno.EBUSY);
    t.equal(posix.write(fd, Buffer.from('theirs')), 6, 'it can be written');
    await turns();
    t.equal(String(other.read()), 'theirs');
    stream.unpipe(other);
    t.equal(posix.write(fd, Buffer.from('ours')), 4);
    t.equal(await readText(posix, fd), 'ours');
  }
  const stream = new PassThrough();
  stream.on('data', () => {});
  t.equal(posix.read(posix.adopt(stream), buffer), -errno.EBUSY);
});

t.test('a net.Socket that nobody has connected yet is not connected', async (t) => {
  const posix = posixFor(t);
  const { server, address } = await nodeServer(t);
  const socket = new net.Socket();
  const fd = posix.adopt(socket);
  const buffer = Buffer.from('hello');
  t.equal(posix.write(fd, buffer), -errno.EAGAIN);
  t.equal(posix.read(fd, buffer), -errno.EAGAIN);
  t.equal(posix.getpeername(fd), -errno.ENOTCONN);
  t.equal(await readyFor(posix, fd), '');
  socket.connect(address.port, '127.0.0.1');
  const [peer] = (await once(server, 'connection')) as [net.Socket];
  await readiness(posix, fd, WRITABLE);
  t.equal(posix.write(fd, buffer), 5);
  t.equal(posix.shutdown(fd, SHUT_WR), 0);
  t.equal(await textOf(peer), 'hello');
  const unused = new net.Socket();
  const unusedFd = posix.adopt(unused);
  unused.destroy();
  await readiness(posix, unusedFd, READABLE);
  t.equal(posix.read(unusedFd, buffer), 0);
});

t.test('a `readable` listener that comes while the descriptor is waited for does not stop it', async (t) => {
  const posix = posixFor(t);
  const stream = new PassThrough();
  const fd = posix.adopt(stream);
  const ready = readiness(posix, fd, READABLE);
  stream.on('readable', () => {});
  setImmediate(() => stream.write('some'));
  await ready;
  const buffer = Buffer.alloc(10);
  t.equal(posix.read(fd, buffer), 4);
  t.equal(posix.read(fd, buffer), -errno.EAGAIN);
  setImmediate(() => stream.end('more'));
  t.equal(await readToEnd(posix, fd), 'more');
});

t.test('an encoding that is set later is an error of the stream once it loses bytes', async (t) => {
  const posix = posixFor(t);
  const bytes = Buffer.from([0xff, 0xfe, 65, 66]);
  for (const encoding of ['utf8', 'ascii', 'utf16le', 'hex', 'base64', 'latin1'] as const) {
    const stream = new PassThrough();
    const fd = posix.adopt(stream);
    const ready = readiness(posix, fd, READABLE);
    stream.setEncoding(encoding).end(bytes);
    await ready;
    const buffer = Buffer.alloc(10);
    const isKept = !['utf8', 'ascii'].includes(encoding);
    t.equal(posix.read(fd, buffer), isKept ? 4 : -errno.EINVAL, encoding);
    if (isKept) t.same(buffer.subarray(0, 4), bytes);
  }
});
