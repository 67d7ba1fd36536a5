// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import {
  AF_INET,
  errno,
  F_GETFL,
  SO_ERROR,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../../../src/posix/index.js';
import {
  CONNECTION_ESTABLISHED,
  CONNECTION_IN_PROGRESS,
  ERROR_CONNECTION,
  type TdReplicationConnect,
} from '../../../src/replication/index.js';
import {
  type ConnectModule,
  connectModule,
  type SimulatedHost,
  Violations,
  WatchedConnect,
} from '../../../src/testing/index.js';
import { dial, listenOn, outcome, twoHosts } from '../fixture.js';

const ADDRESS = '10.0.0.2:9000';

function watched(): ReturnType<typeof twoHosts> & {
  violations: Violations;
  connectOn: (host: SimulatedHost, module?: ConnectModule) => { connect: WatchedConnect; calls: number[] };
} {
  const hosts = twoHosts();
  const violations = new Violations(hosts.world);
  const connectOn = (
    host: SimulatedHost,
    module = connectModule,
  ): { connect: WatchedConnect; calls: number[] } => {
    const calls: number[] = [];
    const connect = new WatchedConnect(host.serve(), host, violations, {
      callback: (rc) => calls.push(rc),
      module,
    });
    connect.init(ADDRESS);
    return { connect, calls };
  };
  return { ...hosts, violations, connectOn };
}

t.test('a whole life of the module is no violation', async (t) => {
  const { world, near, far, violations, connectOn } = watched();
  const client = connectOn(near);
  const server = connectOn(far);
  t.equal(client.connect.serverStart(), -2);
  t.equal(client.connect.clientStart(), 0);
  t.ok(client.connect.isStarted);
  t.equal(client.connect.clientStart(), -1, 'it is started already');
  await world.run(2);
  t.equal(server.connect.serverStart(), 0);
  await world.run(() => client.connect.isEstablished && server.connect.isEstablished);
  t.same([client.calls, server.calls], [[0], [0]]);
  client.connect.kill();
  t.equal(server.connect.serverRestart(), 0);
  t.equal(client.connect.clientStart(), 0);
  await world.run(() => client.connect.isEstablished && server.connect.isEstablished);
  client.connect.kill();
  client.connect.kill();
  server.connect.kill();
  t.same([client.connect.attempts, server.connect.attempts], [2, 2]);
  t.same(await world.shutDown(), []);
  t.same([...near.posix.openDescriptors(), ...far.posix.openDescriptors()], []);
  t.same(violations.list, []);
});

t.test('a restart while a start is in progress begins nothing new, and is no violation', async (t) => {
  const { violations, far, connectOn } = watched();
  const { connect } = connectOn(far);
  t.equal(connect.serverStart(), 0);
  t.equal(connect.attempts, 1);
  t.equal(connect.serverRestart(), 0);
  t.equal(connect.attempts, 1);
  connect.kill();
  t.equal(connect.serverRestart(), 0, 'after a kill it is a start');
  t.equal(connect.attempts, 2);
  t.same(violations.list, []);
});

t.test('a client that tries again where it should is no violation', async (t) => {
  for (const error of [
    errno.ECONNREFUSED,
    errno.ENETUNREACH,
    errno.EAGAIN,
    errno.ECONNABORTED,
    errno.ETIMEDOUT,
  ]) {
    const { world, near, violations, connectOn } = watched();
    near.failCalls({ calls: ['connect'], error, times: 2 });
    const { connect, calls } = connectOn(near);
    connect.clientStart();
    await world.run(2.5);
    t.same([calls, violations.list], [[], []], String(error));
    const connects = world.trace.lines.filter((line) => line.includes(' connect('));
    t.equal(connects.length, 3, 'unless set otherwise, it does so every second');
    connect.kill();
  }
});

t.test('unless set otherwise, one connection may wait at a listener', async (t) => {
  const { world, far, connectOn } = watched();
  const { connect } = connectOn(far);
  connect.serverStart();
  t.match(world.trace.toString(), / listen\(\d+, 1\) = 0/);
  connect.kill();
});

t.test('a client that gives up where it should is no violation', async (t) => {
  const { world, near, far, violations, connectOn } = watched();
  world.link(near, far).unreachable(errno.EHOSTUNREACH, 3);
  const { connect, calls } = connectOn(near);
  connect.clientStart();
  await world.run(() => calls.length > 0);
  t.same(calls, [-2]);
  t.notOk(connect.isStarted);
  t.same(violations.list, []);
});

/** What is found when the module is another one. */
function foundIn(broken: Partial<ConnectModule>, life: (connect: WatchedConnect) => void): readonly string[] {
  const { far, violations, connectOn } = watched();
  life(connectOn(far, { ...connectModule, ...broken }).connect);
  return violations.list.map((line) => line.replace(/^at .*: connect module: /, ''));
}

/** Opens a socket and is in progress. */
function startWith(then: (t: TdReplicationConnect) => void): Partial<ConnectModule> {
  return {
    clientStart(t) {
      t.fd = t.posix.socket(AF_INET, SOCK_STREAM);
      t.status = CONNECTION_IN_PROGRESS;
      then(t);
      return 0;
    },
  };
}

t.test('resources left behind by a kill are detected, each of them', async (t) => {
  const startAndKill = (connect: WatchedConnect): void => {
    connect.serverStart();
    connect.kill();
  };
  t.same(foundIn({}, startAndKill), []);
  t.same(foundIn({ kill: () => {} }, startAndKill), [
    'status is 0 after kill, not -1',
    '1 events are left after kill',
    'descriptors 3 are left after kill',
  ]);
  const forgetful: Partial<ConnectModule> = {
    kill(connect) {
      connect.listenFd = -1;
      connectModule.kill(connect);
    },
  };
  t.same(foundIn(forgetful, startAndKill), ['descriptors 3 are left after kill']);
});

t.test('a refused start that leaks its descriptor is detected', async (t) => {
  const leaky: Partial<ConnectModule> = {
    clientStart(connect) {
      connect.posix.socket(AF_INET, SOCK_STREAM);
      return -1;
    },
  };
  t.same(
    foundIn(leaky, (connect) => connect.clientStart()),
    ['descriptors 3 are left after a start that was refused'],
  );
});

t.test('a refused start whose status is another one is detected', async (t) => {
  const undecided: Partial<ConnectModule> = { clientStart: () => -1, status: () => 0 };
  t.same(
    foundIn(undecided, (connect) => connect.clientStart()),
    ['status is 0 after a start that was refused, not -1'],
  );
});

t.test('a start after one that failed for good may connect', async (t) => {
  const { world, near, violations, connectOn } = watched();
  const { connect, calls } = connectOn(near);
  near.failCalls({ calls: ['connect'], times: 2, error: errno.EHOSTUNREACH });
  for (let start = 0; start < 2; start++) {
    t.equal(connect.clientStart(), 0);
    await world.run(() => !connect.isStarted);
  }
  t.same(calls, [ERROR_CONNECTION, ERROR_CONNECTION]);
  t.same(violations.list, []);
});

t.test('a second end of one start is detected', async (t) => {
  const twice = startWith((connect) => {
    connectModule.kill(connect);
    connect.callback(connect, -1);
    connect.callback(connect, -1);
  });
  t.same(
    foundIn(twice, (connect) => connect.clientStart()),
    ['callback with -1, but nothing was started (idle)'],
  );
});

t.test('a callback after kill is detected', async (t) => {
  const late: Partial<ConnectModule> = {
    kill(connect) {
      connectModule.kill(connect);
      connect.callback(connect, -1);
    },
  };
  t.same(
    foundIn(late, (connect) => {
      connect.serverStart();
      connect.kill();
    }),
    ['callback with -1, but nothing was started (idle)'],
  );
});

t.test('established on a descriptor that is not connected is detected', async (t) => {
  const early = startWith((connect) => {
    connect.status = CONNECTION_ESTABLISHED;
    connect.callback(connect, 0);
  });
  t.same(
    foundIn(early, (connect) => connect.clientStart()),
    ['established on descriptor 3, which is not connected'],
  );
  const nowhere = startWith((connect) => {
    connect.fd = 40;
    connect.callback(connect, 0);
  });
  t.same(
    foundIn(nowhere, (connect) => connect.clientStart()),
    ['status is 0 in the callback, not 1', 'established on descriptor 40, which is not connected'],
  );
});

t.test(
  'giving up where it is to try again, and trying again where it is to give up, are found out',
  async (t) => {
    const { near, violations, connectOn } = watched();
    const hasty = startWith((connect) => {
      connect.posix.connect(connect.fd, connect.sa);
      connectModule.kill(connect);
      connect.callback(connect, ERROR_CONNECTION);
    });
    near.failCalls({ calls: ['connect'], error: errno.ECONNREFUSED });
    connectOn(near, { ...connectModule, ...hasty }).connect.clientStart();
    t.match(violations.list, [/gave up for errno 111, after which it is to try again$/]);

    const stubborn = startWith((connect) => {
      connect.posix.connect(connect.fd, connect.sa);
      connect.posix.connect(connect.fd, connect.sa);
    });
    near.failCalls({ calls: ['connect'], error: errno.EHOSTUNREACH });
    connectOn(near, { ...connectModule, ...stubborn }).connect.clientStart();
    t.match(violations.list[1], /tries again after errno 113, which is final$/);
  },
);

t.test('closing somebody else’s descriptor is detected', async (t) => {
  const greedy: Partial<ConnectModule> = {
    kill(connect) {
      connectModule.kill(connect);
      connect.posix.close(9);
    },
  };
  t.same(
    foundIn(greedy, (connect) => connect.kill()),
    ['closes descriptor 9, which is not its own'],
  );
});

t.test('a failure that is reported while the attempt goes on is detected', async (t) => {
  const hasty = startWith((connect) => connect.callback(connect, -1));
  t.same(foundIn(hasty, (connect) => connect.clientStart()).slice(0, 2), [
    'status is 0 in the callback, not -1',
    'descriptors 3 are left after it failed',
  ]);
});

t.test(
  'the module itself is watched unless another one is given, and has no descriptor at first',
  async (t) => {
    const { world, near, violations } = watched();
    const calls: number[] = [];
    const connect = new WatchedConnect(near.serve(), near, violations, { callback: (rc) => calls.push(rc) });
    t.equal(connect.fd, -1);
    t.equal(connect.init(ADDRESS), 0);
    t.equal(connect.clientStart(), 0);
    t.equal(connect.fd, 3);
    connect.kill();
    await world.run(5);
    t.same([calls, violations.list], [[], []]);
  },
);

t.test('the module gets the results of its socket calls, and failed ones leave nothing', async (t) => {
  const results: unknown[] = [];
  const asking: Partial<ConnectModule> = {
    clientStart({ posix, sa }) {
      results.push(
        posix.setsockopt(99, SOL_SOCKET, SO_REUSEADDR, 1),
        posix.fcntl(99, F_GETFL, 0),
        posix.accept(99),
        posix.bind(99, sa),
        posix.listen(99, 1),
        posix.getsockopt(99, SOL_SOCKET, SO_ERROR),
        posix.connect(99, sa),
      );
      return -1;
    },
  };
  t.same(
    foundIn(asking, (connect) => connect.clientStart()),
    [],
  );
  t.same(
    results,
    results.map(() => -errno.EBADF),
  );
});

t.test('a start after which nothing is in progress is detected', async (t) => {
  const finished: Partial<ConnectModule> = { clientStart: () => 0, status: () => 1 };
  t.same(
    foundIn(finished, (connect) => connect.clientStart()),
    ['status is 1 after a start, not 0'],
  );
});

t.test('established on a connection that is not the module’s own is detected', async (t) => {
  const { world, near, far, violations, connectOn } = watched();
  listenOn(near);
  const other = dial(far, near);
  t.equal(await outcome(world, far, other), 'connected');
  const thief = startWith((connect) => {
    connect.fd = other;
    connect.status = CONNECTION_ESTABLISHED;
    connect.callback(connect, 0);
  });
  connectOn(far, { ...connectModule, ...thief }).connect.clientStart();
  t.match(violations.list, [new RegExp(`: established on descriptor ${other}, which is not connected$`)]);
});
