// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import uPlot from 'uplot';
import { HISTORY_SECONDS, type Sample } from '../wire.js';
import { element, setAttribute, setText } from './elements.js';
import type { Series } from './series.js';
import { timeText } from './words.js';

export interface ChartOptions {
  readonly title: string;
  /** What is measured, and what it is called; two at most: the second one is dashed. */
  readonly lines: readonly (readonly [field: keyof Sample, label: string])[];
  readonly format: (value: number) => string;
  /** Whether its scale goes in powers of two, as bytes do. */
  readonly isBinary?: boolean;
  /** The scale reaches so far at least, so that noise does not look like work. */
  readonly atLeast: number;
}

/** The size of letters, in pixels: on a wall they are larger. */
const REM = parseFloat(getComputedStyle(document.documentElement).fontSize);
const HEIGHT = Math.round(8.8 * REM);
const DASH = [6, 4];
const POWERS_OF_TWO = Array.from({ length: 50 }, (_, power) => 2 ** power);

/** All charts: they are redrawn when the colour scheme changes. */
const charts = new Set<WeakRef<Chart>>();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const each of charts) {
    const chart = each.deref();
    if (chart) chart.redraw();
    else charts.delete(each);
  }
});

/**
 * A plot of the last ten minutes, with the values of its newest moment, or of one that is pointed at, in words below. With
 * the keyboard: it takes the focus, and the arrow keys go from moment to moment.
 */
export class Chart {
  readonly root: HTMLElement;
  readonly #options: ChartOptions;
  readonly #plot: uPlot;
  readonly #frame: HTMLElement;
  readonly #values: HTMLElement[];
  readonly #when = element('span', { class: 'when muted' });
  #series: Series | undefined;

  constructor(options: ChartOptions) {
    this.#options = options;
    this.#values = options.lines.map(() => element('output'));
    this.#frame = element('div', {
      class: 'plot',
      tabindex: '0',
      role: 'slider',
      'aria-label': `${options.title}, the last ten minutes`,
      'aria-valuemin': '0',
      'aria-valuemax': '0',
      'aria-valuenow': '0',
    });
    const legend = options.lines.map(([, label], index) =>
      element('li', { class: `line-${index}` }, label, ' ', this.#values[index] ?? ''),
    );
    const title = element('h4', {}, options.title, ' ', this.#when);
    this.root = element(
      'div',
      { class: 'chart' },
      title,
      this.#frame,
      element('ul', { class: 'legend' }, ...legend),
    );
    this.#plot = new uPlot(this.#settings(), [[], ...options.lines.map(() => [])], this.#frame);
    this.#frame.addEventListener('keydown', (event) => this.#onKey(event));
    this.#frame.addEventListener('blur', () => this.#point(null));
    new ResizeObserver(() => this.#resize()).observe(this.#frame);
    charts.add(new WeakRef(this));
  }

  /** @param until the right edge, in seconds since 1970 */
  show(series: Series, until: number): void {
    this.#series = series;
    const { lines } = this.#options;
    const columns = lines.map(([field]) => series.column(field) as (number | null)[]);
    this.#plot.setData([series.at as number[], ...columns], false);
    this.#plot.batch(() => {
      this.#plot.setScale('x', { min: until - HISTORY_SECONDS, max: until });
      this.#plot.setScale('y', { min: 0, max: this.#top(columns) });
    });
    this.#describe();
  }

  redraw(): void {
    this.#plot.redraw(false, true);
  }

  #top(columns: readonly (readonly (number | null)[])[]): number {
    const highest = columns.reduce(
      (max, column) => column.reduce<number>((top, value) => Math.max(top, value ?? 0), max),
      0,
    );
    return Math.max(highest * 1.08, this.#options.atLeast);
  }

  #resize(): void {
    const width = Math.floor(this.#frame.clientWidth);
    if (width > 0 && width !== this.#plot.width) this.#plot.setSize({ width, height: HEIGHT });
  }

  #onKey({ key, shiftKey }: KeyboardEvent): void {
    const length = this.#series?.at.length ?? 0;
    if (length === 0) return;
    const step = shiftKey ? 30 : 1;
    const last = length - 1;
    const from = this.#plot.cursor.idx ?? last;
    const moves: Record<string, number | null> = {
      ArrowLeft: Math.max(0, from - step),
      ArrowRight: Math.min(last, from + step),
      Home: 0,
      End: last,
      Escape: null,
    };
    const to = moves[key];
    if (to !== undefined) this.#point(to);
  }

  #point(index: number | null): void {
    const at = index === null ? undefined : this.#series?.at[index];
    const left = at === undefined ? -10 : this.#plot.valToPos(at, 'x');
    this.#plot.setCursor({ left, top: at === undefined ? -10 : 0 });
  }

  /** Describes what the plot shows at the cursor, or now. */
  #describe(): void {
    const series = this.#series;
    if (!series) return;
    const last = series.at.length - 1;
    const pointed = this.#plot.cursor.idx;
    const index = pointed ?? last;
    const { lines, format } = this.#options;
    const texts = lines.map(([field]) => {
      const value = series.column(field)[index];
      return value === null || value === undefined ? '–' : format(value);
    });
    texts.forEach((text, line) => setText(this.#values[line] as HTMLElement, text));
    const when = pointed === null || pointed === undefined ? '' : timeText(series.at[pointed] ?? 0);
    setText(this.#when, when);
    setAttribute(this.#frame, 'aria-valuemax', String(Math.max(last, 0)));
    setAttribute(this.#frame, 'aria-valuenow', String(Math.max(index, 0)));
    const words = lines.map(([, label], line) => `${label} ${texts[line]}`).join(', ');
    setAttribute(this.#frame, 'aria-valuetext', `${when === '' ? 'now' : when}: ${words}`);
  }

  #settings(): uPlot.Options {
    const axis = {
      stroke: () => colour('--muted'),
      font: `${Math.round(0.8 * REM)}px system-ui, sans-serif`,
    };
    const grid = { stroke: () => colour('--line'), width: 1 };
    const ticks = { show: false };
    return {
      width: 300,
      height: HEIGHT,
      legend: { show: false },
      padding: [8, 8, 0, 0],
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
      scales: { x: { time: true, auto: false }, y: { auto: false } },
      hooks: { setCursor: [() => this.#describe()] },
      axes: [
        {
          ...axis,
          grid: { show: false },
          ticks,
          size: 1.5 * REM,
          space: 4.7 * REM,
          values: (_, times) => times.map(minuteText),
        },
        {
          ...axis,
          grid,
          ticks,
          size: 4.6 * REM,
          space: 2.4 * REM,
          ...(this.#options.isBinary === true && { incrs: POWERS_OF_TWO }),
          // A scale has round numbers.
          values: (_, values) => values.map((value) => this.#options.format(value).replace(/\.0+ /, ' ')),
        },
      ],
      series: [
        {},
        ...this.#options.lines.map((_, index) => ({
          stroke: () => colour(`--line-${index}`),
          width: 1.75,
          ...(index === 0 ? { fill: () => colour('--fill-0') } : { dash: DASH }),
          points: { show: false },
        })),
      ],
    };
  }
}

function minuteText(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
