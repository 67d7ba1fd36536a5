// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import t, { type Test } from 'tap';
import { errno, NodePosix } from '../../src/posix/index.js';
import {
  Pump,
  type PumpFault,
  type PumpFilter,
  type PumpOptions,
  PUMP_BUFFER_BYTES,
} from '../../src/transfer/pump.js';
import { ManualClock } from '../disks/bench.js';
import { nullLogger, TapdiskServer } from '../../src/server/index.js';
import { Random } from '../../src/testing/index.js';
import { randomBytes, randomSeed } from '../random.js';

const unchanged: PumpFilter = {
  begin() {},
  data: (chunk, push) => {
    push(chunk);
    return true;
  },
  end() {},
};

/** A pump between two streams on a server that runs until the test ends. */
function pumpBetween(
  t: Test,
  source: PassThrough,
  sink: Writable,
  options: Partial<PumpOptions> & { posix?: NodePosix } = {},
) {
  const { posix } = options;
  const server = new TapdiskServer({ logger: nullLogger, ...(posix && { posix }) });
  const run = server.run({ signals: false });
  t.teardown(async () => {
    server.stop();
    await run;
  });
  const fds = { source: server.posix.adopt(source), sink: server.posix.adopt(sink) };
  let settle!: (fault: PumpFault | 'end') => void;
  const settled = new Promise<PumpFault | 'end'>((resolve) => {
    settle = resolve;
  });
  const pump = new Pump({
    registrar: server,
    filter: unchanged,
    ...options,
    posix: server.posix,
    ...fds,
    onEnd: () => settle('end'),
    onFault: settle,
  });
  return { pump, server, settled, fds };
}

const events = (server: TapdiskServer): unknown[] => [...server.scheduler.events()];

/** The calls that a Posix need not have. */
const OPTIONAL = ['take', 'send'] as const;

for (const without of [[], ['send'], OPTIONAL] as const)
  t.test(
    `every byte arrives in order, between the filter’s header and trailer (without ${without.join(' and ') || 'nothing'})`,
    async (t) => {
      const random = new Random(randomSeed(t));
      const posix = Object.assign(
        new NodePosix(),
        Object.fromEntries(without.map((call) => [call, undefined])),
      );
      const image = randomBytes(random, 3 * PUMP_BUFFER_BYTES + random.integer(0, 999));
      const source = new PassThrough();
      const sink = new PassThrough();
      const { pump, settled, server } = pumpBetween(t, source, sink, {
        posix,
        filter: {
          ...unchanged,
          begin: (push) => ['', 'before', ''].forEach((text) => push(Buffer.from(text))),
          end: (push) => push(Buffer.from('behind')),
        },
      });
      pump.start();
      source.end(image);
      const got: Buffer[] = [];
      sink.on('data', (chunk: Buffer) => got.push(chunk));
      t.equal(await settled, 'end');
      t.same(events(server), []);
      sink.end();
      await new Promise((resolve) => {
        sink.on('end', resolve);
      });
      t.ok(Buffer.concat(got).equals(Buffer.concat([Buffer.from('before'), image, Buffer.from('behind')])));
    },
  );

t.test('nothing is read while the sink accepts nothing', async (t) => {
  let taken = 0;
  const source = new PassThrough();
  // It takes the first chunk and is never done with it.
  const stuck = new Writable({ write: (chunk: Buffer) => void (taken += chunk.length) });
  const { pump, server } = pumpBetween(t, source, stuck);
  pump.start();
  let offered = 0;
  while (source.write(Buffer.alloc(64 * 1024)) || offered < 64 * PUMP_BUFFER_BYTES) offered += 64 * 1024;
  while (!events(server).some((event) => (event as { mode: number }).mode === 2)) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  t.ok(source.writableLength + source.readableLength > offered / 2, 'most still waits in the source');
  t.ok(taken > 0);
  pump.stop();
  t.same(events(server), []);
});

t.test('a broken sink is reported as the sink’s fault', async (t) => {
  const source = new PassThrough();
  const sink = new PassThrough();
  const { pump, settled } = pumpBetween(t, source, sink);
  pump.start();
  sink.destroy();
  source.write('bytes');
  t.same(await settled, { where: 'sink', errno: -errno.EPIPE });
});

t.test('a broken source is reported as the source’s fault', async (t) => {
  const source = new PassThrough();
  const { pump, settled } = pumpBetween(t, source, new PassThrough());
  pump.start();
  source.destroy(Object.assign(new Error('read failed'), { code: 'EIO' }));
  t.same(await settled, { where: 'source', errno: -errno.EIO });
});

t.test('bytes that the filter rejects stop the pump', async (t) => {
  const source = new PassThrough();
  const { pump, settled, server } = pumpBetween(t, source, new PassThrough(), {
    filter: { ...unchanged, data: () => false },
  });
  pump.start();
  source.write('bytes');
  t.same(await settled, { where: 'filter', errno: -errno.EPROTO });
  t.same(events(server), []);
});

t.test('an event that cannot be registered is a fault', async (t) => {
  const { pump, settled, server } = pumpBetween(t, new PassThrough(), new PassThrough());
  server.stop();
  // Stopping takes effect when the wait under way has ended.
  await server[Symbol.asyncDispose]();
  pump.start();
  t.same(await settled, { where: 'source', errno: -errno.ECANCELED });
});

t.test('a sink that takes a part of a piece gets the rest of it next', async (t) => {
  const random = new Random(randomSeed(t));
  const image = randomBytes(random, 100_000);
  /** A system that can only copy, and takes half of what it is given. */
  class Halving extends NodePosix {
    override take(): number {
      return -errno.EOPNOTSUPP;
    }
    override write(fd: number, bytes: Uint8Array): number {
      return super.write(fd, bytes.subarray(0, Math.ceil(bytes.length / 2)));
    }
  }
  const source = new PassThrough();
  const sink = new PassThrough();
  const { pump, settled } = pumpBetween(t, source, sink, { posix: new Halving() });
  pump.start();
  source.end(image);
  const got: Buffer[] = [];
  sink.on('data', (chunk: Buffer) => got.push(chunk));
  t.equal(await settled, 'end');
  t.ok(Buffer.concat(got).equals(image));
});

for (const where of ['source', 'sink'] as const) {
  t.test(`a ${where} that moves nothing is given up after its idle time, and not before`, async (t) => {
    const clock = new ManualClock();
    const source = new PassThrough();
    // It takes the first chunk and is never done with it.
    const stuck = new Writable({ highWaterMark: 1, write() {} });
    const turns: string[] = [];
    let fault: PumpFault | 'end' | undefined;
    const { pump, server, settled } = pumpBetween(t, source, stuck, {
      posix: new NodePosix({ clock }),
      idle: { where, seconds: 4 },
      onTurn: (end) => turns.push(end),
    });
    void settled.then((settledWith) => (fault = settledWith));
    pump.start();
    const pass = async (seconds: number): Promise<void> => {
      clock.seconds += seconds;
      for (let passes = 0; passes < 3; passes += 1) await server.sleep(0);
    };
    // A source is waited for at once, a sink when it takes no more.
    while (turns.at(-1) !== where) {
      source.write(Buffer.alloc(PUMP_BUFFER_BYTES));
      await pass(0);
    }
    await pass(4);
    t.equal(fault, undefined);
    await pass(1);
    t.same(fault, { where: 'idle', errno: -errno.ETIMEDOUT });
    t.same(events(server), []);
  });
}

t.test('an idle time is one of the end that it is for', async (t) => {
  const clock = new ManualClock();
  const { pump, server } = pumpBetween(t, new PassThrough(), new PassThrough(), {
    posix: new NodePosix({ clock }),
    idle: { where: 'sink', seconds: 1 },
  });
  pump.start();
  clock.seconds += 100;
  for (let passes = 0; passes < 3; passes += 1) await server.sleep(0);
  t.equal(events(server).length, 1, 'it still waits for its source');
  pump.stop();
});

t.test('one turn reads a buffer’s worth of pieces, and no more', async (t) => {
  const pieceBytes = 1024;
  let pieces = 0;
  const perTurn: number[] = [];
  /** A source that always has a piece, until it has had two turns; a sink that takes all. */
  class Endless extends NodePosix {
    override take(): Uint8Array | number {
      if (perTurn.length === 2) return 0;
      pieces += 1;
      return new Uint8Array(pieceBytes);
    }
    override send(_: number, given: readonly Uint8Array[]): number {
      perTurn.push(given.length);
      return given.length * pieceBytes;
    }
  }
  const source = new PassThrough();
  const { pump, settled } = pumpBetween(t, source, new PassThrough(), { posix: new Endless() });
  pump.start();
  source.write('ready');
  t.equal(await settled, 'end');
  t.equal(PUMP_BUFFER_BYTES, 262_144);
  t.same(perTurn, [256, 256]);
  t.equal(pieces, 512);
});

t.test('a source is not read again before its sink has all that came before', async (t) => {
  let takes = 0;
  const takenAtSend: number[] = [];
  /** A sink that takes nothing at first, though it is ready. */
  class Reluctant extends NodePosix {
    override take(fd: number): Uint8Array | number {
      takes += 1;
      return super.take(fd);
    }
    override send(...[fd, pieces, done]: Parameters<NodePosix['send']>): number {
      takenAtSend.push(takes);
      return takenAtSend.length < 4 ? -errno.EAGAIN : super.send(fd, pieces, done);
    }
  }
  const source = new PassThrough();
  const sink = new PassThrough().resume();
  const { pump, settled } = pumpBetween(t, source, sink, { posix: new Reluctant() });
  pump.start();
  source.write('text');
  while (takenAtSend.length < 4) await new Promise((resolve) => setImmediate(resolve));
  source.end();
  t.equal(await settled, 'end');
  t.equal(new Set(takenAtSend.slice(0, 4)).size, 1);
});

t.test('a pump that its filter stops moves nothing more, and waits for nothing', async (t) => {
  const source = new PassThrough();
  const sink = new PassThrough();
  const { pump, server, settled } = pumpBetween(t, source, sink, {
    filter: {
      ...unchanged,
      data: (chunk, push) => {
        push(chunk);
        pump.stop();
        return true;
      },
    },
  });
  void settled.then((how) => t.fail(`it has ended: ${JSON.stringify(how)}`));
  pump.start();
  source.write('text');
  await server.sleep(0);
  while (events(server).length > 0) await server.sleep(0);
  source.end('more');
  await server.sleep(0);
  t.same(events(server), []);
});

t.test('a source that gives a byte at a time loses none', async (t) => {
  /** A system that can only copy, and has read a byte when it is asked for more. */
  class Bytewise extends NodePosix {
    override take(): number {
      return -errno.EOPNOTSUPP;
    }
    override read(fd: number, buffer: Uint8Array): number {
      return super.read(fd, buffer.subarray(0, 1));
    }
  }
  const source = new PassThrough();
  const sink = new PassThrough();
  const { pump, settled } = pumpBetween(t, source, sink, { posix: new Bytewise() });
  pump.start();
  source.end('each of these bytes');
  t.equal(await settled, 'end');
  t.equal(String(sink.read(sink.readableLength)), 'each of these bytes');
});

t.test(
  'where bytes can be handed on they are not copied, not even after a wake-up for nothing',
  async (t) => {
    const handed: Uint8Array[] = [];
    let wakes = 0;
    /** A sink that takes whatever it is handed. */
    class Handing extends NodePosix {
      override take(fd: number): Uint8Array | number {
        wakes += 1;
        return wakes === 1 ? -errno.EAGAIN : super.take(fd);
      }
      override send(_: number, pieces: readonly Uint8Array[]): number {
        handed.push(...pieces);
        return pieces.reduce((sum, { length }) => sum + length, 0);
      }
    }
    const source = new PassThrough();
    const sink = new PassThrough();
    const { pump, settled } = pumpBetween(t, source, sink, { posix: new Handing() });
    pump.start();
    source.end('image');
    t.equal(await settled, 'end');
    t.equal(Buffer.concat(handed).toString(), 'image');
    t.equal(sink.read(), null, 'nothing was written to it');
  },
);

t.test('many small pieces reach a sink that copies as a few large ones', async (t) => {
  const PIECES = 100;
  const writes: number[] = [];
  class NotedWrites extends NodePosix {
    override write(fd: number, bytes: Uint8Array): number {
      const count = super.write(fd, bytes);
      if (fd === fds.sink) writes.push(count);
      return count;
    }
  }
  const source = new PassThrough();
  const { pump, server, fds } = pumpBetween(t, source, new PassThrough(), { posix: new NotedWrites() });
  pump.start();
  // That the sink copies is known from the first of them on.
  for (const pieces of [1, PIECES]) {
    writes.length = 0;
    for (let piece = 0; piece < pieces; piece += 1) source.write('x');
    while (writes.reduce((sum, count) => sum + count, 0) < pieces) await server.sleep(0);
  }
  t.ok(writes.length < PIECES / 10, `${writes.length} writes`);
  pump.stop();
});

t.test('what the filter begins with is sent before anything has come', async (t) => {
  const sink = new PassThrough();
  const { pump } = pumpBetween(t, new PassThrough(), sink, {
    filter: { ...unchanged, begin: (push) => push(Buffer.from('before')) },
  });
  pump.start();
  const [first] = (await once(sink, 'data')) as [Buffer];
  t.equal(String(first), 'before');
  pump.stop();
});
