// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { formatAddress } from '../posix/address.js';
import { errnoCode } from '../posix/errno.js';
import type { Endpoint } from './endpoint.js';
import type { EndpointHost } from './endpoint-host.js';
import type { EventQueue } from './event-queue.js';
import { LAN, LOOPBACK, Path, type PathConditions } from './path.js';
import type { Random } from './random.js';
import { bareSegment, describeSegment, type Segment } from './segment.js';
import type { Trace } from './trace.js';

/** How the network responds for a host that it cannot reach. */
export interface Unreachable {
  /** A positive errno, for example EHOSTUNREACH. */
  readonly errno: number;
  /** How long after the attempt the caller learns of it; 0: connect returns it at once. */
  readonly afterSeconds: number;
}

/** One direction between two machines, and what stands in the way of new connections. */
export interface Route {
  readonly path: Path;
  /** Attempts to connect are reset, as by a firewall. */
  refuses: boolean;
  unreachable: Unreachable | undefined;
}

/** What the network needs of a machine. */
export interface NetworkNode extends EndpointHost<Endpoint> {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly isUp: boolean;
  owns(address: string): boolean;
  receiveSyn(from: Endpoint): void;
}

/** What carries segments between machines: an ordered path for each direction of each pair of them. */
export class Network {
  readonly #machines = new Map<string, NetworkNode>();
  readonly #routes = new Map<NetworkNode, Map<NetworkNode, Route>>();

  readonly queue: EventQueue;
  readonly random: Random;
  readonly trace: Trace;
  private readonly conditions: PathConditions;

  constructor(queue: EventQueue, random: Random, trace: Trace, conditions: PathConditions = LAN) {
    this.queue = queue;
    this.random = random;
    this.trace = trace;
    this.conditions = conditions;
  }

  /** @throws Error when another machine has one of the addresses */
  add(machine: NetworkNode): void {
    for (const address of machine.addresses) {
      if (this.#machines.has(address)) throw new Error(`there is a host with the address ${address} already`);
    }
    for (const address of machine.addresses) this.#machines.set(address, machine);
  }

  /** The machine that packets from `from` to an address reach; undefined when nobody has it. */
  machineAt(from: NetworkNode, address: string): NetworkNode | undefined {
    return from.owns(address) ? from : this.#machines.get(address);
  }

  route(from: NetworkNode, to: NetworkNode): Route {
    let routes = this.#routes.get(from);
    if (routes === undefined) this.#routes.set(from, (routes = new Map()));
    let route = routes.get(to);
    if (route === undefined) {
      const conditions = from === to ? LOOPBACK : this.conditions;
      const path = new Path(this.queue, this.random, conditions);
      routes.set(to, (route = { path, refuses: false, unreachable: undefined }));
    }
    return route;
  }

  /** Carries the first segment of a connection to the machine that has the address, if any. */
  sendSyn(from: Endpoint, machine: NetworkNode, address: string): void {
    const to = this.machineAt(machine, address);
    if (to === undefined) {
      // Nothing ever responds: the machine may be switched off. The caller gives up when it has had enough.
      this.note(machine, `SYN to ${formatAddress(from.remote)}: nobody has this address`);
      from.lost();
      return;
    }
    const { path, refuses, unreachable } = this.route(machine, to);
    if (unreachable !== undefined) {
      this.note(machine, `SYN to ${formatAddress(from.remote)}: ${errnoCode(unreachable.errno)}`);
      this.queue.after(unreachable.afterSeconds * 1e6, () => {
        if (from.state === 'syn-sent') from.vanish(unreachable.errno);
      });
      return;
    }
    this.note(machine, `SYN ${formatAddress(from.local)} > ${formatAddress(from.remote)}`);
    path.send(
      0,
      () => {
        if (!to.isUp) this.#loseSyn(from);
        else if (refuses) to.send(bareSegment<Endpoint>('RST', undefined), from);
        else to.receiveSyn(from);
      },
      () => this.#loseSyn(from),
    );
  }

  /** Carries a segment; when it is lost, the endpoints that can make it good are notified. */
  send(machine: NetworkNode, segment: Segment<Endpoint>, to: Endpoint): void {
    const target = to.host as NetworkNode;
    const { path } = this.route(machine, target);
    this.note(
      machine,
      () => `${describeSegment(segment)} ${formatAddress(to.remote)} > ${formatAddress(to.local)}`,
    );
    path.send(
      segment.bytes.length,
      () => {
        if (target.isUp) to.receive(segment);
        else this.#lose(segment, to);
      },
      () => this.#lose(segment, to),
    );
  }

  note(machine: NetworkNode, what: string | (() => string)): void {
    this.trace.add(
      this.queue.nowMicroseconds,
      machine.name,
      () => `net ${typeof what === 'string' ? what : what()}`,
    );
  }

  #loseSyn(from: Endpoint): void {
    this.note(from.host as NetworkNode, () => `SYN to ${formatAddress(from.remote)} is lost`);
    from.lost();
  }

  /** Notifies those that can make a lost segment good. */
  #lose({ kind, from }: Segment<Endpoint>, to: Endpoint): void {
    this.note(to.host as NetworkNode, () => `${kind} to ${formatAddress(to.local)} is lost`);
    // Of a lost answer to a SYN both sides notice that nothing follows.
    if (kind === 'DATA' || kind === 'FIN' || kind === 'SYN+ACK') from?.lost();
    if (kind === 'ACK' || kind === 'RST' || kind === 'SYN+ACK') to.lost();
  }
}
