// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import * as errors from '../../src/nbd/errors.js';
import { DEFAULT_NBD_LIMITS } from '../../src/nbd/limits.js';
import * as protocol from '../../src/nbd/protocol.js';
import { errno } from '../../src/posix/index.js';
import { ESHUTDOWN } from '../../src/disks/index.js';

t.test('every number is that of the protocol’s document', async (t) => {
  t.same(
    { ...protocol },
    {
      NBD_MAGIC: 0x4e42444d41474943n,
      OPTION_MAGIC: 0x49484156454f5054n,
      OPTION_REPLY_MAGIC: 0x0003e889045565a9n,
      REQUEST_MAGIC: 0x25609513,
      SIMPLE_REPLY_MAGIC: 0x67446698,
      STRUCTURED_REPLY_MAGIC: 0x668e33ef,
      EXTENDED_REQUEST_MAGIC: 0x21e41c71,
      EXTENDED_REPLY_MAGIC: 0x6e8a278c,
      FLAG_FIXED_NEWSTYLE: 1 << 0,
      FLAG_NO_ZEROES: 1 << 1,
      FLAG_HAS_FLAGS: 1 << 0,
      FLAG_READ_ONLY: 1 << 1,
      FLAG_SEND_FLUSH: 1 << 2,
      FLAG_SEND_FUA: 1 << 3,
      FLAG_SEND_TRIM: 1 << 5,
      FLAG_SEND_WRITE_ZEROES: 1 << 6,
      FLAG_SEND_DF: 1 << 7,
      FLAG_CAN_MULTI_CONN: 1 << 8,
      FLAG_SEND_CACHE: 1 << 10,
      FLAG_SEND_FAST_ZERO: 1 << 11,
      FLAG_BLOCK_STATUS_PAYLOAD: 1 << 12,
      OPT_EXPORT_NAME: 1,
      OPT_ABORT: 2,
      OPT_LIST: 3,
      OPT_STARTTLS: 5,
      OPT_INFO: 6,
      OPT_GO: 7,
      OPT_STRUCTURED_REPLY: 8,
      OPT_LIST_META_CONTEXT: 9,
      OPT_SET_META_CONTEXT: 10,
      OPT_EXTENDED_HEADERS: 11,
      REP_ACK: 1,
      REP_SERVER: 2,
      REP_INFO: 3,
      REP_META_CONTEXT: 4,
      REP_ERR_UNSUP: 2 ** 31 + 1,
      REP_ERR_POLICY: 2 ** 31 + 2,
      REP_ERR_INVALID: 2 ** 31 + 3,
      REP_ERR_TLS_REQD: 2 ** 31 + 5,
      REP_ERR_UNKNOWN: 2 ** 31 + 6,
      REP_ERR_TOO_BIG: 2 ** 31 + 9,
      REP_ERR_EXT_HEADER_REQD: 2 ** 31 + 10,
      INFO_EXPORT: 0,
      INFO_NAME: 1,
      INFO_DESCRIPTION: 2,
      INFO_BLOCK_SIZE: 3,
      CMD_READ: 0,
      CMD_WRITE: 1,
      CMD_DISC: 2,
      CMD_FLUSH: 3,
      CMD_TRIM: 4,
      CMD_CACHE: 5,
      CMD_WRITE_ZEROES: 6,
      CMD_BLOCK_STATUS: 7,
      CMD_FLAG_FUA: 1 << 0,
      CMD_FLAG_NO_HOLE: 1 << 1,
      CMD_FLAG_DF: 1 << 2,
      CMD_FLAG_REQ_ONE: 1 << 3,
      CMD_FLAG_FAST_ZERO: 1 << 4,
      CMD_FLAG_PAYLOAD_LEN: 1 << 5,
      REPLY_FLAG_DONE: 1 << 0,
      REPLY_NONE: 0,
      REPLY_OFFSET_DATA: 1,
      REPLY_OFFSET_HOLE: 2,
      REPLY_BLOCK_STATUS: 5,
      REPLY_BLOCK_STATUS_EXT: 6,
      REPLY_ERROR: 2 ** 15 + 1,
      REPLY_ERROR_OFFSET: 2 ** 15 + 2,
      ALLOCATION_CONTEXT: 'base:allocation',
      ALLOCATION_CONTEXT_ID: 1,
      STATE_HOLE: 1 << 0,
      STATE_ZERO: 1 << 1,
      MAX_PAYLOAD_BYTES: 33_554_432,
      MIN_BLOCK_BYTES: 512,
      PREFERRED_BLOCK_BYTES: 4096,
      MAX_STRING_BYTES: 4096,
    },
  );
});

t.test('results become the protocol’s errors, and unknown ones EIO', async (t) => {
  const wire = { EPERM: 1, EIO: 5, ENOMEM: 12, EINVAL: 22, ENOSPC: 28, ENOTSUP: 95, ESHUTDOWN: 108 };
  for (const [result, expected] of [
    [0, 0],
    [1, 0],
    [-errno.EPERM, wire.EPERM],
    [-errno.EACCES, wire.EPERM],
    [-errno.EROFS, wire.EPERM],
    [-errno.EIO, wire.EIO],
    [-errno.ENOMEM, wire.ENOMEM],
    [-errno.EINVAL, wire.EINVAL],
    [-errno.ENOSPC, wire.ENOSPC],
    [-errno.EDQUOT, wire.ENOSPC],
    [-errno.EFBIG, wire.ENOSPC],
    [-errno.EOPNOTSUPP, wire.ENOTSUP],
    [-ESHUTDOWN, wire.ESHUTDOWN],
    [-errno.ENOENT, wire.EIO],
  ] as const)
    t.equal(errors.nbdError(result), expected, String(result));
  t.same(
    [errors.NBD_EPERM, errors.NBD_EIO, errors.NBD_ENOMEM, errors.NBD_EINVAL, errors.NBD_ENOSPC],
    [1, 5, 12, 22, 28],
  );
  t.same([errors.NBD_ENOTSUP, errors.NBD_ESHUTDOWN], [95, 108]);
});

t.test('a server has its documented bounds', async (t) => {
  t.same(DEFAULT_NBD_LIMITS, {
    maxConnections: 128,
    maxHandshakes: 32,
    maxConnectionsPerPeer: 64,
    maxTlsHandshakesPerSecond: 40,
    maxTlsHandshakesPerPeerPerSecond: 20,
    maxRequestsInFlight: 128,
    maxBytesInFlight: 33_554_432,
    handshakeTimeoutSeconds: 30,
    finishTimeoutSeconds: 5,
    maxRequestMemoryBytes: 268_435_456,
    stallTimeoutSeconds: 30,
    idleTimeoutSeconds: 0,
  });
});
