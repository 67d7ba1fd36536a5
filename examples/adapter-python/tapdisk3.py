# SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
# SPDX-License-Identifier: BSD-3-Clause
"""tapdisk3's scheduler, written from docs/semantics.md alone. Rules are cited by name (T-P4).

All times are microseconds. Python 3.8 or later, standard library only.
"""

import itertools

READ, WRITE, EXCEPT, TIMEOUT = 1, 2, 4, 8
CONDITIONS = (READ, WRITE, EXCEPT)
ANY_MODE = READ | WRITE | EXCEPT | TIMEOUT
LONGEST_WAIT = 600 * 1000000
LAST_ID = 2**31 - 1


class Interrupted(Exception):
    """select was interrupted by a signal; it goes on for the rest of its time (T-W5)."""


class SelectError(Exception):
    """select failed; the argument is the negative errno's name."""


class Refused(Exception):
    """A call was refused; the argument is the negative errno's name."""


class Event:
    def __init__(self, number, mode, fd, callback):
        self.id = number
        self.mode = mode
        self.fd = fd
        self.callback = callback
        self.timeout = None  # None: infinite (T-D1)
        self.deadline = None
        self.masked = False
        self.dead = False
        self.pending = 0

    def set_timeout(self, now, span):
        infinite = span < 0 or not self.mode & TIMEOUT
        self.timeout = None if infinite else span
        self.move_deadline(now)

    def move_deadline(self, now):
        self.deadline = None if self.timeout is None else now + self.timeout


class Scheduler:
    """clock() answers microseconds; select(nfds, sets, timeout) answers a set of (mode, fd), or raises."""

    def __init__(self, clock, select):
        self._clock = clock
        self._select = select
        self._order = []
        self._cap = 0  # T-W2
        self._waiting = 0
        self.next_id = 1

    def register(self, mode, fd, timeout, callback):
        if callback is None or not mode & ANY_MODE:
            raise Refused("-EINVAL")  # T-E3
        event = Event(self._draw_id(), mode, fd, callback)
        event.set_timeout(self._clock(), timeout)  # T-E4
        self._order.append(event)
        return event.id

    def _draw_id(self):
        if self.next_id <= 0:
            self.next_id = 1  # T-I3
        held = {event.id for event in self._order}
        while True:
            number = self.next_id
            self.next_id = 1 if number == LAST_ID else number + 1  # T-I1
            if number not in held:  # T-I2
                return number

    def _with_id(self, number):
        return next((event for event in self._order if event.id == number), None)

    def unregister(self, number):
        event = self._with_id(number)
        if event is not None:
            event.dead = True  # T-U1

    def mask(self, number, masked):
        event = self._with_id(number)
        if event is not None:
            event.masked = masked  # T-M1

    def set_timeout(self, number, span):
        """T-S1."""
        if number == 0:
            raise Refused("-EINVAL")
        event = self._with_id(number)
        if event is None:
            raise Refused("-ENOENT")
        if not event.mode & TIMEOUT:
            raise Refused("-EINVAL")
        event.set_timeout(self._clock(), span)

    def set_max_timeout(self, span):
        if 0 <= span < self._cap:
            self._cap = span

    def wait(self):
        """T-W1: 0, or SelectError. A callback may call it (T-N1 to T-N5)."""
        self._waiting += 1
        try:
            if self._waiting > 1 and self._run():
                return 0
            bits = self._ask()
            self._cap = LONGEST_WAIT  # T-W7
            self._hand_out(bits)
            self._run()
            if self._waiting == 1:
                self._order = [event for event in self._order if not event.dead]  # T-G1
            return 0
        finally:
            self._waiting -= 1

    def _asking(self):
        return [event for event in self._order if not event.dead and not event.masked]  # T-M2

    def _ask(self):
        asking = self._asking()
        sets = {bit: sorted({e.fd for e in asking if e.mode & bit and e.fd >= 0}) for bit in CONDITIONS}  # T-W3
        nfds = max([fd + 1 for fds in sets.values() for fd in fds], default=0)
        now = self._clock()
        left = [max(0, event.deadline - now) for event in asking if event.deadline is not None]
        timeout = min([LONGEST_WAIT, self._cap] + left)  # T-W4
        while True:
            began = self._clock()
            try:
                return self._select(nfds, sets, timeout)
            except Interrupted:
                timeout = max(0, timeout - max(0, self._clock() - began))

    def _hand_out(self, bits):
        # B1: masked events are passed over.
        for event, bit in itertools.product(self._asking(), CONDITIONS):
            if event.mode & bit and (bit, event.fd) in bits:  # T-P1
                bits.discard((bit, event.fd))
                event.pending |= bit
        now = self._clock()
        for event in self._order:  # T-P3
            if not event.dead and not event.pending and event.deadline is not None and event.deadline <= now:
                event.pending = TIMEOUT

    def _run(self):
        """T-P4: whether any event had its turn. What a callback registers is reached, and not pending (T-P6)."""
        progress = False
        for event in self._order:
            if event.dead or not event.pending:
                continue
            progress = True
            modes, event.pending = event.pending, 0
            event.move_deadline(self._clock())  # T-P5
            if not event.masked:  # T-M3, T-M4
                event.callback(event.id, modes)
        return progress
