// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_INET, type SocketAddress } from '../../src/posix/address.js';
import { errno } from '../../src/posix/errno.js';
import { F_GETFL, type SocketCalls } from '../../src/posix/posix.js';
import {
  CONNECTION_CLOSED,
  CONNECTION_ESTABLISHED,
  CONNECTION_IN_PROGRESS,
  CONNECTION_NONE,
  ERROR_CONNECTION,
  ERROR_INTERNAL,
  tdReplicationClientStart,
  tdReplicationConnect,
  tdReplicationConnectInit,
  tdReplicationConnectKill,
  tdReplicationConnectStatus,
  tdReplicationServerRestart,
  tdReplicationServerStart,
} from '../../src/replication/block-replication.js';
import {
  type EventCallback,
  modeName,
  POLL_READ_FD,
  POLL_WRITE_FD,
  TIMEOUT,
} from '../../src/scheduler/event.js';
import type { EventRegistrar } from '../../src/scheduler/registrar.js';
import { nullLogger } from '../../src/server/logger.js';

/** What a user of the module can do, and what the scheduler can do to it. */
export const INPUTS = [
  'init',
  'server_start',
  'server_restart',
  'client_start',
  'kill',
  'status',
  'fire',
] as const;
export type Input = (typeof INPUTS)[number];
/** What a user's callback may do in the module. */
const CALLBACK_INPUTS = ['server_start', 'server_restart', 'client_start', 'kill', 'status'] as const;

/** Says which of several outcomes a call has; the walk tries them all. */
export type Chooser = (what: string, outcomes: number) => number;

/** A rule that the module has broken. */
export class InvariantBroken extends Error {
  override readonly name = 'InvariantBroken';
}

/** Status, fd, listenFd, event; a combination that is not here is none that the module should reach. */
const STATE_NAMES = new Map([
  [`${CONNECTION_NONE}, -, -, -`, 'none'],
  [`${CONNECTION_CLOSED}, -, -, -`, 'closed'],
  [`${CONNECTION_IN_PROGRESS}, -, listenFd, READ on listenFd`, 'server listens'],
  [`${CONNECTION_ESTABLISHED}, fd, listenFd, READ on listenFd`, 'server established'],
  [`${CONNECTION_IN_PROGRESS}, fd, -, TIMEOUT on fd`, 'client about to dial'],
  [`${CONNECTION_IN_PROGRESS}, fd, -, WRITE on fd`, 'client dials'],
  [`${CONNECTION_ESTABLISHED}, fd, -, -`, 'client established'],
  // server_restart took an established client's descriptor; only kill gets out of it.
  [`${CONNECTION_IN_PROGRESS}, -, -, -`, 'client robbed'],
]);

interface LiveEvent {
  readonly mode: number;
  readonly fd: number;
  fire(): void;
}

/** The reasons to retry, as the module has them, and some to give up. */
const CONNECT_ERRNOS = [0, errno.EINPROGRESS, errno.ECONNREFUSED, errno.ETIMEDOUT, errno.EHOSTUNREACH];
const SOCKET_ERRNOS = [0, errno.ENETUNREACH, errno.ECONNABORTED, errno.ECONNRESET];

/**
 * The connect module in a world where every call may have any outcome, with its invariants:
 *
 * - a call is only made on an open descriptor, and only what is open is closed;
 * - the open descriptors are those that the struct holds, and the live event is the one that it names;
 * - the status, the descriptors and the event fit together;
 * - a start that answers 0 leaves "in progress"; one that fails leaves everything as it was;
 * - the callback runs with the final status: 0 when established; an error when closed, with nothing left;
 * - every start is ended by one callback or by kill, and a callback comes only to what was started.
 */
export class ConnectModel {
  readonly #choose: Chooser;
  readonly #open = new Map<number, 'fresh' | 'listening' | 'stream'>();
  readonly #events = new Map<number, LiveEvent>();
  #lastId = 0;
  #callbackDepth = 0;
  /** A client was started, and neither its callback nor a kill has come. */
  #clientPending = false;
  /** A server_restart took an established client's descriptor: "in progress" with nothing to get on. */
  #stuck = false;
  readonly #t = tdReplicationConnect({
    server: this.#registrar(),
    posix: this.#sockets(),
    logger: nullLogger,
    callback: (_t, rc) => this.#called(rc),
    retryTimeoutS: 1,
    maxConnections: 1,
    fd: -1,
    listenFd: -1,
    id: -1,
  });

  constructor(choose: Chooser) {
    this.#choose = choose;
  }

  /** The state as far as it decides what can come: the status, which descriptors are open, and what is waited for. */
  get state(): string {
    const { fd, listenFd, id, status } = this.#t;
    const event = this.#events.get(id);
    const waitsFor =
      event === undefined ? '-' : `${modeName(event.mode)} on ${event.fd === fd ? 'fd' : 'listenFd'}`;
    const state = [status, fd >= 0 ? 'fd' : '-', listenFd >= 0 ? 'listenFd' : '-', waitsFor].join(', ');
    return STATE_NAMES.get(state) ?? state;
  }

  /** Inputs that mean something now: init on a struct in use is a leak in C too, and there must be an event to fire. */
  get inputs(): readonly Input[] {
    const { status } = this.#t;
    const inUse = status === CONNECTION_IN_PROGRESS || status === CONNECTION_ESTABLISHED;
    return INPUTS.filter((input) => (input === 'init' ? !inUse : input !== 'fire' || this.#events.size > 0));
  }

  /** Does one thing and checks everything after it. */
  input(input: Input): void {
    const before = this.#t.status;
    if (input === 'fire') [...this.#events.values()][0]?.fire();
    else this.#call(input, before);
    this.#check();
  }

  #call(input: Exclude<Input, 'fire'>, before: number): void {
    const t = this.#t;
    switch (input) {
      case 'init': {
        const answer = tdReplicationConnectInit(t, '10.0.0.2:9000');
        expect([0, -errno.ENOENT].includes(answer), `init answered ${answer}`);
        expect(t.status === (answer === 0 ? CONNECTION_NONE : before), 'init left another status');
        return;
      }
      case 'server_start':
        return this.#started(tdReplicationServerStart(t), before, [-1, -2]);
      case 'client_start': {
        const answer = tdReplicationClientStart(t);
        if (answer === 0) this.#clientPending = true;
        return this.#started(answer, before, [ERROR_INTERNAL]);
      }
      case 'server_restart':
        return this.#restarted(tdReplicationServerRestart(t), before);
      case 'kill':
        tdReplicationConnectKill(t);
        this.#clientPending = false;
        this.#stuck = false;
        expect(t.status === CONNECTION_CLOSED || t.status === before, 'kill left another status');
        expect(this.#open.size === 0 && this.#events.size === 0, 'kill left something behind');
        return;
      case 'status': {
        const answer = tdReplicationConnectStatus(t);
        expect(answer === [-1, 0, 1, -1][t.status], `status answered ${answer} in status ${t.status}`);
        return;
      }
    }
  }

  #started(answer: number, before: number, errors: readonly number[]): void {
    const refused = before === CONNECTION_IN_PROGRESS || before === CONNECTION_ESTABLISHED;
    expect(
      answer === 0 ? !refused : errors.includes(answer),
      `a start answered ${answer} in status ${before}`,
    );
    expect(
      this.#t.status === (answer === 0 ? CONNECTION_IN_PROGRESS : before),
      'a start left another status',
    );
  }

  #restarted(answer: number, before: number): void {
    if (before === CONNECTION_NONE || before === CONNECTION_CLOSED)
      return this.#started(answer, before, [-1, -2]);
    expect(answer === 0, `restart answered ${answer}`);
    expect(this.#t.status === CONNECTION_IN_PROGRESS, 'restart left another status');
    if (before === CONNECTION_ESTABLISHED && this.#t.listenFd < 0) this.#stuck = true;
  }

  #called(rc: number): void {
    const { status, listenFd } = this.#t;
    const isServer = listenFd >= 0;
    if (!isServer) {
      expect(this.#clientPending, `the callback was called with ${rc} and no start is open`);
      this.#clientPending = false;
    }
    if (rc === 0) {
      expect(status === CONNECTION_ESTABLISHED, `the callback was called with 0 in status ${status}`);
    } else {
      expect([ERROR_INTERNAL, ERROR_CONNECTION].includes(rc), `the callback was called with ${rc}`);
      expect(status === CONNECTION_CLOSED, `the callback was called with ${rc} in status ${status}`);
    }
    this.#check();
    // One level is enough: what a callback starts is itself ended by a callback from the scheduler.
    if (this.#callbackDepth > 0) return;
    this.#callbackDepth++;
    const choice = this.#choose('callback', CALLBACK_INPUTS.length + 1);
    const input = CALLBACK_INPUTS[choice - 1];
    if (input !== undefined) this.input(input);
    this.#callbackDepth--;
  }

  #check(): void {
    const { fd, listenFd, id, status } = this.#t;
    const held = [fd, listenFd].filter((descriptor) => descriptor >= 0);
    expect(
      held.length === this.#open.size && held.every((one) => this.#open.has(one)),
      'descriptors leaked or lost',
    );
    const event = this.#events.get(id);
    expect(this.#events.size === (event === undefined ? 0 : 1), 'an event leaked');
    expect(id === -1 || event !== undefined, `the struct names event ${id}, which is not live`);
    const { inProgress, established } = {
      inProgress: status === CONNECTION_IN_PROGRESS,
      established: status === CONNECTION_ESTABLISHED,
    };
    if (!inProgress && !established) {
      expect(held.length === 0 && event === undefined, 'something is open without a connection');
      expect(!this.#clientPending, 'a client ended without a word');
    } else if (listenFd >= 0) {
      expect(
        event?.mode === POLL_READ_FD && event.fd === listenFd,
        'a server does not wait for its listener',
      );
      expect(established === fd >= 0, 'a server is established when it has a connection');
    } else if (established) {
      expect(fd >= 0 && event === undefined && !this.#clientPending, 'an established client still waits');
    } else if (this.#stuck) {
      expect(fd < 0 && event === undefined, 'a client whose descriptor was taken has something left');
    } else {
      const waits = event?.mode === TIMEOUT || event?.mode === POLL_WRITE_FD;
      expect(fd >= 0 && event?.fd === fd && waits && this.#clientPending, 'a client does not get on');
    }
  }

  #registrar(): EventRegistrar {
    return {
      registerEvent: <Private>(
        mode: number,
        fd: number,
        _timeout: number,
        callback: EventCallback<Private>,
        data?: Private,
      ) => {
        if (this.#choose('register', 2) === 1) return -errno.EBUSY;
        expect(this.#open.has(fd), `an event was registered on ${fd}, which is not open`);
        const id = ++this.#lastId;
        this.#events.set(id, { mode, fd, fire: () => callback(id, mode, data as Private) });
        return id;
      },
      unregisterEvent: (id) => {
        expect(this.#events.delete(id), `event ${id} was unregistered, and is not live`);
      },
      setMaxTimeout: () => 0,
    };
  }

  #sockets(): SocketCalls {
    const opened = (kind: 'fresh' | 'stream', error: number, call: string): number => {
      if (this.#choose(call, 2) === 1) return -error;
      let fd = 3;
      while (this.#open.has(fd)) fd++;
      this.#open.set(fd, kind);
      return fd;
    };
    const on = (fd: number, call: string, outcomes: readonly number[]): number => {
      expect(this.#open.has(fd), `${call} on ${fd}, which is not open`);
      return -(outcomes[this.#choose(call, outcomes.length)] as number);
    };
    return {
      socket: () => opened('fresh', errno.EMFILE, 'socket'),
      accept: (fd) => {
        expect(this.#open.get(fd) === 'listening', `accept on ${fd}, which does not listen`);
        return opened('stream', errno.EAGAIN, 'accept');
      },
      setsockopt: (fd) => on(fd, 'setsockopt', [0, errno.ENOPROTOOPT]),
      getsockopt: (fd) => {
        if (on(fd, 'getsockopt', [0, errno.EBADF]) < 0) return -errno.EBADF;
        return -on(fd, 'SO_ERROR', SOCKET_ERRNOS);
      },
      fcntl: (fd, command) => on(fd, command === F_GETFL ? 'F_GETFL' : 'F_SETFL', [0, errno.EBADF]),
      bind: (fd, _address: SocketAddress) => on(fd, 'bind', [0, errno.EADDRNOTAVAIL, errno.EADDRINUSE]),
      listen: (fd) => {
        const answer = on(fd, 'listen', [0, errno.EADDRINUSE]);
        if (answer === 0) this.#open.set(fd, 'listening');
        return answer;
      },
      connect: (fd) => on(fd, 'connect', CONNECT_ERRNOS),
      close: (fd) => {
        expect(this.#open.delete(fd), `${fd} was closed, and is not open`);
        return 0;
      },
      getaddrinfo: (host, port) =>
        this.#choose('getaddrinfo', 2) === 1 ? -2 : [{ family: AF_INET, address: host, port: Number(port) }],
    };
  }
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new InvariantBroken(otherwise);
}
