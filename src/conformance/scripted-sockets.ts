// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_INET, AF_INET6, formatAddress, type InetAddress, type SocketAddress } from '../posix/address.js';
import { F_GETFL, F_SETFL, SO_ERROR, SO_REUSEADDR, type SocketCalls } from '../posix/posix.js';
import { ResolverErrors, tracedResult } from './error-names.js';
import { OutcomeList, outcomeResult } from './outcome-list.js';
import type { AddressInfo, Outcome, ScriptedOutcomes, TraceEntry } from './vector.js';

/** Descriptors below are a process's standard ones. */
const FIRST_DESCRIPTOR = 3;
const OPTION_NAMES = new Map([
  [SO_REUSEADDR, 'SO_REUSEADDR'],
  [SO_ERROR, 'SO_ERROR'],
]);
const COMMAND_NAMES = new Map([
  [F_GETFL, 'F_GETFL'],
  [F_SETFL, 'F_SETFL'],
]);

/**
 * The socket calls of a script of the replication suite. Each returns what the script says, whether or not its descriptor
 * is open, and leaves a `sys` entry in the trace.
 */
export class ScriptedSockets implements SocketCalls {
  readonly #record: (entry: TraceEntry) => void;
  readonly #resolverErrors = new ResolverErrors();
  readonly #open = new Set<number>();
  readonly #plain: Readonly<
    Record<'socket' | 'accept' | 'setsockopt' | 'bind' | 'listen' | 'connect', OutcomeList<Outcome>>
  >;
  readonly #fcntl: OutcomeList<Outcome | number>;
  readonly #getsockopt: OutcomeList<string | { readonly so_error: Outcome }>;
  readonly #getaddrinfo: OutcomeList<string | readonly AddressInfo[]>;

  constructor(outcomes: ScriptedOutcomes, record: (entry: TraceEntry) => void) {
    this.#record = record;
    this.#plain = {
      socket: new OutcomeList(outcomes.socket),
      accept: new OutcomeList(outcomes.accept),
      setsockopt: new OutcomeList(outcomes.setsockopt),
      bind: new OutcomeList(outcomes.bind),
      listen: new OutcomeList(outcomes.listen),
      connect: new OutcomeList(outcomes.connect),
    };
    this.#fcntl = new OutcomeList(outcomes.fcntl);
    this.#getsockopt = new OutcomeList(outcomes.getsockopt);
    this.#getaddrinfo = new OutcomeList(outcomes.getaddrinfo);
  }

  socket(): number {
    return this.#opened('socket', []);
  }

  accept(fd: number): number {
    return this.#opened('accept', [fd]);
  }

  setsockopt(fd: number, _level: number, option: number, value: number): number {
    const result = outcomeResult(this.#plain.setsockopt.take());
    return this.#traced('setsockopt', [fd, OPTION_NAMES.get(option) ?? option, value], result);
  }

  getsockopt(fd: number, _level: number, option: number): number {
    const outcome = this.#getsockopt.take() ?? { so_error: 0 };
    const name = OPTION_NAMES.get(option) ?? option;
    if (typeof outcome === 'string') return this.#traced('getsockopt', [fd, name], outcomeResult(outcome));
    this.#record(['sys', 'getsockopt', fd, name, { so_error: outcome.so_error }]);
    return -outcomeResult(outcome.so_error);
  }

  fcntl(fd: number, command: number, argument?: number): number {
    const outcome = this.#fcntl.take();
    const result = typeof outcome === 'number' ? outcome : outcomeResult(outcome);
    const name = COMMAND_NAMES.get(command) ?? command;
    return this.#traced('fcntl', command === F_GETFL ? [fd, name] : [fd, name, argument], result);
  }

  bind(fd: number, address: SocketAddress): number {
    return this.#traced('bind', [fd, formatAddress(address)], outcomeResult(this.#plain.bind.take()));
  }

  listen(fd: number, backlog: number): number {
    return this.#traced('listen', [fd, backlog], outcomeResult(this.#plain.listen.take()));
  }

  connect(fd: number, address: SocketAddress): number {
    return this.#traced('connect', [fd, formatAddress(address)], outcomeResult(this.#plain.connect.take()));
  }

  close(fd: number): number {
    this.#open.delete(fd);
    return this.#traced('close', [fd], 0);
  }

  getaddrinfo(host: string, port: string): readonly InetAddress[] | number {
    const outcome = this.#getaddrinfo.take() ?? [['AF_INET', host] as const];
    this.#record(['sys', 'getaddrinfo', host, port, typeof outcome === 'string' ? outcome : 0]);
    if (typeof outcome === 'string') return this.#resolverErrors.number(outcome);
    return outcome.map(([family, address]) => ({
      family: family === 'AF_INET' ? AF_INET : AF_INET6,
      address,
      port: portNumber(port),
    }));
  }

  #opened(call: 'socket' | 'accept', args: readonly unknown[]): number {
    const result = outcomeResult(this.#plain[call].take(), this.#lowestFree());
    if (result >= 0) this.#open.add(result);
    return this.#traced(call, args, result);
  }

  #lowestFree(): number {
    let fd = FIRST_DESCRIPTOR;
    while (this.#open.has(fd)) fd++;
    return fd;
  }

  #traced(call: string, args: readonly unknown[], result: number): number {
    this.#record(['sys', call, ...args, tracedResult(result)]);
    return result;
  }
}

/** The digits that a port starts with, in 16 bits, as atoi and htons make of it. */
function portNumber(port: string): number {
  const digits = Number.parseInt(port, 10);
  return Number.isNaN(digits) ? 0 : digits & 0xffff;
}
