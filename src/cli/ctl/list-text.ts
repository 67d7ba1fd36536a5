// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { ListedVbd } from '../../control/control-client.js';
import { stateName } from '../../disks/state.js';
import { shownText } from '../../server/shown-text.js';
import { type Clip, tableText } from '../table-text.js';

/** A line of a list: a daemon, and one of its VBDs unless it has none. */
export interface ListEntry {
  readonly pid: number;
  readonly vbd?: ListedVbd;
}

/** What a VBD was opened with, taken apart as C's tap-ctl does: at the first colon. Undefined for a closed one. */
export function typeAndPath(vbd: ListedVbd | undefined): { type: string; path: string } | undefined {
  const [, type, path] = /^([^:]*):(.*)$/s.exec(vbd?.path ?? '') ?? [];
  return type === undefined || path === undefined ? undefined : { type, path };
}

/** As tap-ctl prints it for a program to read: `pid=71 minor=0 state=0 args=aio:/path`, without what is not known. */
export function listLine({ pid, vbd }: ListEntry): string {
  const args = typeAndPath(vbd);
  return [
    `pid=${pid}`,
    ...(vbd ? [`minor=${vbd.minor}`, `state=${stateText(vbd.state)}`] : []),
    ...(args ? [`args=${shownText(`${args.type}:${args.path}`)}`] : []),
  ].join(' ');
}

const headings = ['PID', 'MINOR', 'STATE', 'DRIVER', 'FILE'];
const rightAligned = new Set([0, 1]);
/** The file first, then the state, which is long for a daemon that combines bits as ours does not. */
const clipped = new Map<number, Clip>([
  [4, { minWidth: 12, keep: 'end' }],
  [2, { minWidth: 12, keep: 'start' }],
  [3, { minWidth: 8, keep: 'start' }],
]);

/** For a terminal: a table with the names of states, and a dash for what is not known. */
export function tableOfDisks(entries: readonly ListEntry[], width: number): string {
  const rows = entries.map(({ pid, vbd }) => {
    const args = typeAndPath(vbd);
    const cells = [
      vbd ? String(vbd.minor) : '-',
      vbd ? stateName(vbd.state) : '-',
      args?.type ?? '-',
      args?.path ?? '-',
    ];
    return [String(pid), ...cells];
  });
  return tableText([headings, ...rows], { rightAligned, clipped, width });
}

/** For `--json`: null for what is not known. */
export function listObject({ pid, vbd }: ListEntry): Record<string, unknown> {
  const args = typeAndPath(vbd);
  return {
    pid,
    minor: vbd?.minor ?? null,
    state: vbd?.state ?? null,
    stateName: vbd ? stateName(vbd.state) : null,
    type: args?.type ?? null,
    path: args?.path ?? null,
  };
}

function stateText(state: number): string {
  return state === 0 ? '0' : `0x${state.toString(16)}`;
}
