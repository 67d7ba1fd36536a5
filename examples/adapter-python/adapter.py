#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
# SPDX-License-Identifier: BSD-3-Clause
"""A scheduler written from docs/semantics.md alone, and an adapter that lets the conformance vectors drive it.

    tapdisk-ts conformance --cmd 'python3 examples/adapter-python/adapter.py' --suite scheduler FILE...

Rules are cited by name (P6). Python 3.8 or later, standard library only.
"""

import json
import math
import sys

READ, WRITE, EXCEPT, TIMEOUT = 1, 2, 4, 8
NAMES = {READ: "READ", WRITE: "WRITE", EXCEPT: "EXCEPT", TIMEOUT: "TIMEOUT"}
BITS = {name: bit for bit, name in NAMES.items()}
LONGEST_WAIT = 600
LAST_ID = 2**31 - 1


def int32(value):
    """E6: the signed 32-bit number that the low 32 bits of value are."""
    return (value + 2**31) % 2**32 - 2**31


class SelectError(Exception):
    """select failed."""


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


class LimitReached(Exception):
    """The script's limit of firings."""


class Run:
    """One script of the scheduler suite."""

    def __init__(self, script):
        self._script = script
        self._clock = script["clock"]
        self._scheduler = Scheduler(lambda: self._clock, self._answer_select)
        self._scheduler.next_id = script["uuid"]
        self._answer = {}
        self._ids = {}
        self._firings = {}
        self._fires = 0
        self.trace = []

    def go(self):
        try:
            for step in self._script["steps"]:
                self._act(*step)
        except LimitReached:
            self.trace.append(["limit"])
        return self.trace

    def _answer_select(self, nfds, sets, timeout):
        asked = {"nfds": nfds, "read": sets[READ], "write": sets[WRITE], "except": sets[EXCEPT], "timeout": timeout}
        self.trace.append(["select", asked])
        self._clock += self._answer.get("elapse", 0)
        if "errno" in self._answer:
            raise SelectError(self._answer["errno"])
        listed = {bit: self._answer.get(NAMES[bit].lower(), []) for bit in sets}
        return {(bit, fd) for bit, fds in sets.items() for fd in fds if fd in listed[bit]}

    def _act(self, step, argument):
        if step == "register":
            self._register(argument)
        elif step == "unregister":
            number = self._ids.get(argument) if isinstance(argument, str) else argument
            self._scheduler.unregister(number)
            self.trace.append(["unregister", argument])
        elif step == "setMaxTimeout":
            self._scheduler.set_max_timeout(argument)
        elif step == "elapse":
            self._clock += argument
        elif step == "uuid":
            self._scheduler.next_id = argument
        elif step == "wait":
            self._wait(argument)
        else:
            raise ValueError("unknown step " + step)

    def _register(self, label):
        event = self._script["events"][label]
        mode = sum(BITS[name] for name in set(event["mode"]))
        callback = None
        if event.get("cb", True):
            callback = lambda number, fired: self._fired(label, number, fired)
        try:
            self._ids[label] = self._scheduler.register(mode, event["fd"], event["timeout"], callback)
        except Refused as refusal:
            self._ids[label] = str(refusal)
        self.trace.append(["register", label, self._ids[label]])

    def _wait(self, answer):
        self._answer = answer
        try:
            count = self._scheduler.wait()
        except SelectError:
            count = -1
        self.trace.append(["wait", count])

    def _fired(self, label, number, mode):
        self.trace.append(["fire", label, number, NAMES[mode]])
        turn = self._firings.get(label, 0)
        self._firings[label] = turn + 1
        turns = self._script["events"][label].get("on", [])
        for action in turns[turn] if turn < len(turns) else []:
            self._act(*action)
        self._fires += 1
        if self._fires == self._script["limit"]:
            raise LimitReached()


def main():
    for line in sys.stdin:
        script = json.loads(line)
        answer = {"id": script["id"]}
        if script["suite"] == "scheduler":
            answer["trace"] = Run(script).go()
        else:
            answer["skip"] = "it has a scheduler only"
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
