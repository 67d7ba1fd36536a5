# SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
# SPDX-License-Identifier: BSD-3-Clause
"""tapdisk2's scheduler, written from docs/semantics.md alone. Rules are cited by name (P6).

All times are seconds. Python 3.8 or later, standard library only.
"""

import math

READ, WRITE, EXCEPT, TIMEOUT = 1, 2, 4, 8
LONGEST_WAIT = 600
LAST_ID = 2**31 - 1


def int32(value):
    """E6: the signed 32-bit number that the low 32 bits of value are."""
    return (value + 2**31) % 2**32 - 2**31


class SelectError(Exception):
    """select failed; the argument is the negative errno's name."""


class Refused(Exception):
    """A registration was refused; the argument is the negative errno's name."""


class Event:
    def __init__(self, number, mode, fd, timeout, deadline, callback):
        self.id = number
        self.mode = mode
        self.fd = fd
        self.timeout = timeout
        self.deadline = deadline
        self.callback = callback
        self.registered = True


class Scheduler:
    """clock() answers seconds; select(nfds, sets, timeout) answers a set of (mode, fd), or raises SelectError."""

    def __init__(self, clock, select):
        self._clock = clock
        self._select = select
        self._events = []
        self._cap = 0
        self._restart = False
        self.next_id = 1

    def _now(self):
        return math.floor(self._clock())

    def register(self, mode, fd, timeout, callback):
        if callback is None or not mode & (READ | WRITE | EXCEPT | TIMEOUT):
            raise Refused("-EINVAL")  # E3
        event = Event(self._draw_id(), mode, fd, timeout, int32(self._now() + timeout), callback)
        self._events.append(event)
        return event.id

    def _draw_id(self):
        held = {event.id for event in self._events}
        for _ in range(len(held) + 1):
            number = self.next_id
            self.next_id = 1 if number == LAST_ID else number + 1
            if number == 0:
                break
            if number not in held:
                return number
        raise Refused("-EBUSY")  # I2

    def unregister(self, number):
        for event in self._events:
            if event.id == number:
                event.registered = False
                self._events.remove(event)
                self._restart = True
                return

    def set_max_timeout(self, seconds):
        if 0 <= seconds < self._cap:
            self._cap = seconds

    def wait(self):
        """W1: the number of bits that select answered."""
        sets = {bit: sorted({e.fd for e in self._events if e.mode & bit}) for bit in (READ, WRITE, EXCEPT)}
        nfds = max([0] + [fd + 1 for fds in sets.values() for fd in fds]) or 1  # W4
        timeout = min(LONGEST_WAIT, self._cap)
        now = self._now()
        for event in self._events:
            if event.mode & TIMEOUT:
                timeout = min(timeout, max(0, int32(event.deadline - now)))
        try:
            bits = self._select(nfds, sets, timeout)
        finally:
            self._cap = LONGEST_WAIT  # W3
        count = len(bits)
        self._run(bits)
        return count

    def _run(self, bits):
        now = self._now()  # P1
        self._restart = True
        while self._restart:
            self._restart = False
            self._sweep(bits, now)

    def _sweep(self, bits, now):
        """From the head to the end, or to the first callback that unregistered something (P6)."""
        index = 0
        while index < len(self._events):
            event = self._events[index]
            last = index == len(self._events) - 1
            mode = self._condition(event, bits, now)
            if mode:
                bits.discard((mode, event.fd))  # P3
                if event.mode & TIMEOUT:
                    event.deadline = int32(self._now() + event.timeout)  # P4
                event.callback(event.id, mode)
                if self._restart:
                    return
            if last:
                return  # P5: what it has just registered behind itself is not seen.
            index += 1

    @staticmethod
    def _condition(event, bits, now):
        """P2: the one condition that the event fires by, or 0."""
        for mode in (READ, WRITE, EXCEPT):
            if event.mode & mode and (mode, event.fd) in bits:
                return mode
        return TIMEOUT if event.mode & TIMEOUT and event.deadline <= now else 0
