// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { AF_INET, AF_UNIX, errno, NodePosix, type SocketAddress } from '../../src/posix/index.js';
import { type Descriptor, SO_REUSEADDR, SOL_SOCKET } from '../../src/posix/posix.js';
import { POLL_READ_FD, TIMEOUT } from '../../src/scheduler/index.js';
import { Acceptor, listenOn } from '../../src/server/acceptor.js';
import { nullLogger, TapdiskServer } from '../../src/server/index.js';
import { SimulatedWorld } from '../../src/testing/index.js';
import { shortDirectory } from '../short-directory.js';

/** Sockets of which none can be accepted while `acceptError` is below 0. */
class FullPosix extends NodePosix {
  acceptError = 0;

  override accept(fd: number): Descriptor {
    return this.acceptError < 0 ? this.acceptError : super.accept(fd);
  }
}

/** An acceptor on a server that the test iterates, and what it has accepted. */
function world(t: Test, onConnection: (fd: number) => void = () => {}) {
  const lines: string[] = [];
  const logger = { log: (_: number, line: string): void => void lines.push(line) };
  const posix = new FullPosix();
  const server = new TapdiskServer({ posix, logger: nullLogger });
  const path = join(shortDirectory(t), 's');
  const state = { places: Infinity };
  const accepted: number[] = [];
  const acceptor = Acceptor.listen(
    { family: AF_UNIX, path },
    {
      registrar: server,
      posix,
      logger,
      name: 'test',
      backlog: 8,
      room: () => state.places,
      onConnection: (fd) => {
        accepted.push(fd);
        onConnection(fd);
      },
    },
  );
  if (typeof acceptor === 'number') throw new Error(`listen: ${acceptor}`);
  t.teardown(async () => {
    acceptor[Symbol.dispose]();
    for (const fd of accepted) posix.close(fd);
    assert.deepEqual(posix.openDescriptors(), []);
    await server[Symbol.asyncDispose]();
  });
  const client = async (): Promise<void> => {
    const socket = connect(path).on('error', () => {});
    t.teardown(() => socket.destroy());
    await once(socket, 'connect');
  };
  const looks = (): boolean => [...server.scheduler.events()].some(({ mode }) => mode === POLL_READ_FD);
  return { acceptor, accepted, client, lines, looks, path, posix, server, state };
}

t.test('without room it does not accept until there is room', async (t) => {
  const { acceptor, accepted, client, looks, server, state } = world(t);
  state.places = 0;
  await client();
  t.match([...server.scheduler.events()], [{ mode: POLL_READ_FD, timeoutSeconds: 0 }]);
  while (looks()) await server.iterate();
  t.same(accepted, []);
  t.match([...server.scheduler.events()], [{ mode: TIMEOUT, fd: -1, timeoutSeconds: 1 }]);
  state.places = 1;
  acceptor.resume();
  t.ok(looks());
  while (accepted.length === 0) await server.iterate();
});

t.test('a round accepts as many as there is room for', async (t) => {
  const { accepted, client, server, state } = world(t);
  for (let count = 0; count < 3; count++) await client();
  state.places = 2;
  await server.iterate();
  t.equal(accepted.length, 2);
  await server.iterate();
  t.equal(accepted.length, 3);
});

t.test('an acceptor that is closed by what takes a connection accepts no more', async (t) => {
  const all = world(t, () => all.acceptor[Symbol.dispose]());
  await all.client();
  await all.client();
  while (all.accepted.length === 0) await all.server.iterate();
  t.equal(all.accepted.length, 1);
  t.equal(all.acceptor.address, undefined);
  t.notOk(all.looks());
  t.same(all.lines, []);
});

t.test('it is closed once, even if its number has been reused by then', async (t) => {
  const { acceptor, path, posix } = world(t);
  const listening = posix.openDescriptors().map(({ fd }) => fd);
  t.same(acceptor.address, { family: AF_UNIX, path });
  acceptor[Symbol.dispose]();
  const other = posix.eventfd();
  t.same([other], listening, 'the number is used again');
  acceptor[Symbol.dispose]();
  acceptor.resume();
  t.equal(posix.openDescriptors().length, 1);
  posix.close(other);
});

t.test('a failed accept is logged, and tried again after a pause or when there is room again', async (t) => {
  const { acceptor, accepted, client, lines, looks, posix, server } = world(t);
  posix.acceptError = -errno.EMFILE;
  await client();
  while (looks()) await server.iterate();
  t.same(lines, ['test: cannot accept: EMFILE; next attempt in 1 s']);
  t.match([...server.scheduler.events()], [{ timeoutSeconds: 1 }]);
  posix.acceptError = 0;
  acceptor.resume();
  while (accepted.length === 0) await server.iterate();
});

t.test(
  'a port is listened on even while connections of an earlier listener linger, and a path plainly',
  async (t) => {
    const options: number[][] = [];
    class Noting extends NodePosix {
      override setsockopt(...[fd, level, option, value]: Parameters<NodePosix['setsockopt']>): number {
        options.push([level, option, value]);
        return super.setsockopt(fd, level, option, value);
      }
    }
    const posix = new Noting();
    const listened = (address: SocketAddress): number[][] => {
      posix.close(listenOn(posix, address, 8));
      return options.splice(0);
    };
    t.same(listened({ family: AF_INET, address: '127.0.0.1', port: 0 }), [[SOL_SOCKET, SO_REUSEADDR, 1]]);
    t.same(listened({ family: AF_UNIX, path: join(shortDirectory(t), 's') }), []);
  },
);

t.test('the first call that fails is the result of listening, and no descriptor is left', async (t) => {
  for (const call of ['socket', 'setsockopt', 'bind', 'listen'] as const) {
    const host = new SimulatedWorld().host('10.0.0.1');
    host.failCalls({ calls: [call], nth: 1, error: errno.ENOBUFS });
    const address = { family: AF_INET, address: '10.0.0.1', port: 9000 } as const;
    t.equal(listenOn(host.posix, address, 8), -errno.ENOBUFS, call);
    t.same(host.posix.openDescriptors(), [], call);
    const fd = listenOn(host.posix, address, 8);
    t.ok(fd > 2, 'the next attempt succeeds');
    host.posix.close(fd);
  }
});

t.test('without a name of its socket an acceptor has no address', async (t) => {
  class Nameless extends NodePosix {
    override getsockname(): number {
      return -errno.ENOBUFS;
    }
  }
  const posix = new Nameless();
  await using server = new TapdiskServer({ posix, logger: nullLogger });
  const path = join(shortDirectory(t), 's');
  const options = {
    registrar: server,
    posix,
    logger: nullLogger,
    name: 'test',
    backlog: 8,
    onConnection() {},
  };
  const acceptor = Acceptor.listen({ family: AF_UNIX, path }, options) as Acceptor;
  t.equal(acceptor.address, undefined);
  acceptor[Symbol.dispose]();
});

t.test('without room for its event there is no acceptor, and its descriptor is closed', async (t) => {
  const posix = new NodePosix();
  const registrar = { registerEvent: () => -errno.EBUSY, unregisterEvent() {}, setMaxTimeout: () => 0 };
  const options = { registrar, posix, logger: nullLogger, name: 'test', backlog: 8, onConnection() {} };
  const path = join(shortDirectory(t), 's');
  t.equal(Acceptor.listen({ family: AF_UNIX, path }, options), -errno.EBUSY);
  t.same(posix.openDescriptors(), []);
});
