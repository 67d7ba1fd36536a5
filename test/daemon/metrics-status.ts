// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { get, type RequestOptions } from 'node:http';

/** The HTTP status of `/metrics` at an address, by a request that is for this host. */
export function metricsStatus(where: RequestOptions, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get({ ...where, path: '/metrics', headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    }).on('error', reject);
  });
}
