// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// An adapter that lets the conformance vectors drive two schedulers, one a dialect, written after docs/semantics.md:
//
//   tapdisk-ts conformance --cmd 'node examples/adapter-js/adapter.mjs' --suite scheduler FILE...

import { createInterface } from 'node:readline';
import { Tapdisk2Scheduler } from './tapdisk2-scheduler.mjs';
import { Tapdisk3Scheduler } from './tapdisk3-scheduler.mjs';

const SETS = ['READ', 'WRITE', 'EXCEPT'];

const limitReached = new Error('the limit of firings');

/** Runs one script of the scheduler suite and answers its trace. */
function run({ dialect, clock, uuid, limit, events, steps }) {
  const trace = [];
  const ids = {};
  const firings = {};
  let fires = 0;
  let now = clock;
  let answers = [];

  const select = (sets, timeout) => {
    const [read, write, except] = sets.map((set) => [...new Set(set)].sort((a, b) => a - b));
    const nfds = 1 + Math.max(scheduler.highestOfNone, ...read, ...write, ...except); // W4, T-W3
    trace.push(['select', { nfds, read, write, except, timeout }]);
    const answer = answers.shift() ?? {};
    now += answer.elapse ?? 0;
    if (answer.errno !== undefined) return `-${answer.errno}`;
    const listed = SETS.map((mode) => answer[mode.toLowerCase()] ?? []);
    return [read, write, except].flatMap((set, index) =>
      set.filter((fd) => listed[index].includes(fd)).map((fd) => `${fd}/${SETS[index]}`),
    );
  };

  const Scheduler = dialect === 'tapdisk3' ? Tapdisk3Scheduler : Tapdisk2Scheduler;
  const scheduler = new Scheduler(() => now, select);
  scheduler.nextId = uuid;
  const idOf = (what) => (typeof what === 'string' ? (ids[what] ?? 0) : what);

  const act = ([step, argument, ...more]) => {
    if (step === 'register') {
      const { mode, fd, timeout, cb } = events[argument];
      const callback = cb !== false && ((id, fired) => fire(argument, id, fired));
      ids[argument] = scheduler.register(mode, fd, timeout, callback);
      trace.push(['register', argument, ids[argument]]);
    } else if (step === 'unregister') {
      scheduler.unregister(idOf(argument));
      trace.push(['unregister', argument]);
    } else if (step === 'mask') {
      scheduler.mask(idOf(argument), Boolean(more[0]));
      trace.push(['mask', argument, more[0]]);
    } else if (step === 'setTimeout') {
      trace.push(['setTimeout', argument, scheduler.setTimeout(idOf(argument), more[0])]);
    } else if (step === 'setMaxTimeout') scheduler.setMaxTimeout(argument);
    else if (step === 'elapse') now += argument;
    else if (step === 'uuid') scheduler.nextId = argument;
    else if (step === 'wait') {
      answers = [argument, ...more];
      trace.push(['wait', scheduler.wait()]);
    } else throw new Error(`unknown step ${step}`);
  };

  const fire = (label, id, mode) => {
    trace.push(['fire', label, id, mode]);
    firings[label] = (firings[label] ?? -1) + 1;
    for (const action of events[label].on?.[firings[label]] ?? []) act(action); // A wait among them comes back here.
    if (++fires === limit) throw limitReached;
  };

  try {
    for (const step of steps) act(step);
  } catch (error) {
    if (error !== limitReached) throw error;
    trace.push(['limit']);
  }
  return trace;
}

for await (const line of createInterface({ input: process.stdin })) {
  const script = JSON.parse(line);
  const answer = script.suite === 'scheduler' ? { trace: run(script) } : { skip: 'it has a scheduler only' };
  process.stdout.write(`${JSON.stringify({ id: script.id, ...answer })}\n`);
}
