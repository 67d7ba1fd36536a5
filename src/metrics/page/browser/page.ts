// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// The status page: it shows what the stream of events reports, and requests nothing else but the histories of its plots.

import { formatSeconds } from '../../../server/format.js';
import { Connection } from './connection.js';
import { ConnectionView } from './connection-view.js';
import { DiskView } from './disk-view.js';
import { byId, setChildren, setText, Views } from './elements.js';
import { ReplicationView } from './replication-view.js';
import { SchedulerView } from './scheduler-view.js';
import { Series } from './series.js';
import { State } from './state.js';
import { Table } from './table.js';
import { counted, timeText } from './words.js';

const state = new State();
const series = new Map<number, Series>();
const connectionView = new ConnectionView(byId('connection'));
const schedulerView = new SchedulerView(byId('scheduler-body'));
const disks = new Views<number, DiskView>((minor) => {
  const view = new DiskView(minor, document.querySelectorAll('details.disk[open]').length, seriesOf(minor));
  view.root.addEventListener('toggle', () => render());
  return view;
});
const replications = new Views<number, ReplicationView>(
  (minor) => new ReplicationView(minor, seriesOf(minor)),
);
const changes = new Table<number>('The last changes of state', [
  { name: 'Time' },
  { name: 'Disk', isNumber: true },
  { name: 'From' },
  { name: 'To' },
  { name: 'Role' },
  { name: 'Why' },
]);
byId('changes').append(changes.root);

const connection = new Connection({
  snapshot(message) {
    state.reset(message);
    connectionView.live(state.daemon?.pid ?? 0);
    render();
    void loadSeries();
  },
  change(message) {
    state.apply(message);
    for (const { minor, sample } of state.disks) series.get(minor)?.add(state.at, sample);
    render();
  },
  lost: () => connectionView.lost(),
});
connection.start();

function seriesOf(minor: number): Series {
  const known = series.get(minor) ?? new Series(minor);
  series.set(minor, known);
  return known;
}

/** Loads the plots' past from the daemon, which measures even while no page is open. */
async function loadSeries(): Promise<void> {
  const loading = [...series.values()].map((each) => each.load());
  // What was interrupted is loaded after the next snapshot.
  await Promise.allSettled(loading);
  render();
}

function render(): void {
  renderDaemon();
  renderDisks();
  renderReplication();
  const { scheduler } = state;
  if (!scheduler) return;
  setText(
    byId('scheduler-summary'),
    `${counted(scheduler.events, 'event')}, ${counted(scheduler.callbacksPerSecond, 'callback')} a second`,
  );
  schedulerView.set(scheduler, state.events, state.at);
}

function renderDaemon(): void {
  const { daemon } = state;
  if (!daemon) return;
  const { pid, version, startedAt, residentMiB, nbdConnections } = daemon;
  const up = formatSeconds(Math.max(0, Math.round(state.at) - startedAt)).replace(/\.\d+ s$/, ' s');
  const parts = [
    version,
    `pid ${pid}`,
    `up ${up}`,
    ...(residentMiB === undefined ? [] : [`${residentMiB} MiB`]),
    counted(nbdConnections, 'NBD client'),
  ];
  setText(byId('daemon'), parts.join(' · '));
}

function renderDisks(): void {
  const parts = state.disks;
  for (const minor of series.keys()) if (!parts.some((part) => part.minor === minor)) series.delete(minor);
  renderCards('disk-cards', disks, parts, (view, part) => view.set(part, state.at));
  const open = parts.filter((part) => part.isOpen).length;
  const text =
    parts.length === 0 ? 'No disks are attached.' : `${counted(parts.length, 'disk')}, ${open} open`;
  setText(byId('disks-summary'), text);
}

function renderReplication(): void {
  const parts = state.replications;
  const names = new Map(state.disks.map(({ minor, exportName }) => [minor, exportName]));
  renderCards('replication-cards', replications, parts, (view, part) =>
    view.set(part, state.at, names.get(part.minor)),
  );
  const words = parts.map(({ minor, state: word }) => `disk ${minor} is ${word}`).join(', ');
  setText(byId('replication-summary'), parts.length === 0 ? 'No disk is replicated.' : words);
  document.title = titleOf(parts.map((part) => part.state));
  const rows = state.changes.map(([number, { minor, at, from, to, role, reason }]) => {
    return [number, [timeText(at), String(minor), from, to, role, reason]] as const;
  });
  byId('changes').hidden = rows.length === 0;
  changes.set(rows);
}

/** Has a card for each part, in their order, and shows the part in it. */
function renderCards<Part extends { readonly minor: number }, View extends { readonly root: Element }>(
  id: string,
  cards: Views<number, View>,
  parts: readonly Part[],
  show: (view: View, part: Part) => void,
): void {
  const views = cards.of(parts.map(({ minor }) => minor));
  setChildren(
    byId(id),
    views.map((view) => view.root),
  );
  parts.forEach((part, index) => show(views[index] as View, part));
}

/** What is wrong can be read in the title of a tab. */
function titleOf(states: readonly string[]): string {
  const worst = states.find((word) => word !== 'protected' && word !== 'backup');
  return worst === undefined ? 'tapdisk-ts' : `${worst} – tapdisk-ts`;
}
