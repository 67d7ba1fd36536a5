// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { formatBytes, formatRate } from '../../../server/format.js';
import type { DiskPart } from '../wire.js';
import { Chart, type ChartOptions } from './chart.js';
import { element, setText } from './elements.js';
import { Facts } from './facts.js';
import { ImageChain } from './image-chain.js';
import { StateMark } from './mark.js';
import type { Series } from './series.js';
import { diskMood, diskName, shortCount, shortTime } from './words.js';

/** How many disks are expanded at first: nobody reads the plots of more, and on a phone one fills the screen. */
const OPEN_AT_FIRST = innerWidth < 600 ? 1 : 4;

/** The plots of a disk, in their order. */
const PLOTS: readonly ChartOptions[] = [
  {
    title: 'Throughput',
    lines: [
      ['readBytes', 'read'],
      ['writtenBytes', 'written'],
    ],
    format: formatRate,
    isBinary: true,
    atLeast: 1024,
  },
  {
    title: 'Requests a second',
    lines: [
      ['reads', 'reads'],
      ['writes', 'writes'],
    ],
    format: shortCount,
    atLeast: 4,
  },
  {
    title: 'Latency of reads and writes',
    lines: [
      ['p50Seconds', 'p50'],
      ['p99Seconds', 'p99'],
    ],
    format: shortTime,
    atLeast: 1e-4,
  },
  {
    title: 'Queue',
    lines: [
      ['inFlight', 'in flight'],
      ['waiting', 'waiting'],
    ],
    format: shortCount,
    atLeast: 4,
  },
];

/** A disk: a line that is always there, and plots, drivers and images for those who open it. */
export class DiskView {
  readonly root = element('details', { class: 'card disk' });
  readonly series: Series;
  readonly #name = element('h3');
  readonly #state = new StateMark();
  readonly #now = element('span', { class: 'now muted' });
  readonly #stack = element('ol', { class: 'stack', 'aria-label': 'Drivers, the top one first' });
  readonly #facts = new Facts();
  readonly #chain = new ImageChain();
  readonly #charts = PLOTS.map((plot) => new Chart(plot));

  constructor(minor: number, openDisks: number, series: Series) {
    this.series = series;
    this.root.open = openDisks < OPEN_AT_FIRST;
    this.root.append(
      element('summary', {}, this.#name, this.#state.root, this.#now),
      element('div', { class: 'charts' }, ...this.#charts.map((chart) => chart.root)),
      element('div', { class: 'about' }, this.#stack, this.#facts.root, this.#chain.root),
    );
    this.root.id = `disk-${minor}`;
  }

  set(part: DiskPart, at: number): void {
    const { sample } = part;
    setText(this.#name, diskName(part.minor, part.exportName));
    this.#state.set(
      part.readOnly && part.isOpen ? `${part.state}, read-only` : part.state,
      diskMood(part.state),
    );
    setText(
      this.#now,
      `${formatBytes(part.bytes)} · read ${formatRate(sample.readBytes ?? 0)} · written ${formatRate(sample.writtenBytes ?? 0)}`,
    );
    if (!this.root.open) return;
    this.#setStack(part.stack);
    this.#facts.set({
      'Failed requests': shortCount(part.failed),
      Retries: shortCount(part.retries),
      'NBD URI': part.uri,
    });
    this.#chain.set(part.chain);
    for (const chart of this.#charts) chart.show(this.series, at);
  }

  #setStack(stack: DiskPart['stack']): void {
    const texts = stack.map(({ driver, argument }) => `${driver}:${argument}`);
    if (this.#stack.textContent === texts.join('')) return;
    this.#stack.replaceChildren(
      ...stack.map(({ driver, argument }) =>
        element('li', {}, element('code', {}, element('b', {}, driver), `:${argument}`)),
      ),
    );
  }
}
