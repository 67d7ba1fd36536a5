// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { AdapterProcess, MAX_ANSWER_LENGTH } from '../../src/conformance/adapter-process.js';
import { nodeTimers, type Timers } from '../../src/posix/timers.js';
import { impatientTimers } from '../daemon/impatient-timers.js';

t.setTimeout(120_000);

t.test('of what an adapter prints on its standard error the last 2000 characters are shown', async (t) => {
  const chatty = new AdapterProcess('sh', ['-c', `printf '%3000s' | tr ' ' x >&2; read line`]);
  await t.rejects(chatty.ask('', 60), {
    message: /^the adapter ended with exit status 0 without a reply; its standard error ends:\nx{2000}$/,
  });
  await chatty.stop(60);
});

t.test('a process that has failed rejects further questions at once, with the first reason', async (t) => {
  const ended = new AdapterProcess(process.execPath, ['-e', 'process.stdin.resume()']);
  t.notOk(ended.ended);
  ended.kill('output that was not asked for');
  ended.kill('no answer within 1 s');
  t.ok(ended.ended);
  let rejection: unknown;
  ended.ask('{}', 60).catch((error: unknown) => (rejection = error));
  await new Promise<void>((resolve) => process.nextTick(resolve));
  t.match(rejection, { name: 'AdapterFailure', message: 'output that was not asked for' });
  await ended.stop(60);
});

t.test(
  'a process that the system refuses to start is reported, and stays without effect when it is killed or stopped',
  async (t) => {
    const refused = new AdapterProcess('true', ['x'.repeat(1 << 22)]);
    await t.rejects(refused.ask('{}', 60), {
      name: 'AdapterFailure',
      message: /^cannot start true: .*E2BIG/,
    });
    refused.kill('it is not there');
    await refused.stop(60);
  },
);

t.test('a program that can never be started is unavailable, whatever the reason', async (t) => {
  const directory = t.testdir({ file: '', loop: t.fixture('symlink', 'loop') });
  for (const [path, code] of [
    ['none', 'ENOENT'],
    ['file', 'EACCES'],
    ['file/below', 'ENOTDIR'],
    ['loop', 'ELOOP'],
  ] as const) {
    const unavailable = new AdapterProcess(join(directory, path), []);
    const message = new RegExp(`^cannot start .*${code}`);
    await t.rejects(unavailable.ask('{}', 60), { name: 'ImplementationUnavailable', message });
    await unavailable.stop(60);
  }
});

t.test('a reply may be as long as the limit, and a request longer than the adapter reads', async (t) => {
  t.equal(MAX_ANSWER_LENGTH, 16_777_216);
  const talkative = new AdapterProcess('head', ['-c', String(MAX_ANSWER_LENGTH), '/dev/zero']);
  await t.rejects(talkative.ask('{}', 60), {
    message: 'the adapter ended with exit status 0 without a reply',
  });
  await talkative.stop(60);
  const deaf = new AdapterProcess('sh', ['-c', 'exit 3']);
  await t.rejects(deaf.ask('x'.repeat(1 << 20), 60), { message: /^the adapter ended with exit status 3/ });
  await deaf.stop(60);
});

t.test('no timer is left once a reply has arrived or a process has ended', async (t) => {
  const running = new Set<unknown>();
  const timers: Timers = {
    ...nodeTimers,
    setTimeout(callback, milliseconds) {
      const timer = nodeTimers.setTimeout(callback, milliseconds);
      running.add(timer);
      return timer;
    },
    clearTimeout(timer) {
      running.delete(timer);
      nodeTimers.clearTimeout(timer);
    },
  };
  const adapter = new AdapterProcess('cat', [], timers);
  t.equal(await adapter.ask('{}', 60), '{}');
  t.equal(running.size, 0);
  const stopped = adapter.stop(60);
  t.equal(running.size, 1);
  await stopped;
  t.equal(running.size, 0);
});

t.test('a process has all of its time for an answer, and for its end', async (t) => {
  const { timers, waits } = impatientTimers();
  const silent = new AdapterProcess('sleep', ['1000'], timers);
  await t.rejects(silent.ask('{}', 7), { name: 'AdapterFailure', message: 'no answer within 7 s' });
  await silent.stop(5);
  t.same(waits, [7000, 5000]);
});

t.test('a process has its time to finish what it does at the end of its input', async (t) => {
  const file = join(t.testdir(), 'finished');
  const finish = `process.stdin.resume().on('end', () => fs.writeFileSync(${JSON.stringify(file)}, ''))`;
  // Node does not start within a thousandth of this time.
  await new AdapterProcess(process.execPath, ['-e', finish]).stop(10);
  t.ok(existsSync(file));
});

t.test('a process that has left the group of an adapter does not keep it from ending', async (t) => {
  for (const closed of ['2>/dev/null', '>/dev/null']) {
    // It says its number when it is in a session of its own, and holds one of the pipes open from then on.
    const escaped = `setsid sh -c 'echo $$; exec sleep 600 ${closed}' </dev/null`;
    const script = `read line; ${escaped} & read line`;
    const adapter = new AdapterProcess('sh', ['-c', script]);
    const pid = Number(await adapter.ask('{}', 60));
    let isEnded = false;
    const end = (): void => {
      if (!isEnded) process.kill(pid, 'SIGKILL');
      isEnded = true;
    };
    const guard = setTimeout(end, 5000);
    adapter.kill('it is enough');
    await adapter.stop(60);
    clearTimeout(guard);
    t.notOk(isEnded, 'the process is there, with the pipe');
    end();
  }
});
