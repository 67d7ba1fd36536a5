// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** What a control message is: a request has an odd number, its reply the next even one (C: enum tapdisk_message_type). */
export const MessageType = {
  error: 1,
  pid: 3,
  pidAnswer: 4,
  attach: 5,
  attachAnswer: 6,
  open: 7,
  openAnswer: 8,
  pause: 9,
  pauseAnswer: 10,
  resume: 11,
  resumeAnswer: 12,
  close: 13,
  closeAnswer: 14,
  detach: 15,
  detachAnswer: 16,
  listMinors: 17,
  listMinorsAnswer: 18,
  list: 19,
  listAnswer: 20,
  forceShutdown: 21,
  /** Ours, far beyond the C program's numbers: a C tapdisk replies to it, as to any unknown type, with ERROR and EINVAL. */
  statistics: 0x5401,
  statisticsAnswer: 0x5402,
  /** Ours too: a command for replicated disks, as JSON; the cookie is a minor, or NO_COOKIE for all. */
  replication: 0x5403,
  replicationAnswer: 0x5404,
  /** Ours too: takes an open disk's size from its image. */
  resize: 0x5405,
  resizeAnswer: 0x5406,
} as const;

const names = new Map<number, string>(Object.entries(MessageType).map(([name, type]) => [type, name]));

/** A type's name for log lines and errors; its number when it has none. */
export function messageTypeName(type: number): string {
  return names.get(type) ?? `type ${type}`;
}

/** The flags of `Parameters` (C: TAPDISK_MESSAGE_FLAG_…). */
export const FLAG_SHARED = 1;
export const FLAG_READ_ONLY = 2;
export const FLAG_ADD_CACHE = 4;
export const FLAG_VHD_INDEX = 8;
export const FLAG_LOG_DIRTY = 16;
