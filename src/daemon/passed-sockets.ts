// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** The number of the first descriptor that a service manager passes (sd_listen_fds(3)). */
const FIRST_PASSED = 3;
const MAX_PASSED = 64;

/**
 * The numbers of the sockets that a service manager has passed to this process: systemd's socket activation. The variables
 * that say so are taken out of `environment`, so that no other process takes them for its own.
 *
 * @throws Error when they make no sense
 */
export function takePassedSockets(
  environment: Record<string, string | undefined>,
  pid: number,
): readonly number[] {
  const { LISTEN_PID: forPid, LISTEN_FDS: text } = environment;
  if (text === undefined || forPid !== String(pid)) return [];
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID'])
    delete environment[name];
  const count = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (!(count <= MAX_PASSED))
    throw new Error(`LISTEN_FDS is '${text}', expected a number of sockets up to ${MAX_PASSED}`);
  return Array.from({ length: count }, (_, index) => FIRST_PASSED + index);
}
