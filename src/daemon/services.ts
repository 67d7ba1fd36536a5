// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_UNIX, formatAddress, type UnixAddress } from '../posix/address.js';
import { errnoCode, strerror } from '../posix/errno.js';
import { SystemError } from '../posix/system-error.js';
import type { NodePosix } from '../posix/index.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import { controlSocketPath, listedPids, prepareControlDirectory } from '../control/control-directory.js';
import { ControlServer } from '../control/control-server.js';
import type { Logger } from '../server/logger.js';
import type { Recording } from '../metrics/recording.js';
import type { Report } from '../metrics/report.js';
import type { SchedulerView } from '../metrics/scheduler-view.js';
import { DEFAULT_NBD_LIMITS, type ExportNames, NbdServer, nbdUri, vbdExports } from '../nbd/index.js';
import type { DriverTypes, VbdRegistry } from '../disks/index.js';
import { type DaemonOptions, NBD_LIMIT_OPTIONS } from './daemon-options.js';
import { removeDeadSockets } from '../server/dead-sockets.js';
import { checkSocketPathIsFree, takeSocketPath } from '../server/socket-path.js';
import { Drills } from './drills.js';
import { MetricsService } from './metrics-service.js';
import { ReplicationControl } from './replication-control.js';
import { listenAt } from './socket-path.js';
import { StateHook } from './state-hook.js';
import { TlsFiles } from './tls-files.js';

export interface ServiceParts {
  readonly registrar: EventRegistrar;
  readonly posix: NodePosix;
  readonly logger: Logger;
  readonly registry: VbdRegistry;
  readonly pid: number;
  readonly report: () => Report;
  readonly schedulerView: () => SchedulerView;
  /** Off until somebody holds it. */
  readonly recording: Recording;
  /** The last NBD client has gone. */
  readonly onIdle: () => void;
  readonly types: DriverTypes;
}

/** What a daemon listens on: the control socket always, NBD and metrics where its options say so. */
export class Services {
  readonly #options: DaemonOptions;
  readonly #exportNames: ExportNames;
  readonly #parts: ServiceParts;
  #control: ControlServer | undefined;
  #nbd: NbdServer | undefined;
  #tls: TlsFiles | undefined;
  #metrics: MetricsService | undefined;
  readonly #drills = new Drills((name) => this.#exportUris(name)[0]);
  readonly replication: ReplicationControl;

  constructor(options: DaemonOptions, parts: ServiceParts) {
    this.#options = options;
    const { disks, descriptions, defaultDisk: defaultMinor } = options;
    const named = disks.flatMap(({ minor, exportName }) =>
      exportName === undefined ? [] : [[minor, exportName] as const],
    );
    this.#exportNames = { names: new Map(named), defaultMinor, descriptions };
    this.#parts = parts;
    const { registry, logger } = parts;
    const hook = options.onState === undefined ? undefined : new StateHook(options.onState, logger);
    this.replication = new ReplicationControl({
      registry,
      drills: this.#drills,
      ...(hook && { onEvent: hook.onEvent }),
    });
  }

  get connections(): Report['connections'] {
    return {
      control: this.#control?.connections ?? 0,
      controlAccepted: this.#control?.accepted ?? 0,
      nbd: this.#nbd?.connections ?? 0,
    };
  }

  /**
   * Makes sure, before any disk is opened, that no other process has this daemon's control socket. Those of daemons that
   * were killed are removed.
   *
   * @throws (rejects with) Error with a `code`
   */
  async reserve(): Promise<void> {
    const { directory } = this.#options;
    const { posix, pid } = this.#parts;
    prepareControlDirectory(directory, pid);
    await checkSocketPathIsFree(posix, controlSocketPath(directory, pid));
    const others = listedPids(directory).filter((listed) => listed !== pid);
    await removeDeadSockets(
      posix,
      others.map((listed) => ({ pid: listed, path: controlSocketPath(directory, listed) })),
    );
  }

  /**
   * Listens. The control socket is the last: a client that finds it may rely on all the rest.
   *
   * @returns the services, and where each is: `control`, `nbd` (several, maybe), `metrics`
   * @throws (rejects with) Error that says what is not available
   */
  async listen(): Promise<readonly (readonly [service: string, where: string])[]> {
    const { nbd = [], sockets = [], tls, metrics, directory } = this.#options;
    const where: [string, string][] = [];
    const { posix, registry } = this.#parts;
    if (tls) this.#tls = new TlsFiles(tls, posix, registry.completions);
    for (const socket of sockets) where.push(['nbd', this.#adoptForNbd(socket)]);
    for (const text of [nbd].flat()) where.push(['nbd', await this.#listenForNbd(text)]);
    if (metrics !== undefined) {
      this.#metrics = new MetricsService(this.#options, {
        ...this.#parts,
        changes: () => this.replication.changes,
        exportName: (minor) => this.#exportNames.names?.get(minor),
        diskUri: (minor) => this.diskUris(minor)[0],
      });
      where.push(['metrics', await this.#metrics.listen(metrics)]);
    }
    const report = (): string => JSON.stringify(this.#parts.report());
    const control = await takeSocketPath(
      this.#parts,
      controlSocketPath(directory, this.#parts.pid),
      () => new ControlServer({ ...this.#parts, directory, report, replication: this.replication.handle }),
    );
    this.#control = control;
    return [...where, ['control', control.path]];
  }

  /** The URIs under which NBD clients find a disk, one for each address; none when NBD is not served. */
  diskUris(minor: number): readonly string[] {
    return this.#exportUris(this.#exportNames.names?.get(minor) ?? String(minor));
  }

  #exportUris(name: string): readonly string[] {
    const isSecure = this.#options.tls !== undefined;
    return (this.#nbd?.addresses ?? [])
      .filter((address) => address.family !== AF_UNIX || hasPath(address))
      .map((address) => nbdUri(address, name, isSecure));
  }

  /**
   * Nobody is let in any more, by control or NBD, and NBD clients have answers to what they asked. Fulfilled when they are
   * gone, after this many seconds at most (NBD's finish time-out unless given).
   */
  async stopClients(seconds?: number): Promise<void> {
    this.#control?.[Symbol.dispose]();
    this.#drills.endAll();
    const nbd = this.#nbd;
    if (nbd) await new Promise<void>((resolve) => nbd.stop(resolve, seconds));
  }

  /** Reads TLS's files again. @throws Error, and all stays as it is */
  reload(): void {
    this.#tls?.reload();
  }

  /** Drops all clients at once. Idempotent. */
  close(): void {
    this.#control?.[Symbol.dispose]();
    this.#nbd?.close();
    this.replication[Symbol.dispose]();
    this.#metrics?.[Symbol.dispose]();
  }

  #listenForNbd(text: string): Promise<string> {
    return listenAt(this.#parts, 'nbd', text, (address) => {
      const nbd = this.#nbdServer();
      const result = nbd.listen(address);
      if (result < 0) throw listenError(result, `--nbd: cannot listen on ${text}`);
      return formatAddress(nbd.addresses.at(-1) ?? address);
    });
  }

  #adoptForNbd(inherited: number): string {
    const fd = this.#parts.posix.inherit(inherited);
    const nbd = this.#nbdServer();
    const result = fd < 0 ? fd : nbd.listenOn(fd);
    if (result < 0) throw listenError(result, `cannot serve NBD on the passed descriptor ${inherited}`);
    return formatAddress(nbd.addresses.at(-1) ?? { family: AF_UNIX, path: '' });
  }

  /** Made when the first address is listened on. */
  #nbdServer(): NbdServer {
    if (this.#nbd) return this.#nbd;
    const { registrar, posix, logger, registry, onIdle } = this.#parts;
    const { completions } = registry;
    const exports = this.#drills.beside(vbdExports(registry, this.#exportNames));
    const limits = Object.fromEntries(
      NBD_LIMIT_OPTIONS.flatMap((name) => {
        const value = this.#options[name];
        return value === undefined ? [] : [[name, value]];
      }),
    );
    this.#nbd = new NbdServer({
      registrar,
      posix,
      logger,
      completions,
      exports,
      tls: this.#tls,
      limits,
      onIdle,
    });
    return this.#nbd;
  }
}

/** Abstract sockets, and those whose place nobody knows, have none. */
function hasPath({ path }: UnixAddress): boolean {
  return path !== '' && !path.startsWith('@');
}

function listenError(result: number, what: string): SystemError {
  return new SystemError(result, `${what}: ${errnoCode(result)} (${strerror(-result)})`);
}

/** How long clients may take to end, in seconds: half of the time for all of the end at most, as the rest is for the disks. */
export function clientSeconds(graceSeconds: number): number | undefined {
  const half = Math.floor(graceSeconds / 2);
  return graceSeconds === 0 ? undefined : Math.min(half, DEFAULT_NBD_LIMITS.finishTimeoutSeconds);
}
