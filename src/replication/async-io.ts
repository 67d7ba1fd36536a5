// SPDX-FileCopyrightText: 2014 FUJITSU LIMITED
// SPDX-FileContributor: Wen Congyang <wency@cn.fujitsu.com>
// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: LGPL-2.1-only

/*
 * Copyright (C) 2014 FUJITSU LIMITED
 * Author: Wen Congyang <wency@cn.fujitsu.com>
 *
 * This program is free software; you can redistribute it and/or modify
 * it under the terms of the GNU Lesser General Public License as published
 * by the Free Software Foundation; version 2.1 only. with the special
 * exception on linking described in file LICENSE.
 *
 * This program is distributed in the hope that it will be useful,
 * but WITHOUT ANY WARRANTY; without even the implied warranty of
 * MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
 * GNU Lesser General Public License for more details.
 */

// The transfers (td_async_io) that a later version of tools/blktap2/drivers/block-replication.c and .h has beside the
// connect module, made in 2026 after the rules A of docs/semantics.md. What had to differ has a row in docs/divergences.md.

import { errno } from '../posix/errno.js';
import type { Descriptor, Posix } from '../posix/posix.js';
import { type EventId, POLL_READ_FD, POLL_WRITE_FD, TIMEOUT } from '../scheduler/event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';

/** The values of {@link TdAsyncIo.mode}. */
export const TD_ASYNC_READ = 0;
export const TD_ASYNC_WRITE = 1;

/**
 * Called once for each start that returned 0 and was not killed; the transfer has ended by then and may be started again.
 *
 * | realsize | errnoval | when |
 * | --- | --- | --- |
 * | size | 0 | all bytes were moved |
 * | 0 to size - 1 | 0 | a read met the end of file after this many bytes |
 * | 0 | positive | read or write failed with this errno, or ETIME: nothing happened within the timeout |
 * | -1 | negative | the timeout could not be registered again |
 */
export type TaioCallback = (taio: TdAsyncIo, realsize: number, errnoval: number) => void;

/** C: struct td_async_io. Moves exactly `size` bytes between `buff` and `fd`, in one direction. */
export interface TdAsyncIo {
  /** What the C code finds by linking: the scheduler and the system calls. */
  readonly server: EventRegistrar;
  readonly posix: Pick<Posix, 'read' | 'write'>;

  /* caller must fill these in before calling tdAsyncIoStart() */
  fd: Descriptor;
  /** Whole seconds of silence, up to one less (rule E4); 0 for no limit. A negative one is over in the next pass. */
  timeoutS: number;
  /** TD_ASYNC_READ or TD_ASYNC_WRITE. */
  mode: number;
  buff: Uint8Array;
  /** Bytes, at least 1 and at most the buffer's. */
  size: number;
  callback: TaioCallback | undefined;

  /* private */
  timeoutId: EventId;
  ioId: EventId;
  /** Bytes moved so far; after a kill, a timeout or an error only this counts them. */
  used: number;
  running: 0 | 1;
}

/** A zero-filled struct but for what the caller fills in. It works without {@link tdAsyncIoInit} (rule A3). */
export function tdAsyncIo(given: Pick<TdAsyncIo, 'server' | 'posix'> & Partial<TdAsyncIo>): TdAsyncIo {
  return {
    fd: 0,
    timeoutS: 0,
    mode: TD_ASYNC_READ,
    buff: new Uint8Array(),
    size: 0,
    callback: undefined,
    timeoutId: 0,
    ioId: 0,
    used: 0,
    running: 0,
    ...given,
  };
}

/**
 * Zeroes the struct, the caller's members too, and sets its descriptor and its ids to -1. It unregisters nothing, so it
 * must not be called while the transfer runs.
 *
 * @ported block-replication.c td_async_io_init
 */
export function tdAsyncIoInit(taio: TdAsyncIo): void {
  const { server, posix } = taio;
  Object.assign(taio, tdAsyncIo({ server, posix, fd: -1, timeoutId: -1, ioId: -1 }));
}

/**
 * @returns 1 while the transfer runs, else 0
 * @ported block-replication.c td_async_io_is_running
 */
export function tdAsyncIoIsRunning(taio: TdAsyncIo): number {
  return taio.running;
}

/**
 * Starts the transfer; the scheduler makes the first read or write, once the descriptor is ready for it.
 *
 * @returns 0, and the callback will be called; -1, and it will not be: it is running, the size is not positive or more
 *   than the buffer has, the descriptor is negative, there is no callback, the mode is unknown, or an event could not be
 *   registered
 * @ported block-replication.c td_async_io_start
 */
export function tdAsyncIoStart(taio: TdAsyncIo): number {
  if (taio.running) return -1;
  if (taio.size <= 0 || taio.fd < 0) return -1;
  if (taio.size > taio.buff.length || taio.callback === undefined) return -1;

  taio.running = 1;
  const id = registerIoEvent(taio);
  if (id < 0) {
    tdAsyncIoKill(taio);
    return -1;
  }
  taio.ioId = id;

  if (taio.timeoutS && registerTimeout(taio) < 0) {
    tdAsyncIoKill(taio);
    return -1;
  }

  taio.used = 0;
  return 0;
}

/**
 * Ends the transfer without its callback; without one that runs, nothing happens. What was read is in the buffer.
 *
 * @ported block-replication.c td_async_io_kill
 */
export function tdAsyncIoKill(taio: TdAsyncIo): void {
  if (!taio.running) return;

  unregisterId(taio, 'timeoutId');
  unregisterId(taio, 'ioId');
  taio.running = 0;
}

/** The id of the I/O event, or a negative number, as for a mode that is neither. */
function registerIoEvent(taio: TdAsyncIo): EventId | number {
  switch (taio.mode) {
    case TD_ASYNC_READ:
      return taio.server.registerEvent(POLL_READ_FD, taio.fd, 0, readEvent, taio);
    case TD_ASYNC_WRITE:
      return taio.server.registerEvent(POLL_WRITE_FD, taio.fd, 0, writeEvent, taio);
    default:
      return -errno.EINVAL;
  }
}

/** Registers the timeout's event; a failure (negative) leaves the struct as it was. */
function registerTimeout(taio: TdAsyncIo): EventId | number {
  const id = taio.server.registerEvent(TIMEOUT, -1, taio.timeoutS, timeoutEvent, taio);
  if (id >= 0) taio.timeoutId = id;
  return id;
}

function unregisterId(taio: TdAsyncIo, member: 'timeoutId' | 'ioId'): void {
  if (taio[member] >= 0) {
    taio.server.unregisterEvent(taio[member]);
    taio[member] = -1;
  }
}

/** Rule A8: whatever the end, the transfer is over before its callback is called. */
function end(taio: TdAsyncIo, realsize: number, errnoval: number): void {
  tdAsyncIoKill(taio);
  (taio.callback as TaioCallback)(taio, realsize, errnoval);
}

function readEvent(_id: EventId, _mode: number, taio: TdAsyncIo): void {
  for (;;) {
    const ret = taio.posix.read(taio.fd, taio.buff.subarray(taio.used, taio.size));
    if (ret === 0) return end(taio, taio.used, 0);
    if (!goesOn(taio, ret)) return;
  }
}

function writeEvent(_id: EventId, _mode: number, taio: TdAsyncIo): void {
  // As in C, a result of 0 is no end: write is called again.
  while (goesOn(taio, taio.posix.write(taio.fd, taio.buff.subarray(taio.used, taio.size))));
}

/** Takes the result of read or write. Returns whether to call it again. */
function goesOn(taio: TdAsyncIo, ret: number): boolean {
  if (ret >= 0) {
    taio.used += ret;
    if (taio.used < taio.size) return true;
    end(taio, taio.size, 0);
  } else if (ret === -errno.EINTR) {
    return true;
  } else if (ret === -errno.EAGAIN) {
    renewTimeout(taio);
  } else {
    end(taio, 0, -ret);
  }
  return false;
}

/** Rule A12: each firing that ends for lack of data, or of room, gives the peer its whole time again. */
function renewTimeout(taio: TdAsyncIo): void {
  if (!taio.timeoutS) return;

  // C unregisters the id whatever it is; -1 is without effect (rule I3).
  taio.server.unregisterEvent(taio.timeoutId);
  taio.timeoutId = -1;
  const id = registerTimeout(taio);
  if (id < 0) end(taio, -1, id);
}

function timeoutEvent(_id: EventId, _mode: number, taio: TdAsyncIo): void {
  end(taio, 0, errno.ETIME);
}
