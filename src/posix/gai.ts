// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** What getaddrinfo and resolve return instead of addresses, with glibc's numbers (all negative). */
export const EAI_BADFLAGS = -1;
export const EAI_NONAME = -2;
export const EAI_AGAIN = -3;
export const EAI_FAIL = -4;
export const EAI_NODATA = -5;
export const EAI_FAMILY = -6;
export const EAI_SOCKTYPE = -7;
export const EAI_SERVICE = -8;
export const EAI_ADDRFAMILY = -9;
export const EAI_MEMORY = -10;
export const EAI_SYSTEM = -11;
export const EAI_OVERFLOW = -12;

const codes = new Map<number, readonly [name: string, text: string]>([
  [EAI_BADFLAGS, ['EAI_BADFLAGS', 'Bad value for ai_flags']],
  [EAI_NONAME, ['EAI_NONAME', 'Name or service not known']],
  [EAI_AGAIN, ['EAI_AGAIN', 'Temporary failure in name resolution']],
  [EAI_FAIL, ['EAI_FAIL', 'Non-recoverable failure in name resolution']],
  [EAI_NODATA, ['EAI_NODATA', 'No address associated with hostname']],
  [EAI_FAMILY, ['EAI_FAMILY', 'ai_family not supported']],
  [EAI_SOCKTYPE, ['EAI_SOCKTYPE', 'ai_socktype not supported']],
  [EAI_SERVICE, ['EAI_SERVICE', 'Servname not supported for ai_socktype']],
  [EAI_ADDRFAMILY, ['EAI_ADDRFAMILY', 'Address family for hostname not supported']],
  [EAI_MEMORY, ['EAI_MEMORY', 'Memory allocation failure']],
  [EAI_SYSTEM, ['EAI_SYSTEM', 'System error']],
  [EAI_OVERFLOW, ['EAI_OVERFLOW', 'Result too large for supplied buffer']],
]);

/** The name of a code (`EAI_NONAME`), or undefined for an unknown one. */
export function gaiName(code: number): string | undefined {
  return codes.get(code)?.[0];
}

/** The text of a code, as glibc words it; `Unknown error` for an unknown one (C: gai_strerror). */
export function gaiStrerror(code: number): string {
  return codes.get(code)?.[1] ?? 'Unknown error';
}
