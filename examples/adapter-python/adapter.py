#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
# SPDX-License-Identifier: BSD-3-Clause
"""An adapter that lets the conformance vectors drive two schedulers, one a dialect, written from docs/semantics.md alone.

    tapdisk-ts conformance --cmd 'python3 examples/adapter-python/adapter.py' --suite scheduler FILE...

Python 3.8 or later, standard library only.
"""

import json
import sys

import tapdisk2
import tapdisk3
from tapdisk3 import EXCEPT, READ, TIMEOUT, WRITE

NAMES = {READ: "READ", WRITE: "WRITE", EXCEPT: "EXCEPT", TIMEOUT: "TIMEOUT"}
BITS = {name: bit for bit, name in NAMES.items()}


class LimitReached(Exception):
    """The script's limit of firings."""


class Run:
    """One script of the scheduler suite."""

    def __init__(self, script):
        self._script = script
        self._clock = script["clock"]
        self._dialect = tapdisk3 if script["dialect"] == "tapdisk3" else tapdisk2
        self._scheduler = self._dialect.Scheduler(lambda: self._clock, self._answer_select)
        self._scheduler.next_id = script["uuid"]
        self._answers = []
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
        answer = self._answers.pop(0) if self._answers else {}
        self._clock += answer.get("elapse", 0)
        if answer.get("errno") == "EINTR" and self._dialect is tapdisk3:
            raise tapdisk3.Interrupted()
        if "errno" in answer:
            raise self._dialect.SelectError("-" + answer["errno"])
        listed = {bit: answer.get(NAMES[bit].lower(), []) for bit in sets}
        return {(bit, fd) for bit, fds in sets.items() for fd in fds if fd in listed[bit]}

    def _number(self, what):
        """The id that the label's latest registration answered, or a raw one; a refused registration gave none."""
        number = self._ids.get(what, 0) if isinstance(what, str) else what
        return -1 if isinstance(number, str) else number

    def _act(self, step, argument, *more):
        if step == "register":
            self._register(argument)
        elif step == "unregister":
            self._scheduler.unregister(self._number(argument))
            self.trace.append(["unregister", argument])
        elif step == "mask":
            self._scheduler.mask(self._number(argument), bool(more[0]))
            self.trace.append(["mask", argument, more[0]])
        elif step == "setTimeout":
            self._set_timeout(argument, more[0])
        elif step == "setMaxTimeout":
            self._scheduler.set_max_timeout(argument)
        elif step == "elapse":
            self._clock += argument
        elif step == "uuid":
            self._scheduler.next_id = argument
        elif step == "wait":
            self._wait([argument] + list(more))
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
        except self._dialect.Refused as refusal:
            self._ids[label] = str(refusal)
        self.trace.append(["register", label, self._ids[label]])

    def _set_timeout(self, what, span):
        answer = 0
        try:
            self._scheduler.set_timeout(self._number(what), span)
        except self._dialect.Refused as refusal:
            answer = str(refusal)
        self.trace.append(["setTimeout", what, answer])

    def _wait(self, answers):
        self._answers = answers
        try:
            answer = self._scheduler.wait()
        except tapdisk2.SelectError:
            answer = -1
        except tapdisk3.SelectError as error:
            answer = str(error)
        self.trace.append(["wait", answer])

    def _fired(self, label, number, modes):
        names = "|".join(name for bit, name in NAMES.items() if modes & bit)
        self.trace.append(["fire", label, number, names])
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
