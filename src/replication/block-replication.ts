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

// A port of tools/blktap2/drivers/block-replication.c and .h of Xen, made in 2026: the same functions in the same order,
// with the same branches and calls. What had to differ has a row in docs/divergences.md.

import { AF_INET, type Inet4Address, PF_INET, SOCK_STREAM } from '../posix/address.js';
import { errno, strerror } from '../posix/errno.js';
import { gaiStrerror } from '../posix/gai.js';
import {
  F_GETFL,
  F_SETFL,
  O_NONBLOCK,
  SO_ERROR,
  SO_REUSEADDR,
  type SocketCalls,
  SOL_SOCKET,
} from '../posix/posix.js';
import { type EventId, POLL_READ_FD, POLL_WRITE_FD, TIMEOUT } from '../scheduler/event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import { LOG_DEBUG, LOG_ERR, type Logger } from '../server/logger.js';

/**
 * connection status
 *
 *                   server_start, client_start
 *     none, closed ----------------------------> in progress
 *                   accept, or connect done
 *     in progress -----------------------------> established
 *                   kill, or the client gave up
 *     in progress, established ----------------> closed
 *                   server_restart
 *     established -----------------------------> in progress
 */
export const CONNECTION_NONE = 0;
export const CONNECTION_IN_PROGRESS = 1;
export const CONNECTION_ESTABLISHED = 2;
export const CONNECTION_CLOSED = 3;

/** What the callback and the client's start return, beside 0. */
export const ERROR_INTERNAL = -1;
export const ERROR_CONNECTION = -2;

/**
 * Called with 0 when the connection is established, or with ERROR_INTERNAL or ERROR_CONNECTION when the client gave up;
 * the status is final by then.
 */
export type TdReplicationCallback = (t: TdReplicationConnect, rc: number) => void;

/** C: struct td_replication_connect. */
export interface TdReplicationConnect<System extends SocketCalls = SocketCalls> {
  /** What the C code finds by linking: the scheduler, the system calls and syslog. */
  readonly server: EventRegistrar;
  readonly posix: System;
  readonly logger: Logger;

  /*
   * caller must fill these in before calling
   * tdReplicationConnectInit()
   */
  logPrefix: string;
  callback: TdReplicationCallback;
  /** Whole seconds; 0 or less retries within the same pass. */
  retryTimeoutS: number;
  /** The listener's backlog. */
  maxConnections: number;
  /**
   * The caller uses this fd to read/write after
   * the connection is established
   */
  fd: number;

  /* private */
  sa: Inet4Address;
  listenFd: number;
  id: EventId;

  status: number;
}

/** What a zero-filled sockaddr_in is. */
const INADDR_ANY: Inet4Address = { family: AF_INET, address: '0.0.0.0', port: 0 };

/**
 * A zero-filled struct, but for what the caller fills in. `fd` is 0 too unless given, as in C, where a kill of a listening
 * server closes whatever stands in it.
 */
export function tdReplicationConnect<System extends SocketCalls>(
  given: Pick<TdReplicationConnect<System>, 'server' | 'posix' | 'logger' | 'callback'> &
    Partial<TdReplicationConnect<System>>,
): TdReplicationConnect<System> {
  return {
    logPrefix: '',
    retryTimeoutS: 0,
    maxConnections: 0,
    fd: 0,
    sa: INADDR_ANY,
    listenFd: 0,
    id: 0,
    status: CONNECTION_NONE,
    ...given,
  };
}

function DPRINTF(t: TdReplicationConnect, message: string): void {
  t.logger.log(LOG_DEBUG, `${t.logPrefix}: ${message}`);
}

function EPRINTF(t: TdReplicationConnect, message: string): void {
  t.logger.log(LOG_ERR, `${t.logPrefix}: ${message}`);
}

/** C: the macro UNREGISTER_EVENT, on the struct's id. */
function UNREGISTER_EVENT(t: TdReplicationConnect): void {
  if (t.id >= 0) {
    t.server.unregisterEvent(t.id);
    t.id = -1;
  }
}

/** C: the macro CLOSE_FD, on one of the struct's descriptors. */
function CLOSE_FD(t: TdReplicationConnect, member: 'fd' | 'listenFd'): void {
  if (t[member] >= 0) {
    t.posix.close(t[member]);
    t[member] = -1;
  }
}

/* common functions */
/* args should be host:port */
function getArgs(t: TdReplicationConnect, name: string): number {
  const colon = name.indexOf(':');
  if (colon === -1) {
    EPRINTF(t, `missing host in ${name}\n`);
    return -errno.ENOENT;
  }
  const host = name.slice(0, colon);
  const port = name.slice(colon + 1);
  const servinfo = t.posix.getaddrinfo(host, port);
  if (typeof servinfo === 'number') {
    EPRINTF(t, `getaddrinfo error: ${gaiStrerror(servinfo)}\n`);
    return -errno.ENOENT;
  }

  /* TODO: do something smarter here */
  let validAddr = false;
  for (const servinfoItr of servinfo) {
    if (servinfoItr.family === AF_INET) {
      validAddr = true;
      t.sa = servinfoItr;
      break;
    }
  }

  if (!validAddr) return -errno.ENOENT;

  DPRINTF(t, `host: ${t.sa.address}, port: ${t.sa.port}\n`);

  return 0;
}

/**
 * Sets the struct up for `host:port`, split at the first colon; an IPv4 address is taken.
 *
 * A name needs its answer from Posix.resolve beforehand, see `tdReplicationConnectInitAsync`.
 *
 * @returns 0, or -ENOENT for every failure; then nothing in the struct but `sa` may have changed
 * @ported block-replication.c td_replication_connect_init
 */
export function tdReplicationConnectInit(t: TdReplicationConnect, name: string): number {
  const rc = getArgs(t, name);
  if (rc) return rc;

  t.listenFd = -1;
  t.id = -1;
  t.status = CONNECTION_NONE;
  return 0;
}

/**
 * @returns -1: connection is closed or not connected; 0: connection is in progress; 1: connection is established;
 *   -2: the status is none of these, which is logged
 * @ported block-replication.c td_replication_connect_status
 */
export function tdReplicationConnectStatus(t: TdReplicationConnect): number {
  switch (t.status) {
    case CONNECTION_NONE:
    case CONNECTION_CLOSED:
      return -1;
    case CONNECTION_IN_PROGRESS:
      return 0;
    case CONNECTION_ESTABLISHED:
      return 1;
    default:
      EPRINTF(t, 'td_replication_connect is corruptted\n');
      return -2;
  }
}

/**
 * Ends the connection, or the attempt: its event is gone and its descriptors are closed. Without either, nothing happens.
 *
 * @ported block-replication.c td_replication_connect_kill
 */
export function tdReplicationConnectKill(t: TdReplicationConnect): void {
  if (t.status !== CONNECTION_IN_PROGRESS && t.status !== CONNECTION_ESTABLISHED) return;

  UNREGISTER_EVENT(t);
  CLOSE_FD(t, 'fd');
  CLOSE_FD(t, 'listenFd');
  t.status = CONNECTION_CLOSED;
}

/* server */

/**
 * Listens on the address. While a connection is established, the listener stays and further ones are closed.
 *
 * @returns 0: connection is in progress; -1: error; -2: this caller should be client, as the host does not have the address
 * @ported block-replication.c td_replication_server_start
 */
export function tdReplicationServerStart(t: TdReplicationConnect): number {
  let rc = -1;

  if (t.status === CONNECTION_IN_PROGRESS || t.status === CONNECTION_ESTABLISHED) return rc;

  const fd = t.posix.socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) {
    EPRINTF(t, `could not create server socket: ${-fd}\n`);
    return rc;
  }

  const opt = 1;
  let err = t.posix.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, opt);
  if (err < 0) DPRINTF(t, `Error setting REUSEADDR on ${fd}: ${-err}\n`);

  err = t.posix.bind(fd, t.sa);
  if (err < 0) {
    DPRINTF(
      t,
      `could not bind server socket ${fd} to ${t.sa.address}:${t.sa.port}: ${-err} ${strerror(-err)}\n`,
    );
    if (-err === errno.EADDRNOTAVAIL) rc = -2;
    t.posix.close(fd);
    return rc;
  }

  err = t.posix.listen(fd, t.maxConnections);
  if (err) {
    EPRINTF(t, `could not listen on socket: ${-err}\n`);
    t.posix.close(fd);
    return rc;
  }

  /*
   * The socket is now bound to the address and listening so we
   * may now register the fd with tapdisk
   */
  const id = t.server.registerEvent(POLL_READ_FD, fd, 0, tdReplicationServerAccept, t);
  if (id < 0) {
    EPRINTF(t, `error registering server connection event handler: ${strerror(id)}`);
    t.posix.close(fd);
    return rc;
  }
  t.listenFd = fd;
  t.id = id;
  t.status = CONNECTION_IN_PROGRESS;

  return 0;
}

function tdReplicationServerAccept(_id: EventId, _mode: number, t: TdReplicationConnect): void {
  /* XXX: add address-based black/white list */
  const fd = t.posix.accept(t.listenFd);
  if (fd < 0) {
    EPRINTF(t, `error accepting connection: ${-fd}\n`);
    return;
  }

  if (t.status === CONNECTION_ESTABLISHED) {
    EPRINTF(t, 'connection is already established\n');
    t.posix.close(fd);
    return;
  }

  DPRINTF(t, 'server accepted connection\n');
  t.fd = fd;
  t.status = CONNECTION_ESTABLISHED;
  t.callback(t, 0);
}

/**
 * Drops the established connection and takes the next one, or starts the server. The role is not checked: on an
 * established client it leaves "in progress" without an event.
 *
 * @returns 0: connection is in progress; -1: error; -2: this caller should be client
 * @ported block-replication.c td_replication_server_restart
 */
export function tdReplicationServerRestart(t: TdReplicationConnect): number {
  switch (t.status) {
    case CONNECTION_IN_PROGRESS:
      return 0;
    case CONNECTION_ESTABLISHED:
      CLOSE_FD(t, 'fd');
      t.status = CONNECTION_IN_PROGRESS;
      return 0;
    case CONNECTION_NONE:
    case CONNECTION_CLOSED:
      return tdReplicationServerStart(t);
    default:
      /* not reached */
      return -1;
  }
}

/* client */

/**
 * Starts to connect; the scheduler makes the first attempt, and another after each retry time while the server is away.
 *
 * @returns 0: connection is in progress; ERROR_INTERNAL, and then the callback is not called
 * @ported block-replication.c td_replication_client_start
 */
export function tdReplicationClientStart(t: TdReplicationConnect): number {
  if (t.status === CONNECTION_IN_PROGRESS || t.status === CONNECTION_ESTABLISHED) return ERROR_INTERNAL;

  DPRINTF(t, `client connecting to ${t.sa.address}:${t.sa.port}...\n`);

  const fd = t.posix.socket(PF_INET, SOCK_STREAM, 0);
  if (fd < 0) {
    EPRINTF(t, `could not create client socket: ${-fd}\n`);
    return ERROR_INTERNAL;
  }

  /* make socket nonblocking */
  let flags = t.posix.fcntl(fd, F_GETFL, 0);
  if (flags < 0) flags = 0;
  if (t.posix.fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
    EPRINTF(t, `error setting fd ${fd} to non block mode\n`);
    t.posix.close(fd);
    return ERROR_INTERNAL;
  }

  /*
   * once we have created the socket and populated the address,
   * we can now start our non-blocking connect. rather than
   * duplicating code we trigger a timeout on the socket fd,
   * which calls out nonblocking connect code
   */
  const id = t.server.registerEvent(TIMEOUT, fd, 0, tdReplicationRetryConnectEvent, t);
  if (id < 0) {
    EPRINTF(t, `error registering timeout client connection event handler: ${strerror(id)}\n`);
    t.posix.close(fd);
    return ERROR_INTERNAL;
  }

  t.fd = fd;
  t.id = id;
  t.status = CONNECTION_IN_PROGRESS;
  return 0;
}

function tdReplicationClientFailed(t: TdReplicationConnect, rc: number): void {
  tdReplicationConnectKill(t);
  t.callback(t, rc);
}

function tdReplicationClientDone(t: TdReplicationConnect): void {
  UNREGISTER_EVENT(t);
  t.status = CONNECTION_ESTABLISHED;
  t.callback(t, 0);
}

function tdReplicationRetryConnect(t: TdReplicationConnect): number {
  UNREGISTER_EVENT(t);

  DPRINTF(t, 'connect to server 1 second later');
  const id = t.server.registerEvent(TIMEOUT, t.fd, t.retryTimeoutS, tdReplicationRetryConnectEvent, t);
  if (id < 0) {
    EPRINTF(t, `error registering timeout client connection event handler: ${strerror(id)}\n`);
    return ERROR_INTERNAL;
  }

  t.id = id;
  return 0;
}

function tdReplicationWaitConnectDone(t: TdReplicationConnect): number {
  UNREGISTER_EVENT(t);

  const id = t.server.registerEvent(POLL_WRITE_FD, t.fd, 0, tdReplicationConnectEvent, t);
  if (id < 0) {
    EPRINTF(t, `error registering client connection event handler: ${strerror(id)}\n`);
    return ERROR_INTERNAL;
  }
  t.id = id;

  return 0;
}

/* return true if we need to reconnect to backup server */
function checkConnectErrno(err: number): boolean {
  /*
   * The fd is non-block, so we will not get ETIMEDOUT
   * after calling connect(). We only can get this errno
   * by getsockopt().
   */
  return (
    err === errno.ECONNREFUSED ||
    err === errno.ENETUNREACH ||
    err === errno.EAGAIN ||
    err === errno.ECONNABORTED ||
    err === errno.ETIMEDOUT
  );
}

function tdReplicationRetryConnectEvent(_id: EventId, _mode: number, t: TdReplicationConnect): void {
  let rc: number;

  /* do a non-blocking connect */
  const ret = t.posix.connect(t.fd, t.sa);
  if (ret) {
    if (-ret === errno.EINPROGRESS) {
      /*
       * the connect returned EINPROGRESS (nonblocking
       * connect) we must wait for the fd to be writeable
       * to determine if the connect worked
       */
      rc = tdReplicationWaitConnectDone(t);
      if (rc) tdReplicationClientFailed(t, rc);
      return;
    }

    if (checkConnectErrno(-ret)) {
      rc = tdReplicationRetryConnect(t);
      if (rc) tdReplicationClientFailed(t, rc);
      return;
    }

    /* not recoverable */
    EPRINTF(t, `error connection to server ${strerror(-ret)}\n`);
    tdReplicationClientFailed(t, ERROR_CONNECTION);
    return;
  }

  /* The connection is established unexpectedly */
  tdReplicationClientDone(t);
}

/* callback when nonblocking connect() is finished */
function tdReplicationConnectEvent(_id: EventId, _mode: number, t: TdReplicationConnect): void {
  /* check to see if the connect succeeded */
  const socketErrno = t.posix.getsockopt(t.fd, SOL_SOCKET, SO_ERROR);
  if (socketErrno < 0) {
    EPRINTF(t, 'error getting socket errno\n');
    return;
  }

  DPRINTF(t, `socket connect returned ${socketErrno}\n`);

  if (socketErrno) {
    /* the connect did not succeed */
    if (checkConnectErrno(socketErrno)) {
      /*
       * we can probably assume that the backup is down.
       * just try again later
       */
      const rc = tdReplicationRetryConnect(t);
      if (rc) tdReplicationClientFailed(t, rc);
      return;
    }
    EPRINTF(t, `socket connect returned ${socketErrno}, giving up\n`);
    tdReplicationClientFailed(t, ERROR_CONNECTION);
    return;
  }

  tdReplicationClientDone(t);
}
