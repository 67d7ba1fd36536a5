// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../src/posix/index.js';
import { driverTypes, logDriverType } from '../../src/disks/drivers/index.js';
import { parseStack } from '../../src/disks/stack.js';
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
});

t.test('what is wrong with a name is said', async (t) => {
  t.equal(parsed('/path'), "'/path' has no driver: a name is TYPE:ARGUMENT, as in aio:/path");
  t.match(parsed('vhd:/path'), "there is no driver 'vhd': there are aio, ram, log");
  t.match(parsed('log:'), 'has no driver');
  t.match(parsed('log:label'), 'has no driver');
  t.match(parsed(`${'log:'.repeat(8)}ram:1`), 'more than 8 drivers');
});

t.test('an open VBD says in the log what is wrong with its name', async (t) => {
  const { registry, lines } = bench(t);
  registry.attach(0);
  const results = new Results();
  results.follow(registry.open(0, 'qcow:/x', READ_WRITE));
  t.strictSame(await results.settled(), [-errno.EINVAL]);
  t.match(lines, ["qcow:/x: there is no driver 'qcow': there are scripted"]);
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
    t.match(lines.at(-1), /close failed: EIO/);
    openResult = -errno.EACCES;
    disks.log.length = 0;
    results.follow(registry.open(0, 'over:x|scripted:y', READ_WRITE));
    t.strictSame(disks.log, ['open y', 'open over', 'close']);
    t.strictSame((await results.settled()).slice(2), [-errno.EACCES]);
  },
);
