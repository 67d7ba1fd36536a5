// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  errno,
  errnoName,
  formatAddress,
  type InetAddress,
  SOCK_STREAM,
  type SocketAddress,
} from '../../src/posix/index.js';
import { SimulatedWorld } from '../../src/testing/index.js';
import { addressOf, connected, dial, listenOn, outcome, PORT, twoHosts } from './fixture.js';

function inet(address: string, port: number): InetAddress {
  return address.includes(':') ? { family: AF_INET6, address, port } : { family: AF_INET, address, port };
}

t.test("listeners of one port get in each other's way where their addresses overlap", async (t) => {
  const clash = (first: string, second: string): boolean => {
    const host = new SimulatedWorld().host('10.0.0.1', { addresses: ['10.0.0.5', 'fd00::1'] });
    const answers = [first, second].map((address) => {
      const fd = host.posix.socket(inet(address, 0).family, SOCK_STREAM);
      return host.posix.bind(fd, inet(address, 80)) || host.posix.listen(fd, 1);
    });
    return answers[1] === -errno.EADDRINUSE;
  };
  t.ok(clash('10.0.0.1', '10.0.0.1'));
  t.ok(clash('10.0.0.1', '0.0.0.0'));
  t.ok(clash('0.0.0.0', '10.0.0.1'));
  t.ok(clash('::', '10.0.0.1'), ':: takes IPv4 as well');
  t.ok(clash('0.0.0.0', '::'));
  t.ok(clash('fd00::1', '::'));
  t.notOk(clash('10.0.0.1', '10.0.0.5'));
  t.notOk(clash('0.0.0.0', 'fd00::1'));
});

t.test('a wildcard listener accepts connections to any address, :: of both families', async (t) => {
  const world = new SimulatedWorld();
  const near = world.host('10.0.0.1', { addresses: ['fd00::1'] });
  const far = world.host('10.0.0.2', { addresses: ['10.0.0.3', 'fd00::2'] });
  const listen = (address: string, port: number): number => {
    const fd = far.posix.socket(inet(address, port).family, SOCK_STREAM);
    far.posix.bind(fd, inet(address, port));
    far.posix.listen(fd, 5);
    return fd;
  };
  const names = async (to: string, port: number, listener: number): Promise<string[]> => {
    const fd = near.posix.socket(inet(to, port).family, SOCK_STREAM);
    near.posix.connect(fd, inet(to, port));
    if ((await outcome(world, near, fd)) !== 'connected') return ['refused'];
    await world.complete(far.posix.select({ read: [listener] }, 10));
    const server = far.posix.accept(listener);
    return [far.posix.getsockname(server), far.posix.getpeername(server)].map((name) =>
      formatAddress(name as SocketAddress).replace(/:\d+$/, ''),
    );
  };
  const four = listen('0.0.0.0', 1);
  const both = listen('::', 2);
  t.same(await names('10.0.0.3', 1, four), ['10.0.0.3', '10.0.0.1']);
  t.same(await names('fd00::2', 1, four), ['refused']);
  t.same(await names('10.0.0.2', 2, both), ['10.0.0.2', '10.0.0.1']);
  t.same(await names('fd00::2', 2, both), ['[fd00::2]', '[fd00::1]']);
});

t.test('a connect to a wildcard address reaches this host', async (t) => {
  const world = new SimulatedWorld();
  const host = world.host('10.0.0.1');
  for (const [family, any, here] of [
    [AF_INET, '0.0.0.0', '127.0.0.1'],
    [AF_INET6, '::', '::1'],
  ] as const) {
    const listener = host.posix.socket(family, SOCK_STREAM);
    host.posix.listen(listener, 1);
    const { port } = host.posix.getsockname(listener) as InetAddress;
    const fd = host.posix.socket(family, SOCK_STREAM);
    host.posix.connect(fd, inet(any, port));
    t.equal(await outcome(world, host, fd), 'connected');
    t.same(host.posix.getpeername(fd), inet(here, port));
  }
});

t.test('a host without an address in a family cannot reach others in it', async (t) => {
  const { near } = twoHosts();
  const fd = near.posix.socket(AF_INET6, SOCK_STREAM);
  t.equal(errnoName(near.posix.connect(fd, inet('fd00::2', 80))), 'ENETUNREACH');
});

t.test('an unassigned address never replies', async (t) => {
  const { world, near } = twoHosts();
  const fd = near.posix.socket(AF_INET, SOCK_STREAM);
  near.posix.connect(fd, inet('10.9.9.9', 80));
  t.equal(await outcome(world, near, fd), 'ETIMEDOUT');
  t.ok(world.nowSeconds >= 127);
  t.match(world.trace.toString(), /SYN to 10\.9\.9\.9:80: nobody has this address/);
});

t.test('ports that run out are -EADDRNOTAVAIL, for every caller, and come back with close', async (t) => {
  const world = new SimulatedWorld({ traceLines: 0 });
  const host = world.host('10.0.0.1', { maxDescriptors: 100_000 });
  const bind = (): number => {
    const fd = host.posix.socket(AF_INET, SOCK_STREAM);
    const bound = host.posix.bind(fd, inet('0.0.0.0', 0));
    return bound === 0 ? fd : bound;
  };
  const ports = 60_999 - 32_768 + 1;
  for (let n = 0; n < ports; n++) if (bind() < 0) t.fail(`only ${n} ports`);
  t.equal(bind(), -errno.EADDRNOTAVAIL);
  const fd = host.posix.socket(AF_INET, SOCK_STREAM);
  t.equal(host.posix.listen(fd, 1), -errno.EADDRNOTAVAIL);
  t.equal(host.posix.connect(fd, inet('127.0.0.1', 80)), -errno.EADDRNOTAVAIL);
  host.posix.close(3);
  t.equal(host.posix.connect(fd, inet('127.0.0.1', 80)), -errno.EINPROGRESS);
});

t.test('a port bound for a connect is free again when the connect fails', async (t) => {
  const { world, near, far } = twoHosts();
  const fd = dial(near, far);
  t.equal(await outcome(world, near, fd), 'ECONNREFUSED');
  t.same(near.posix.getsockname(fd), inet('0.0.0.0', 0));
});

t.test('a half-open connection whose client vanished is dropped after a while', async (t) => {
  const { world, near, far } = twoHosts();
  listenOn(far);
  const fd = dial(near, far);
  world.after(0.0002, () => near.crash('silence'));
  await world.run(1);
  t.match(far.leftovers()[1], /connection syn-received 10\.0\.0\.2:9000 -> 10\.0\.0\.1:\d+$/);
  await world.run(100);
  t.equal(far.leftovers().length, 1, 'only the listener is left');
  t.equal(near.posix.read(fd, Buffer.alloc(1)), -errno.ESRCH);
});

t.test(
  'a connect that finds no place to wait in is tried again, until there is one or it has taken too long',
  async (t) => {
    const { world, near, far } = twoHosts();
    const listener = listenOn(far, 1);
    const waiting = [dial(near, far), dial(near, far)];
    for (const fd of waiting) t.equal(await outcome(world, near, fd), 'connected');
    await world.run(1);
    const late = dial(near, far);
    await world.run(10);
    t.ok(far.posix.accept(listener) > 0);
    t.equal(await outcome(world, near, late), 'connected');
    const hopeless = dial(near, far);
    t.equal(await outcome(world, near, hopeless), 'ETIMEDOUT');
  },
);

t.test('connections are accepted in the order in which they came', async (t) => {
  const { world, near, far } = twoHosts();
  const listener = listenOn(far);
  t.equal(far.posix.openDescriptors()[0]?.description, 'tcp listening 10.0.0.2:9000');
  const ports: number[] = [];
  for (let count = 0; count < 3; count++) {
    const fd = dial(near, far);
    t.equal(await outcome(world, near, fd), 'connected');
    ports.push((near.posix.getsockname(fd) as InetAddress).port);
  }
  await world.run(1);
  const accepted = ports.map(() => (far.posix.getpeername(far.posix.accept(listener)) as InetAddress).port);
  t.same(accepted, ports);
  t.equal(far.posix.accept(listener), -errno.EAGAIN);
});

t.test('256 connections may be half open; their places are free again when they are given up', async (t) => {
  const { world, near, far } = twoHosts();
  listenOn(far);
  for (let count = 0; count < 300; count++) dial(near, far);
  world.after(0.0002, () => near.crash('silence'));
  await world.run(1);
  t.equal(far.leftovers().length, 1 + 256);
  await world.run(200);
  t.equal(far.leftovers().length, 1, 'only the listener is left');
  near.restart();
  t.equal(await outcome(world, near, dial(near, far)), 'connected');
});

t.test('closing the listener resets what is half open and what waits', async (t) => {
  const { world, near, far } = twoHosts();
  const listener = listenOn(far);
  const waiting = dial(near, far);
  await world.complete(far.posix.select({ read: [listener] }, 10));
  const halfOpen = dial(near, far);
  world.after(0.0002, () => far.posix.close(listener));
  await world.run(1);
  t.same(far.leftovers(), []);
  for (const fd of [waiting, halfOpen]) {
    const answer = near.posix.read(fd, Buffer.alloc(1));
    t.equal(errnoName(answer), 'ECONNRESET');
  }
});

t.test('a peer that closes while the other side writes resets it', async (t) => {
  const { world, near, far, one, other } = await connected();
  far.posix.close(other);
  await world.run(1);
  t.equal(near.posix.read(one, Buffer.alloc(1)), 0);
  t.equal(near.posix.write(one, Buffer.from('late')), 4);
  await world.run(1);
  t.equal(near.posix.read(one, Buffer.alloc(1)), 0, 'the end of file stays the end of file');
  t.equal(errnoName(near.posix.write(one, Buffer.from('later'))), 'EPIPE');
  near.posix.close(one);
  t.equal(near.posix.connect(near.posix.socket(AF_INET, SOCK_STREAM), addressOf(far)), -errno.EINPROGRESS);
});

t.test('paths of Unix sockets are in the way of no port', async (t) => {
  const host = new SimulatedWorld().host('10.0.0.1');
  const addresses: SocketAddress[] = [
    { family: AF_UNIX, path: '/run/a' },
    inet('0.0.0.0', 1),
    inet('::1', 65_535),
  ];
  for (const address of addresses) {
    const fd = host.posix.socket(address.family, SOCK_STREAM);
    t.equal(host.posix.bind(fd, address), 0);
    t.equal(host.posix.listen(fd, 1), 0, formatAddress(address));
  }
});

t.test('Unix sockets of different paths are different listeners', async (t) => {
  const world = new SimulatedWorld();
  const host = world.host('10.0.0.1');
  const [one, other] = ['/run/a', '/run/b'].map((path) => {
    const fd = host.posix.socket(AF_UNIX, SOCK_STREAM);
    t.equal(host.posix.bind(fd, { family: AF_UNIX, path }), 0);
    t.equal(host.posix.listen(fd, 1), 0, path);
    return fd;
  }) as [number, number];
  const client = host.posix.socket(AF_UNIX, SOCK_STREAM);
  host.posix.connect(client, { family: AF_UNIX, path: '/run/b' });
  t.equal(await outcome(world, host, client), 'connected');
  await world.complete(host.posix.select({ read: [one, other] }, 1));
  t.equal(host.posix.accept(one), -errno.EAGAIN);
  t.ok(host.posix.accept(other) > 0);
});

t.test('a listener that is closed takes no other one of its port along', async (t) => {
  const { world, near, far } = twoHosts();
  const listen = (address: string): number => {
    const fd = far.posix.socket(AF_INET, SOCK_STREAM);
    far.posix.bind(fd, inet(address, PORT));
    far.posix.listen(fd, 1);
    return fd;
  };
  listen(far.name);
  far.posix.close(listen('127.0.0.1'));
  t.equal(await outcome(world, near, dial(near, far)), 'connected');
});

t.test('a port is in use as long as a listener or a connection of it is open', async (t) => {
  const { world, near, far } = twoHosts();
  const bound = (): unknown => {
    const fd = far.posix.socket(AF_INET, SOCK_STREAM);
    far.posix.bind(fd, inet('0.0.0.0', 0));
    const name = far.posix.getsockname(fd);
    far.posix.close(fd);
    return name;
  };
  const listener = listenOn(far, 5, 32_768);
  const fd = dial(near, far, 32_768);
  t.equal(await outcome(world, near, fd), 'connected');
  await world.complete(far.posix.select({ read: [listener] }, 10));
  const other = far.posix.accept(listener);
  far.posix.close(listener);
  t.match(bound(), { port: 32_769 });
  // The others come and go, until the first would be the next.
  for (let port = 32_770; port < 61_000; port++) bound();
  t.match(bound(), { port: 32_769 }, 'the connection still has the first');
  far.posix.close(other);
  for (let port = 32_770; port < 61_000; port++) bound();
  t.match(bound(), { port: 32_768 });
});

t.test('a Unix socket connects once the way of the host to itself is whole', async (t) => {
  const world = new SimulatedWorld();
  const host = world.host('10.0.0.1');
  const address: SocketAddress = { family: AF_UNIX, path: '/run/a' };
  const listener = host.posix.socket(AF_UNIX, SOCK_STREAM);
  host.posix.bind(listener, address);
  host.posix.listen(listener, 1);
  const link = world.link(host, host).cut();
  world.after(2, () => link.heal());
  const fd = host.posix.socket(AF_UNIX, SOCK_STREAM);
  host.posix.connect(fd, address);
  t.equal(await outcome(world, host, fd), 'connected');
  t.ok(world.nowSeconds >= 3 && world.nowSeconds < 3.1, `${world.nowSeconds} s`);
});

t.test('a negative backlog is a large one', async (t) => {
  const { world, near, far } = twoHosts();
  listenOn(far, -1);
  const clients = Array.from({ length: 20 }, () => dial(near, far));
  for (const fd of clients) t.equal(await outcome(world, near, fd), 'connected');
  await world.run(0.5);
  t.equal(far.leftovers().filter((line) => line.includes('connection established')).length, 20);
});

t.test('a path at which somebody listens cannot be bound', async (t) => {
  const { posix } = new SimulatedWorld().host('10.0.0.1');
  const [one, other] = [posix.socket(AF_UNIX, SOCK_STREAM), posix.socket(AF_UNIX, SOCK_STREAM)];
  const address = { family: AF_UNIX, path: '/run/a' } as const;
  t.equal(posix.bind(one, address), 0);
  t.equal(posix.listen(one, 1), 0);
  t.equal(posix.bind(other, address), -errno.EADDRINUSE);
  posix.close(one);
  t.equal(posix.bind(other, address), 0);
});

t.test('any program may have a port chosen for it', async (t) => {
  const { posix } = new SimulatedWorld().host('10.0.0.1', { privileged: false });
  t.equal(posix.bind(posix.socket(AF_INET, SOCK_STREAM), inet('10.0.0.1', 0)), 0);
});
