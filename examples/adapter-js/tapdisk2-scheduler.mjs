// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// tapdisk2's scheduler after docs/semantics.md, as a literal list scan.

const MAX_WAIT = 600;
const MAX_ID = 2147483647;
const FD_MODES = ['READ', 'WRITE', 'EXCEPT'];

/** `now()` is the time in seconds; `select(sets, seconds)` answers an array of "fd/MODE", or an error such as "-EBADF". */
export class Tapdisk2Scheduler {
  highestOfNone = 0;
  events = [];
  nextId = 1;
  cap = 0; // W3
  startOver = false;

  constructor(now, select) {
    this.seconds = () => Math.floor(now());
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
    if (typeof ready === 'string') return -1; // W5
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
