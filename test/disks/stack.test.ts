// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../src/posix/index.js';
import type { DiskDriverType, Done, FilterDriverType } from '../../src/disks/index.js';
import { driverTypes, logDriverType } from '../../src/disks/drivers/index.js';
import { parseStack } from '../../src/disks/stack.js';
import { TIMEOUT } from '../../src/scheduler/event.js';
import { bench, READ_WRITE, Results } from './bench.js';
import { ScriptedDisks } from './scripted-disks.js';

const types = driverTypes([
  new ScriptedDisks({ name: 'aio' }).type,
  new ScriptedDisks({ name: 'ram' }).type,
  logDriverType,
]);

/** The drivers of a name as `type(argument)`, or the reason why it has none. */
function parsed(name: string): string {
  const elements = parseStack(name, types);
  if (typeof elements === 'string') return elements;
  return elements.map(({ type, argument }) => `${type.name}(${argument})`).join(' ');
}

t.test('a name is a driver and its argument, filters before it with bars between', async (t) => {
  t.equal(parsed('aio:/path'), 'aio(/path)');
  t.equal(parsed('aio:/a:b|c'), 'aio(/a:b|c)', 'the last driver has all the rest');
  t.equal(parsed('aio:'), 'aio()');
  t.equal(parsed('log:|aio:/path'), 'log() aio(/path)');
  t.equal(parsed('log:label|aio:/path'), 'log(label) aio(/path)');
  t.equal(parsed('log:log:ram:1'), 'log() log() ram(1)', 'a filter without an argument needs no bar');
  t.equal(parsed('log:aio:/with|bar'), 'log() aio(/with|bar)');
  t.equal(parsed('log:a|log:b|ram:1'), 'log(a) log(b) ram(1)');
  t.equal(parsed('log::|ram:1'), 'log(:) ram(1)', 'what stands before its colon is no driver');
});

t.test('faults of a name are reported', async (t) => {
  t.equal(parsed('/path'), "'/path' has no driver: a name is TYPE:ARGUMENT, as in aio:/path");
  t.equal(parsed('vhd:/path'), "unknown driver 'vhd': expected one of aio, ram, log");
  const noDriver = 'has no driver: a name is TYPE:ARGUMENT, as in aio:/path';
  const noBar = "; a filter's argument ends with a bar: log:ARGUMENT|TYPE:ARGUMENT";
  t.equal(parsed('log:'), `'' ${noDriver}${noBar}`);
  t.equal(parsed('log:label'), `'label' ${noDriver}${noBar}`);
  t.equal(parsed('log:host:1'), `unknown driver 'host': expected one of aio, ram, log${noBar}`);
  t.equal(parsed('log:log:a|host:1'), "unknown driver 'host': expected one of aio, ram, log");
  t.equal(parsed(':x'), "unknown driver '': expected one of aio, ram, log");
  t.equal(parsed('log:aio|'), `'' ${noDriver}`, 'what has no colon is no driver');
  t.equal(parsed(`${'log:'.repeat(8)}ram:1`), 'more than 8 drivers');
  t.equal(parsed(`${'log:'.repeat(7)}ram:1`), `${'log() '.repeat(7)}ram(1)`);
});

t.test('an opening that fails says what is wrong with the name, to its caller alone', async (t) => {
  const { registry, lines } = bench(t);
  registry.attach(0);
  await t.rejects(registry.open(0, 'qcow:/x', READ_WRITE), {
    errno: -errno.EINVAL,
    message: "unknown driver 'qcow': expected one of scripted",
  });
  t.strictSame(lines, [], 'who opened it reports it, once');
});

t.test(
  'a stack opens from the bottom, closes from the top, and a filter that fails has those below closed',
  async (t) => {
    const over = new ScriptedDisks();
    let openResult = 0;
    const filter = {
      name: 'over',
      createFilter: (...[context, argument, below]: Parameters<typeof logDriverType.createFilter>) => {
        const driver = over.type.create(context, argument);
        driver.open = (_flags, done) => {
          disks.log.push('open over');
          done(openResult);
        };
        driver.close = (done) => {
          disks.log.push('close over');
          done(-errno.EIO);
        };
        driver.queueRead = (request) => below.queueRead(request);
        return driver;
      },
    };
    const { registry, disks, lines } = bench(t, { types: [filter] });
    disks.answerAtOnce = () => 0;
    registry.attach(0);
    const results = new Results();
    results.follow(registry.open(0, 'over:x|scripted:y', READ_WRITE));
    t.strictSame(disks.log, ['open y', 'open over']);
    t.strictSame(over.log, []);
    results.follow(registry.close(0));
    t.strictSame(disks.log.slice(2), ['preClose', 'close over', 'close']);
    t.strictSame(over.log, ['preClose']);
    t.strictSame(await results.settled(), [0, -errno.EIO], 'the first error of closing is the answer');
    t.notMatch(lines.join('\n'), /failed/, 'and nobody else reports it');
    openResult = -errno.EACCES;
    disks.log.length = 0;
    results.follow(registry.open(0, 'over:x|scripted:y', READ_WRITE));
    t.strictSame(disks.log, ['open y', 'open over', 'close']);
    t.strictSame((await results.settled()).slice(2), [-errno.EACCES]);
  },
);

t.test('a disk whose bytes cannot be addressed exactly is refused, and its drivers closed', async (t) => {
  const { registry, disks } = bench(t, { sectors: 2 ** 44 });
  disks.answerAtOnce = () => 0;
  registry.attach(0);
  const results = new Results();
  results.follow(registry.open(0, 'scripted:y', READ_WRITE));
  t.strictSame(await results.settled(), [-errno.EFBIG]);
  t.strictSame(disks.log, ['open y', 'close']);
  disks.sectors = 2 ** 44 - 1;
  results.follow(registry.open(0, 'scripted:y', READ_WRITE));
  t.strictSame(await results.settled(), [-errno.EFBIG, 0]);
});

t.test('an error thrown by a driver ends only its call', async (t) => {
  const fault = new Error('a fault of the driver');
  let thrower = '';
  const faulty: DiskDriverType = {
    name: 'faulty',
    create: (context) => {
      const fails = (what: string): void => {
        if (thrower === what) throw fault;
      };
      fails('create');
      return {
        open: (_flags, done) => {
          fails('open');
          context.registrar.registerEvent(TIMEOUT, -1, 0, () => fails('event'));
          done(0);
        },
        info: () => (fails('info'), { sectors: 8, sectorSize: 512, info: 0 }),
        preClose: () => fails('preClose'),
        close: (done) => (fails('close'), done(0)),
        queueRead: (request) => {
          fails('read');
          request.complete(0);
          fails('afterwards');
        },
        queueWrite: (request) => (fails('write'), request.complete(0)),
        flush: (done) => (fails('flush'), done(0)),
        describe: () => (fails('describe'), 'faulty'),
      };
    },
  };
  const { registry, lines, pass } = bench(t, { types: [faulty] });
  registry.attach(0);
  const vbd = registry.get(0)!;
  const open = (): Promise<void> => registry.open(0, 'faulty:', READ_WRITE);
  const request = (call: (done: Done) => void): Promise<number> => new Promise(call);
  for (const [what, code] of [
    ['create', 'EINVAL'],
    ['open', 'EIO'],
    ['info', 'EIO'],
  ] as const) {
    thrower = what;
    await t.rejects(open(), { code }, what);
    t.equal(vbd.phase, 'closed', what);
  }
  thrower = 'event';
  await open();
  await pass(1);
  const buffer = Buffer.alloc(512);
  const expected = async (what: string, call: (done: Done) => void, result: number): Promise<void> => {
    thrower = what;
    t.equal(await request(call), result, what);
    thrower = '';
    t.equal(await request((done) => vbd.queueRead(0, buffer, done)), 0, `a read after ${what}`);
  };
  await expected('read', (done) => vbd.queueRead(0, buffer, done), -errno.EIO);
  await expected('afterwards', (done) => vbd.queueRead(0, buffer, done), 0);
  await expected('write', (done) => vbd.queueWrite(0, buffer, done), -errno.EIO);
  await expected('write', (done) => vbd.writeZeroes(0, 1, done), -errno.EIO);
  await expected('flush', (done) => vbd.flush(done), -errno.EIO);
  await expected('flush', (done) => vbd.queueWrite(0, buffer, done, { forceUnitAccess: true }), -errno.EIO);
  thrower = 'describe';
  t.match(vbd.describe(), /threw Error: a fault of the driver/);
  thrower = 'preClose';
  await vbd.pause();
  await vbd.resume();
  thrower = 'close';
  await t.rejects(vbd.close(), { code: 'EIO' });
  t.equal(vbd.phase, 'closed');
  t.equal(lines.filter((line) => line.includes('a driver threw Error: a fault of the driver')).length, 13);
});

t.test('of several drivers that fail to close, the first one gives the error and its reason', async (t) => {
  const failing = (name: string, code: number): FilterDriverType => ({
    name,
    createFilter: (_context, _argument, below) => ({
      open: (_flags, done) => done(0),
      info: () => below.info(),
      close: (done) => done(-code, `${name} is not whole`),
      queueRead: (request) => below.queueRead(request),
      queueWrite: (request) => below.queueWrite(request),
      flush: (done) => below.flush(done),
    }),
  });
  const filters = [failing('first', errno.ENOSPC), failing('second', errno.EIO)];
  const { registry, disks, lines } = bench(t, { types: filters });
  disks.answerAtOnce = () => 0;
  registry.attach(0);
  for (const name of ['first:|second:|scripted:a', 'first:|scripted:a']) {
    await registry.open(0, name, READ_WRITE);
    lines.length = 0;
    await t.rejects(registry.close(0), { code: 'ENOSPC', message: /first is not whole/ });
    const others = name.includes('second') ? [`${name}: close failed: second is not whole`] : [];
    t.same(lines, others, 'the log has what nobody else reports');
  }
});
