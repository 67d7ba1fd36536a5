// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

export { ControlClient, ControlError } from './control-client.js';
export type { ListedVbd } from './control-client.js';
export { controlSocketPath, defaultControlDirectory, listedPids } from './control-directory.js';
export {
  ControlServer,
  MAX_CONTROL_CONNECTIONS,
  MAX_PENDING_REQUESTS,
  SLOW_CLIENT_SECONDS,
} from './control-server.js';
export type { ControlServerOptions } from './control-server.js';
export { ControlMessage, MESSAGE_BYTES } from './message.js';
export type { ImageBody, ListBody, ParametersBody, ReportBody, ResponseBody } from './message.js';
export * from './message-type.js';
export * from './replication-request.js';
export type { ControlTarget } from './requests.js';
