// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

interface Watched {
  readonly listeners: Set<() => void>;
  readonly onAbort: () => void;
}

const watched = new WeakMap<AbortSignal, Watched>();

/**
 * Calls `listener` once when the signal is aborted; not if it is already, as with addEventListener.
 *
 * However many use one signal, it has one listener of ours: Node warns of a leak from the eleventh on.
 *
 * @returns how to stop that; idempotent
 */
export function whenAborted(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (signal === undefined) return () => {};
  const { listeners, onAbort } = watched.get(signal) ?? watch(signal);
  // One of its own, so that the same function can be given several times.
  const own = (): void => listener();
  listeners.add(own);
  return () => {
    if (!listeners.delete(own) || listeners.size > 0) return;
    signal.removeEventListener('abort', onAbort);
    watched.delete(signal);
  };
}

function watch(signal: AbortSignal): Watched {
  const listeners = new Set<() => void>();
  const onAbort = (): void => {
    const all = [...listeners];
    listeners.clear();
    const errors: unknown[] = [];
    for (const listener of all) {
      try {
        listener();
      } catch (error) {
        errors.push(error);
      }
    }
    // One that throws must not keep the others from being called.
    if (errors.length > 0) throw errors[0];
  };
  const made = { listeners, onAbort };
  watched.set(signal, made);
  signal.addEventListener('abort', onAbort, { once: true });
  return made;
}
