// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { InetAddress, SocketAddress } from '../posix/address.js';
import { checkStreamSocket } from '../posix/shared/check-stream-socket.js';
import type { Clock } from '../posix/clock.js';
import { DescriptorTable } from '../posix/shared/descriptor-table.js';
import type { Descriptor } from '../posix/shared/descriptor.js';
import { errno } from '../posix/errno.js';
import { EventCounter } from '../posix/shared/event-counter.js';
import { TimerDescriptor } from '../posix/shared/timer-descriptor.js';
import type { FutureEvent } from './event-queue.js';
import { NameResolver } from '../posix/shared/name-resolver.js';
import type { ReadyDescriptor } from '../posix/poller.js';
import type { Posix, SelectSets } from '../posix/posix.js';
import type { CallName } from './call-faults.js';
import { callText, selectAnswerText, selectText } from './call-text.js';
import type { Kernel } from './kernel.js';
import { selectOnce } from '../posix/shared/select-once.js';
import { type PollerHost, SimulatedPoller } from './simulated-poller.js';
import { StreamDescriptor } from './stream-descriptor.js';

type Argument = number | string | Uint8Array | SocketAddress;

/**
 * The operating system as one process of a simulated host sees it: the descriptors and calls of {@link Posix} over the
 * simulated network. Each call can be made to fail, and leaves a line in the world's trace.
 *
 * When the process has died, every call returns -ESRCH and a select under way never returns.
 */
export class SimulatedPosix implements Posix {
  readonly clock: Clock;
  readonly #kernel: Kernel;
  readonly #table: DescriptorTable;
  readonly #names: NameResolver;
  readonly #pollers = new Set<SimulatedPoller>();
  /** Which opening of a number is the current one. */
  readonly #openings = new Map<number, number>();
  readonly #pollerHost: PollerHost;
  #opened = 0;
  #isDead = false;

  /** Made by its host. */
  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.clock = kernel.clock;
    this.#table = new DescriptorTable(kernel.maxDescriptors);
    this.#names = new NameResolver(kernel.names.lookup);
    this.#pollerHost = {
      table: this.#table,
      after: (seconds, action) => kernel.machine.queue.after(seconds * 1e6, action),
      cancel: (event) => kernel.machine.queue.cancel(event),
      wakeLatencySeconds: () => kernel.machine.random.between(0, kernel.maxWakeLatencySeconds),
      selecting: (interest, timeoutSeconds) => this.#selecting(interest, timeoutSeconds),
      selected: (answer) => {
        kernel.note(() => selectAnswerText(answer));
        kernel.mayProgress();
      },
      closed: (poller) => this.#pollers.delete(poller),
    };
  }

  /** How many selects of this process are under way. */
  get selectCount(): number {
    return [...this.#pollers].filter(({ isSleeping }) => isSleeping).length;
  }

  /** How many pollers there are that were not closed. */
  get pollerCount(): number {
    return this.#pollers.size;
  }

  /** Distinguishes openings of one number: the same value means the same descriptor; undefined when it is not open. */
  opening(fd: number): number | undefined {
    return this.#openings.get(fd);
  }

  socket(domain: number, type: number, protocol = 0): number {
    return this.#call('socket', [domain, type, protocol], () => {
      const fault = checkStreamSocket(domain, type, protocol);
      return fault < 0 ? fault : this.#open(new StreamDescriptor(this.#kernel.machine, domain));
    });
  }

  setsockopt(fd: number, level: number, option: number, value: number): number {
    return this.#on('setsockopt', fd, [level, option, value], (d) => d.setsockopt(level, option, value));
  }

  getsockopt(fd: number, level: number, option: number): number {
    return this.#on('getsockopt', fd, [level, option], (d) => d.getsockopt(level, option));
  }

  fcntl(fd: number, command: number, argument = 0): number {
    return this.#on('fcntl', fd, [command, argument], (descriptor) => descriptor.fcntl(command, argument));
  }

  bind(fd: number, address: SocketAddress): number {
    return this.#on('bind', fd, [address], (descriptor) => descriptor.bind(address));
  }

  listen(fd: number, backlog: number): number {
    return this.#on('listen', fd, [backlog], (descriptor) => {
      const outcome = descriptor.listen(backlog);
      if (typeof outcome === 'number') return outcome;
      this.#table.replace(fd, outcome);
      return 0;
    });
  }

  accept(fd: number): number {
    return this.#on('accept', fd, [], (listener) => listener.accept((connection) => this.#open(connection)));
  }

  connect(fd: number, address: SocketAddress): number {
    return this.#on('connect', fd, [address], (descriptor) => descriptor.connect(address));
  }

  read(fd: number, buffer: Uint8Array): number {
    if (!(buffer instanceof Uint8Array)) return -errno.EFAULT;
    return this.#on('read', fd, [buffer], (descriptor) =>
      descriptor.read(this.#shortened(descriptor, buffer)),
    );
  }

  write(fd: number, bytes: Uint8Array): number {
    if (!(bytes instanceof Uint8Array)) return -errno.EFAULT;
    return this.#on('write', fd, [bytes], (descriptor) =>
      descriptor.write(this.#shortened(descriptor, bytes)),
    );
  }

  shutdown(fd: number, how: number): number {
    return this.#on('shutdown', fd, [how], (descriptor) => descriptor.shutdown(how));
  }

  /** Frees the number even when it is made to fail, as Linux does. */
  close(fd: number): number {
    return this.#call('close', [fd], () => this.#close(fd), true);
  }

  /** Closes a connection with a reset in place of an end of file (C: SO_LINGER with 0, then close). Errors as of close. */
  abort(fd: number): number {
    const descriptor = this.#table.get(fd);
    if (descriptor instanceof StreamDescriptor) descriptor.reset();
    return this.close(fd);
  }

  getsockname(fd: number): SocketAddress | number {
    return this.#on('getsockname', fd, [], (descriptor) => descriptor.getsockname());
  }

  getpeername(fd: number): SocketAddress | number {
    return this.#on('getpeername', fd, [], (descriptor) => descriptor.getpeername());
  }

  getaddrinfo(host: string, port: string): readonly InetAddress[] | number {
    return this.#call('getaddrinfo', [host, port], () => this.#names.getaddrinfo(host, port));
  }

  async resolve(host: string, port: string): Promise<readonly InetAddress[] | number> {
    if (this.#isDead) return -errno.ESRCH;
    const failure = this.#kernel.failure('resolve');
    const answer = failure ?? (await this.#names.resolve(host, port));
    if (this.#hasDied()) return new Promise(() => {});
    this.#kernel.note(() => callText('resolve', [host, port], answer));
    return answer;
  }

  eventfd(initial = 0): number {
    return this.#call('eventfd', [initial], () => {
      const counter = EventCounter.create(initial);
      return typeof counter === 'number' ? counter : this.#open(counter);
    });
  }

  timerfd(): number {
    return this.#call('timerfd', [], () => {
      const { queue } = this.#kernel.machine;
      return this.#open(
        new TimerDescriptor((wake) => {
          let event: FutureEvent | undefined;
          const stop = (): void => queue.cancel(event);
          return {
            start: (seconds) => {
              stop();
              event = queue.after(seconds * 1e6, wake);
            },
            stop,
          };
        }),
      );
    });
  }

  timerfdSettime(fd: number, seconds: number): number {
    return this.#on('timerfdSettime', fd, [seconds], (descriptor) => descriptor.setTimer(seconds));
  }

  createPoller(): SimulatedPoller {
    const poller = new SimulatedPoller(this.#pollerHost);
    if (!this.#isDead) this.#pollers.add(poller);
    else poller.abandon();
    return poller;
  }

  select(sets: SelectSets, timeoutSeconds: number): Promise<Required<SelectSets> | number> {
    return selectOnce(this.createPoller(), sets, timeoutSeconds);
  }

  openDescriptors(): readonly { readonly fd: number; readonly description: string }[] {
    return this.#table.entries().map(({ fd, descriptor }) => ({ fd, description: descriptor.describe() }));
  }

  /** The process dies: its descriptors are closed as the kernel does for it, its selects never return. */
  die(): void {
    for (const poller of this.#pollers) poller.abandon();
    this.#pollers.clear();
    for (const { fd } of this.#table.entries()) this.#close(fd);
    this.#isDead = true;
  }

  /** What a transfer moves at most. A counter's or timer's eight bytes are moved whole, as on Linux. */
  #shortened(descriptor: Descriptor, bytes: Uint8Array): Uint8Array {
    const isWhole = descriptor instanceof EventCounter || descriptor instanceof TimerDescriptor;
    return isWhole ? bytes : this.#kernel.shortened(bytes);
  }

  #hasDied(): boolean {
    return this.#isDead;
  }

  #open(descriptor: Descriptor): number {
    const fd = this.#table.open(descriptor);
    if (fd >= 0) this.#openings.set(fd, ++this.#opened);
    return fd;
  }

  #close(fd: number): number {
    const descriptor = this.#table.remove(fd);
    if (descriptor === undefined) return -errno.EBADF;
    this.#openings.delete(fd);
    descriptor.close();
    return 0;
  }

  /** A call on a descriptor. */
  #on<Answer>(
    call: CallName,
    fd: number,
    args: Argument[],
    run: (descriptor: Descriptor) => Answer,
  ): Answer | number {
    return this.#call(call, [fd, ...args], () => {
      const descriptor = this.#table.get(fd);
      return descriptor === undefined ? -errno.EBADF : run(descriptor);
    });
  }

  /** Every call comes through here: it may be made to fail, and it is traced. */
  #call<Answer>(call: CallName, args: Argument[], run: () => Answer, runsAnyway = false): Answer | number {
    if (this.#isDead) return -errno.ESRCH;
    const failure = this.#kernel.failure(call);
    if (failure !== undefined && runsAnyway) run();
    const answer = failure ?? run();
    this.#kernel.note(() => callText(call, args, answer) + (failure === undefined ? '' : ' (made to fail)'));
    return answer;
  }

  #selecting(asked: readonly ReadyDescriptor[], timeoutSeconds: number): number | undefined {
    this.#kernel.note(() => selectText(asked, timeoutSeconds));
    return this.#kernel.failure('select');
  }
}
