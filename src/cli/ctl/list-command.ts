// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Values } from '../command-line/command-table.js';
import { ctlRun, eachDaemon } from './ctl-context.js';
import type { listTable } from './ctl-tables.js';
import { type ListEntry, listLine, listObject, tableOfDisks, typeAndPath } from './list-text.js';

type ListValues = Values<typeof listTable>;

export const runList = ctlRun<ListValues>('list', async (values, context) => {
  const entries: ListEntry[] = [];
  await eachDaemon(values.pid, context, async (pid) => {
    const vbds = await context.client.list(pid);
    entries.push(...(vbds.length > 0 ? vbds.map((vbd) => ({ pid, vbd })) : [{ pid }]));
  });
  const selected = entries.filter((entry) => isSelected(entry, values));
  if (values.json) context.print(JSON.stringify(selected.map(listObject)));
  else if (context.isTerminal)
    context.print(...tableOfDisks(selected, context.columns).trimEnd().split('\n'));
  else for (const entry of selected) context.print(listLine(entry));
});

function isSelected(entry: ListEntry, { minor, type, file }: ListValues): boolean {
  const args = typeAndPath(entry.vbd);
  if (minor !== undefined && entry.vbd?.minor !== minor) return false;
  if (type !== undefined && args?.type !== type) return false;
  return file === undefined || args?.path === file;
}
