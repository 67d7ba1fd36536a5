// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** Installs handlers for the signals of this process until it is disposed of; without it the signals do what they did. */
export function onSignals(handlers: Partial<Record<NodeJS.Signals, () => void>>): Disposable {
  const installed = Object.entries(handlers) as [NodeJS.Signals, () => void][];
  for (const [signal, handler] of installed) process.on(signal, handler);
  return {
    [Symbol.dispose]() {
      for (const [signal, handler] of installed) process.off(signal, handler);
    },
  };
}
