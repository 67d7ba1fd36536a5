// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { PassThrough, Writable } from 'node:stream';
import t, { type Test } from 'tap';
import { errno } from '../../src/posix/index.js';
import { Pump, type PumpFault, type PumpFilter, PUMP_BUFFER_BYTES } from '../../src/transfer/pump.js';
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
function pumpBetween(t: Test, source: PassThrough, sink: Writable, filter: PumpFilter = unchanged) {
  const server = new TapdiskServer({ logger: nullLogger });
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
    posix: server.posix,
    ...fds,
    filter,
    onEnd: () => settle('end'),
    onFault: settle,
  });
  return { pump, server, settled, fds };
}

const events = (server: TapdiskServer): unknown[] => [...server.scheduler.events()];

t.test('every byte arrives in order, between the filter’s header and trailer', async (t) => {
  const random = new Random(randomSeed(t));
  const image = randomBytes(random, 3 * PUMP_BUFFER_BYTES + random.integer(0, 999));
  const source = new PassThrough();
  const sink = new PassThrough();
  const { pump, settled, server } = pumpBetween(t, source, sink, {
    ...unchanged,
    begin: (push) => push(Buffer.from('before')),
    end: (push) => push(Buffer.from('behind')),
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
});

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
    ...unchanged,
    data: () => false,
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
