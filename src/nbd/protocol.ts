// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/**
 * The numbers of the NBD protocol (the public document "The NBD protocol", fixed newstyle). All integers on the wire are
 * big-endian.
 */

/** What a server says first: "NBDMAGIC", then "IHAVEOPT", which also starts each of the client's options. */
export const NBD_MAGIC = 0x4e42444d41474943n;
export const OPTION_MAGIC = 0x49484156454f5054n;
export const OPTION_REPLY_MAGIC = 0x3e889045565a9n;
export const REQUEST_MAGIC = 0x25609513;
export const SIMPLE_REPLY_MAGIC = 0x67446698;
export const STRUCTURED_REPLY_MAGIC = 0x668e33ef;
export const EXTENDED_REQUEST_MAGIC = 0x21e41c71;
export const EXTENDED_REPLY_MAGIC = 0x6e8a278c;

/** Handshake flags, the server's and (the same numbers) the client's. */
export const FLAG_FIXED_NEWSTYLE = 1;
export const FLAG_NO_ZEROES = 2;

/** Transmission flags. */
export const FLAG_HAS_FLAGS = 1;
export const FLAG_READ_ONLY = 2;
export const FLAG_SEND_FLUSH = 4;
export const FLAG_SEND_FUA = 8;
export const FLAG_SEND_TRIM = 32;
export const FLAG_SEND_WRITE_ZEROES = 64;
export const FLAG_SEND_DF = 128;
export const FLAG_CAN_MULTI_CONN = 256;
export const FLAG_SEND_CACHE = 1024;
export const FLAG_SEND_FAST_ZERO = 2048;
export const FLAG_BLOCK_STATUS_PAYLOAD = 4096;

/** Options. */
export const OPT_EXPORT_NAME = 1;
export const OPT_ABORT = 2;
export const OPT_LIST = 3;
export const OPT_STARTTLS = 5;
export const OPT_INFO = 6;
export const OPT_GO = 7;
export const OPT_STRUCTURED_REPLY = 8;
export const OPT_LIST_META_CONTEXT = 9;
export const OPT_SET_META_CONTEXT = 10;
export const OPT_EXTENDED_HEADERS = 11;

/** Option replies; errors have the top bit set. */
export const REP_ACK = 1;
export const REP_SERVER = 2;
export const REP_INFO = 3;
export const REP_META_CONTEXT = 4;
export const REP_ERR_UNSUP = 0x80000001;
export const REP_ERR_POLICY = 0x80000002;
export const REP_ERR_INVALID = 0x80000003;
export const REP_ERR_TLS_REQD = 0x80000005;
export const REP_ERR_UNKNOWN = 0x80000006;
export const REP_ERR_TOO_BIG = 0x80000009;
export const REP_ERR_EXT_HEADER_REQD = 0x8000000a;

/** Kinds of information in REP_INFO. */
export const INFO_EXPORT = 0;
export const INFO_NAME = 1;
export const INFO_DESCRIPTION = 2;
export const INFO_BLOCK_SIZE = 3;

/** Commands. */
export const CMD_READ = 0;
export const CMD_WRITE = 1;
export const CMD_DISC = 2;
export const CMD_FLUSH = 3;
export const CMD_TRIM = 4;
export const CMD_CACHE = 5;
export const CMD_WRITE_ZEROES = 6;
export const CMD_BLOCK_STATUS = 7;

/** Command flags. */
export const CMD_FLAG_FUA = 1;
export const CMD_FLAG_NO_HOLE = 2;
export const CMD_FLAG_DF = 4;
export const CMD_FLAG_REQ_ONE = 8;
export const CMD_FLAG_FAST_ZERO = 16;
export const CMD_FLAG_PAYLOAD_LEN = 32;

/** Structured replies: the flag of the last chunk, and types; errors have the top bit set. */
export const REPLY_FLAG_DONE = 1;
export const REPLY_NONE = 0;
export const REPLY_OFFSET_DATA = 1;
export const REPLY_OFFSET_HOLE = 2;
export const REPLY_BLOCK_STATUS = 5;
export const REPLY_BLOCK_STATUS_EXT = 6;
export const REPLY_ERROR = 0x8001;
export const REPLY_ERROR_OFFSET = 0x8002;

/** The metadata context that reports what takes up space, its number here, and its flags. */
export const ALLOCATION_CONTEXT = 'base:allocation';
export const ALLOCATION_CONTEXT_ID = 1;
export const STATE_HOLE = 1;
export const STATE_ZERO = 2;

/** The largest READ or WRITE, and what INFO_BLOCK_SIZE reports: 32 MiB, the protocol's own default. */
export const MAX_PAYLOAD_BYTES = 32 << 20;
/** The smallest blocks that cost no more than they have to: a part of a sector is read before it is written. */
export const MIN_BLOCK_BYTES = 512;
/** The page size, which the file systems and page caches on both sides like best. */
export const PREFERRED_BLOCK_BYTES = 4096;
/** The longest string of the protocol, in bytes. */
export const MAX_STRING_BYTES = 4096;
