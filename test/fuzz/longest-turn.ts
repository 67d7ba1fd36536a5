// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** The longest turn of the event loop: no callback of it can have taken longer. */
export interface LongestTurn {
  readonly wallMs: number;
  /** Of the turn that took most of the processor's time, that time, collections of garbage included. */
  readonly cpuMs: number;
}

/** Measures each turn from now on until the function that is returned is called. A machine that is busy makes wall time long. */
export function watchTurns(): () => LongestTurn {
  let [wallMs, cpuMs, isOver] = [0, 0, false];
  let at = performance.now();
  let used = cpuMicroseconds();
  const turn = (): void => {
    if (isOver) return;
    const [now, usedNow] = [performance.now(), cpuMicroseconds()];
    wallMs = Math.max(wallMs, now - at);
    cpuMs = Math.max(cpuMs, (usedNow - used) / 1000);
    at = now;
    used = usedNow;
    setImmediate(turn);
  };
  setImmediate(turn);
  return () => {
    isOver = true;
    return { wallMs: Math.round(wallMs), cpuMs: Math.round(cpuMs) };
  };
}

function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
