// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

interface Installed {
  /** In the order in which they were installed. */
  readonly handlers: Set<() => void>;
  readonly listener: () => void;
}

const installed = new Map<NodeJS.Signals, Installed>();

/**
 * Installs handlers for the signals of this process until it is disposed of; without it the signals do what they did.
 * However many have a handler for a signal, the process has one listener of ours for it: Node warns of a leak from the
 * eleventh on.
 */
export function onSignals(handlers: Partial<Record<NodeJS.Signals, () => void>>): Disposable {
  const removals = (Object.entries(handlers) as [NodeJS.Signals, () => void][]).map(([signal, handler]) =>
    install(signal, handler),
  );
  return {
    [Symbol.dispose]() {
      for (const remove of removals) remove();
    },
  };
}

function install(signal: NodeJS.Signals, handler: () => void): () => void {
  const { handlers, listener } = installed.get(signal) ?? listenTo(signal);
  const own = (): void => handler();
  handlers.add(own);
  return () => {
    if (!handlers.delete(own) || handlers.size > 0) return;
    process.off(signal, listener);
    installed.delete(signal);
  };
}

function listenTo(signal: NodeJS.Signals): Installed {
  const handlers = new Set<() => void>();
  const listener = (): void => {
    for (const handler of [...handlers]) handler();
  };
  const made = { handlers, listener };
  installed.set(signal, made);
  process.on(signal, listener);
  return made;
}
