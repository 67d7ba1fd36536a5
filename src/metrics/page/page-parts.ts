// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Vbd, VbdRegistry } from '../../disks/index.js';
import type { StateChanged } from '../../replication/disk/events.js';
import type { Report } from '../report.js';
import type { SchedulerView } from '../scheduler-view.js';
import { chainOf, type DiskNames, diskPart } from './disk-part.js';
import type { DiskHistory } from './disk-history.js';
import type { PartTexts } from './part-changes.js';
import { schedulerParts } from './scheduler-parts.js';
import type { ChangePart, DaemonPart, ImagePart, ReplicationPart } from './wire.js';

/** How often chains are looked at, in seconds: counting the blocks of a large image takes a while. */
export const CHAIN_SECONDS = 10;

/** A change of state, numbered through all disks. */
export interface NumberedChange {
  readonly number: number;
  readonly minor: number;
  readonly event: StateChanged;
}

/** Where the page has it from. */
export interface PageSources {
  readonly registry: VbdRegistry;
  readonly names: DiskNames;
  readonly version: string;
  /** The last ones, the oldest first. */
  readonly changes: () => readonly NumberedChange[];
  readonly schedulerView: () => SchedulerView;
}

/** Puts together what a page shows. */
export class PageParts {
  readonly #sources: PageSources;
  readonly #chains = new WeakMap<
    Vbd,
    { readonly name: string; readonly at: number; readonly chain: ImagePart[] }
  >();

  constructor(sources: PageSources) {
    this.#sources = sources;
  }

  /** All parts as JSON. `pages`: how many are open. */
  texts(
    at: number,
    report: Report,
    histories: Pick<WeakMap<Vbd, DiskHistory>, 'get'>,
    pages: number,
  ): PartTexts {
    const { registry, names, changes, schedulerView } = this.#sources;
    const parts = new Map<string, string>();
    const set = (key: string, part: object): unknown => parts.set(key, JSON.stringify(part));
    set('daemon', this.#daemon(at, report, pages));
    const reports = new Map(report.vbds.map((vbd) => [vbd.minor, vbd]));
    for (const vbd of registry.vbds()) {
      const { minor } = vbd;
      const own = reports.get(minor);
      const sample = histories.get(vbd)?.last;
      if (own === undefined || sample === undefined) continue;
      const chain = this.#chain(at, vbd);
      set(`disk:${minor}`, diskPart(vbd, own, { names, chain, sample }));
      if (own.replication) {
        const part: ReplicationPart = { minor, ...own.replication };
        set(`replication:${minor}`, part);
      }
    }
    for (const { number, minor, event } of changes()) {
      const { atSeconds, from, to, role, reason } = event;
      const part: ChangePart = { minor, at: atSeconds, from, to, role, reason };
      set(`change:${number}`, part);
    }
    for (const [key, part] of schedulerParts(schedulerView())) set(key, part);
    return parts;
  }

  #daemon(at: number, report: Report, pages: number): DaemonPart {
    const { residentBytes } = report;
    return {
      pid: report.pid,
      version: this.#sources.version,
      startedAt: Math.round(at - report.uptimeSeconds),
      ...(residentBytes !== undefined && { residentMiB: Math.round(residentBytes / 2 ** 20) }),
      descriptors: report.descriptors,
      controlConnections: report.connections.control,
      nbdConnections: report.connections.nbd,
      pages,
    };
  }

  /** As of at most {@link CHAIN_SECONDS} ago. */
  #chain(at: number, vbd: Vbd): ImagePart[] {
    const known = this.#chains.get(vbd);
    if (known && known.name === vbd.name && Math.abs(at - known.at) < CHAIN_SECONDS) return known.chain;
    const chain = chainOf(vbd);
    this.#chains.set(vbd, { name: vbd.name, at, chain });
    return chain;
  }
}
