// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

export type { PlayOptions, TransferredImage } from './play-role.js';
export { receiveImage, type ReceiveImageOptions } from './receive-image.js';
export { sendImage, type SendImageOptions } from './send-image.js';
export { TransferError } from './transfer-error.js';
export type { TransferEvent } from './transfer-event.js';
export type { ConnectionState, TransferStatus } from './transfer-status.js';
export type { Digest } from './wire.js';
