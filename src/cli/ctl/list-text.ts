// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { ListedVbd } from '../../control/control-client.js';

/** A line of a list: a daemon, and one of its VBDs unless it has none. */
export interface ListEntry {
  readonly pid: number;
  readonly vbd?: ListedVbd;
}

/** What a VBD was opened with, taken apart as C's tap-ctl does: at the first colon. Undefined for a closed one. */
export function typeAndPath(vbd: ListedVbd | undefined): { type: string; path: string } | undefined {
  const colon = vbd?.path.indexOf(':') ?? -1;
  if (!vbd || colon < 0) return undefined;
  return { type: vbd.path.slice(0, colon), path: vbd.path.slice(colon + 1) };
}

/** As tap-ctl prints it for a program to read: `pid=71 minor=0 state=0 args=aio:/path`, without what is not known. */
export function listLine({ pid, vbd }: ListEntry): string {
  const args = typeAndPath(vbd);
  return [
    `pid=${pid}`,
    ...(vbd ? [`minor=${vbd.minor}`, `state=${stateText(vbd.state)}`] : []),
    ...(args ? [`args=${args.type}:${args.path}`] : []),
  ].join(' ');
}

/** As tap-ctl prints it on a terminal: pid, minor, state, type and path in columns, a dash for what is not known. */
export function listRow({ pid, vbd }: ListEntry): string {
  const args = typeAndPath(vbd);
  const minor = vbd ? String(vbd.minor) : '-';
  const state = vbd ? stateText(vbd.state) : '-';
  const columns = [
    String(pid).padStart(8),
    minor.padStart(4),
    state.padStart(4),
    (args?.type ?? '-').padStart(10),
  ];
  return [...columns, args?.path ?? '-'].join(' ');
}

/** For `--json`: null for what is not known. */
export function listObject({ pid, vbd }: ListEntry): Record<string, unknown> {
  const args = typeAndPath(vbd);
  return {
    pid,
    minor: vbd?.minor ?? null,
    state: vbd?.state ?? null,
    type: args?.type ?? null,
    path: args?.path ?? null,
  };
}

function stateText(state: number): string {
  return state === 0 ? '0' : `0x${state.toString(16)}`;
}
