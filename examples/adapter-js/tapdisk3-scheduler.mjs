// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// tapdisk3's scheduler after docs/semantics.md, as a literal list scan. All times are microseconds.

const MAX_WAIT = 600_000_000;
const MAX_ID = 2147483647;
const FD_MODES = ['READ', 'WRITE', 'EXCEPT'];

/** `now()` is the time; `select(sets, timeout)` answers an array of "fd/MODE", or an error such as "-EBADF". */
export class Tapdisk3Scheduler {
  highestOfNone = -1;
  order = [];
  nextId = 1;
  cap = 0; // T-W2
  depth = 0;

  constructor(now, select) {
    this.now = now;
    this.select = select;
  }

  register(mode, fd, timeout, callback) {
    if (!callback || mode.length === 0) return '-EINVAL'; // T-E3
    const event = { id: this.takeId(), mode, fd, callback, pending: new Set(), masked: false, live: true };
    this.setSpan(event, timeout); // T-E4
    this.order.push(event);
    return event.id;
  }

  takeId() {
    for (;;) {
      const id = Math.max(1, this.nextId); // T-I3
      this.nextId = id === MAX_ID ? 1 : id + 1; // T-I1
      if (this.find(id) === undefined) return id; // T-I2
    }
  }

  find(id) {
    return this.order.find((event) => event.id === id);
  }

  setSpan(event, timeout) {
    event.timeout = timeout < 0 ? Infinity : timeout; // T-D1
    event.deadline = this.now() + event.timeout;
  }

  unregister(id) {
    const event = this.find(id);
    if (event) event.live = false; // T-U1
  }

  mask(id, masked) {
    const event = this.find(id);
    if (event) event.masked = masked; // T-M1
  }

  setTimeout(id, timeout) {
    if (id === 0) return '-EINVAL'; // T-S1
    const event = this.find(id);
    if (event === undefined) return '-ENOENT';
    if (!event.mode.includes('TIMEOUT')) return '-EINVAL';
    this.setSpan(event, timeout);
    return 0;
  }

  setMaxTimeout(timeout) {
    if (timeout >= 0 && timeout < this.cap) this.cap = timeout; // T-W7
  }

  wait() {
    this.depth += 1;
    const answer = this.depth > 1 && this.pass() ? 0 : this.selectAndRun(); // T-N1, T-N2
    this.depth -= 1;
    return answer;
  }

  selectAndRun() {
    const asking = this.order.filter(({ live, masked }) => live && !masked); // T-M2
    const sets = FD_MODES.map((mode) =>
      asking.filter((event) => event.fd >= 0 && event.mode.includes(mode)).map(({ fd }) => fd),
    );
    const now = this.now();
    const timers = asking.filter((event) => event.mode.includes('TIMEOUT'));
    let timeout = Math.min(MAX_WAIT, this.cap, ...timers.map(({ deadline }) => Math.max(0, deadline - now))); // T-W4
    let ready;
    for (;;) {
      const start = this.now();
      ready = this.select(sets, timeout);
      if (ready !== '-EINTR') break;
      timeout = Math.max(0, timeout - Math.max(0, this.now() - start)); // T-W5
    }
    if (typeof ready === 'string') return ready; // T-W6
    this.cap = MAX_WAIT;
    this.handOut(asking, new Set(ready));
    this.pass();
    if (this.depth === 1) this.order = this.order.filter(({ live }) => live); // T-G1
    return 0;
  }

  handOut(asking, bits) {
    for (const { mode, fd, pending } of asking) {
      for (const name of FD_MODES) if (mode.includes(name) && bits.delete(`${fd}/${name}`)) pending.add(name); // T-P1
    }
    const now = this.now();
    for (const { live, mode, deadline, pending } of this.order) {
      if (live && pending.size === 0 && mode.includes('TIMEOUT') && deadline <= now) pending.add('TIMEOUT'); // T-P3
    }
  }

  /** T-P4: whether anything was handled. */
  pass() {
    let handled = false;
    for (const event of this.order) {
      if (!event.live || event.pending.size === 0) continue;
      handled = true;
      const modes = FD_MODES.concat('TIMEOUT').filter((name) => event.pending.delete(name));
      event.deadline = this.now() + event.timeout; // T-P5
      if (!event.masked) event.callback(event.id, modes.join('|')); // T-M3, T-M4
    }
    return handled;
  }
}
