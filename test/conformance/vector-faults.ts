// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { parseVectorFile } from '../../src/conformance/vector-file.js';

/** The faults of a file that holds the value, as [vector, member, message]. */
export function faultsOf(content: unknown): (string | undefined)[][] {
  return parseVectorFile('file.json', JSON.stringify(content)).flatMap((item) =>
    item.kind === 'fault' ? [[item.fault.vector, item.fault.member, item.fault.message]] : [],
  );
}
