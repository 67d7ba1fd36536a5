// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// A scheduler after docs/semantics.md as a literal list scan, and an adapter that lets the conformance vectors drive it:
//
//   tapdisk-ts conformance --cmd 'node examples/adapter-js/adapter.mjs' --suite scheduler FILE...

import { createInterface } from 'node:readline';

const MAX_WAIT = 600;
const MAX_ID = 2147483647;
const FD_MODES = ['READ', 'WRITE', 'EXCEPT'];

/** `seconds()` is the time; `select(sets, seconds)` answers an array of "fd/MODE", or -1. */
class Scheduler {
  events = [];
  nextId = 1;
  cap = 0; // W3
  startOver = false;

  constructor(seconds, select) {
    this.seconds = seconds;
    this.select = select;
  }

  register(mode, fd, timeout, callback) {
    if (!callback || mode.length === 0) return '-EINVAL'; // E3
    const id = this.takeId();
    if (id === 0) return '-EBUSY';
    this.events.push({ id, mode, fd, timeout, callback, deadline: (this.seconds() + timeout) | 0 }); // E4, E5, E6
    return id;
  }

  takeId() {
    const first = this.nextId;
    for (;;) {
      const id = this.nextId;
      this.nextId = id === MAX_ID ? 1 : id + 1; // I1
      if (id === 0 || !this.events.some((event) => event.id === id)) return id; // I2
      if (this.nextId === first) return 0;
    }
  }

  unregister(id) {
    const index = this.events.findIndex((event) => event.id === id);
    if (index < 0) return; // I3
    this.events.splice(index, 1);
    this.startOver = true;
  }

  setMaxTimeout(seconds) {
    if (seconds >= 0 && seconds < this.cap) this.cap = seconds;
  }

  wait() {
    const sets = FD_MODES.map((mode) =>
      this.events.filter((event) => event.mode.includes(mode)).map(({ fd }) => fd),
    );
    const timers = this.events.filter((event) => event.mode.includes('TIMEOUT'));
    const left = timers.map((event) => Math.max(0, (event.deadline - this.seconds()) | 0));
    const ready = this.select(sets, Math.min(MAX_WAIT, this.cap, ...left)); // W2
    this.cap = MAX_WAIT;
    if (ready === -1) return -1; // W5
    this.pass(new Set(ready));
    return ready.length;
  }

  pass(bits) {
    const now = this.seconds(); // P1
    this.startOver = false;
    let event = this.events[0];
    while (event !== undefined) {
      const next = this.events[this.events.indexOf(event) + 1]; // P5
      const fdMode = FD_MODES.find((mode) => event.mode.includes(mode) && bits.delete(`${event.fd}/${mode}`)); // P2, P3
      const isDue = event.mode.includes('TIMEOUT') && event.deadline <= now;
      if (fdMode !== undefined || isDue) {
        if (event.mode.includes('TIMEOUT')) event.deadline = (this.seconds() + event.timeout) | 0; // P4
        event.callback(event.id, fdMode ?? 'TIMEOUT');
      }
      event = this.startOver ? this.events[0] : next; // P6
      this.startOver = false;
    }
  }
}

const limitReached = new Error('the limit of firings');

/** Runs one script of the scheduler suite and answers its trace. */
function run({ clock, uuid, limit, events, steps }) {
  const trace = [];
  const ids = {};
  const firings = {};
  let fires = 0;
  let now = clock;
  let answer;

  const select = (sets, timeout) => {
    const [read, write, except] = sets.map((set) => [...new Set(set)].sort((a, b) => a - b));
    const nfds = 1 + Math.max(0, ...read, ...write, ...except); // W4
    trace.push(['select', { nfds, read, write, except, timeout }]);
    now += answer.elapse ?? 0;
    if (answer.errno !== undefined) return -1;
    const listed = FD_MODES.map((mode) => answer[mode.toLowerCase()] ?? []);
    return [read, write, except].flatMap((set, index) =>
      set.filter((fd) => listed[index].includes(fd)).map((fd) => `${fd}/${FD_MODES[index]}`),
    );
  };

  const scheduler = new Scheduler(() => Math.floor(now), select);
  scheduler.nextId = uuid;

  const act = ([step, argument]) => {
    if (step === 'register') {
      const { mode, fd, timeout, cb } = events[argument];
      const callback = cb !== false && ((id, fired) => fire(argument, id, fired));
      ids[argument] = scheduler.register(mode, fd, timeout, callback);
      trace.push(['register', argument, ids[argument]]);
    } else if (step === 'unregister') {
      scheduler.unregister(typeof argument === 'string' ? ids[argument] : argument);
      trace.push(['unregister', argument]);
    } else if (step === 'setMaxTimeout') scheduler.setMaxTimeout(argument);
    else if (step === 'elapse') now += argument;
    else if (step === 'uuid') scheduler.nextId = argument;
    else if (step === 'wait') {
      answer = argument;
      trace.push(['wait', scheduler.wait()]);
    } else throw new Error(`unknown step ${step}`);
  };

  const fire = (label, id, mode) => {
    trace.push(['fire', label, id, mode]);
    firings[label] = (firings[label] ?? -1) + 1;
    for (const action of events[label].on?.[firings[label]] ?? []) act(action);
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
