// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errnoName, errnoNumber } from '../posix/errno.js';

/** Errors that Linux has and Node has no number for. A script may name them all the same. */
const UNKNOWN_TO_NODE = (
  'EADV EBADE EBADFD EBADR EBADRQC EBADSLT EBFONT ECHRNG ECOMM EDOTDOT EHOSTDOWN EHWPOISON EISNAM ' +
  'EKEYEXPIRED EKEYREJECTED EKEYREVOKED EL2HLT EL2NSYNC EL3HLT EL3RST ELIBACC ELIBBAD ELIBEXEC ELIBMAX ELIBSCN ' +
  'ELNRNG EMEDIUMTYPE ENAVAIL ENOANO ENOCSI ENOKEY ENOMEDIUM ENONET ENOPKG ENOTBLK ENOTNAM ENOTRECOVERABLE ' +
  'ENOTUNIQ EOWNERDEAD EPFNOSUPPORT EREMCHG EREMOTE EREMOTEIO ERESTART ERFKILL ESHUTDOWN ESOCKTNOSUPPORT ESRMNT ' +
  'ESTRPIPE ETOOMANYREFS EUCLEAN EUNATCH EUSERS EXFULL'
).split(' ');

/** Above every system's own numbers. */
const FIRST_PRIVATE_NUMBER = 10_000;

/** The positive number that stands for an errno name in a scripted run; undefined for anything else. */
export function scriptedErrno(name: string): number | undefined {
  const known = errnoNumber(name);
  if (known !== undefined) return known;
  const index = UNKNOWN_TO_NODE.indexOf(name);
  return index < 0 ? undefined : FIRST_PRIVATE_NUMBER + index;
}

/** A call's result as in a trace: a number, or `"-ECONNREFUSED"` for a negative errno. */
export function tracedResult(result: number): number | string {
  if (result >= 0) return result;
  const name = errnoName(result) ?? UNKNOWN_TO_NODE[-result - FIRST_PRIVATE_NUMBER];
  return name === undefined ? result : `-${name}`;
}

/** The numbers of getaddrinfo's errors, made up as needed: a script may use any name that starts with `EAI_`. */
export class ResolverErrors {
  readonly #names: string[] = [];

  /** A negative number for the name. */
  number(name: string): number {
    const index = this.#names.indexOf(name);
    return index < 0 ? -this.#names.push(name) : -1 - index;
  }
}
