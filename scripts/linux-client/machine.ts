// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Actor } from '../demo/actor.js';

/** Without hardware's help the machine takes less than a minute here; after so long it has hung. */
const MACHINE_TIMEOUT_MS = 600_000;
/** Under this address QEMU's user network has its host's loopback. */
const HOST_SEEN_FROM_INSIDE = '10.0.2.2';

/** Runs the daemon with an image, `TYPE:FILE`, as its disk 0, `use` with the port where it is served, and ends the daemon. */
export async function withDaemon<T>(
  directory: string,
  image: string,
  use: (port: string) => Promise<T>,
): Promise<T> {
  const argv = ['--control-directory', directory, '--disk', `0=${image}`, '--nbd', '127.0.0.1:0'];
  const daemon = new Actor('daemon', ['daemon', ...argv]);
  try {
    const ready = await daemon.line(/^ready/);
    daemon.onReport(({ line }) => console.error(line));
    return await use(/nbd=127\.0\.0\.1:(\d+)/.exec(ready)?.[1] ?? '');
  } finally {
    daemon.kill();
    await daemon.exit;
  }
}

/** A machine, which the daemon's port is told. */
export interface Machine {
  readonly kernel: string;
  readonly initramfs: string;
  readonly port: string;
  /** Done when the machine has printed a result that begins with `ask`, before it goes on. */
  readonly onAsk?: (name: string) => Promise<void>;
}

/** Runs the machine to its end, showing what it prints; returns the results that it told, by name. */
export async function runMachine({ kernel, initramfs, port, onAsk }: Machine): Promise<Map<string, string>> {
  const argv = ['-m', '512', '-nographic', '-no-reboot', '-nic', 'user,model=e1000'];
  // A busy host keeps the emulated timer from ticking as soon as the kernel wants to see it tick.
  const settings = `console=ttyS0 quiet panic=-1 no_timer_check HOST=${HOST_SEEN_FROM_INSIDE} PORT=${port}`;
  const boot = ['-kernel', kernel, '-initrd', initramfs, '-append', settings];
  const machine = spawn('qemu-system-x86_64', [...argv, ...boot], {
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: MACHINE_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  let output = '';
  let asked = 0;
  let failure: Error | undefined;
  machine.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    process.stdout.write(text);
    const asks = [...output.matchAll(/^RESULT ask (\S+)\r?\n/gm)];
    for (const [, name = ''] of asks.slice(asked)) {
      asked++;
      Promise.resolve(onAsk?.(name)).then(
        () => machine.stdin.write('\n'),
        (error: Error) => {
          failure = error;
          machine.kill('SIGKILL');
        },
      );
    }
  });
  await once(machine, 'close');
  if (failure) throw failure;
  return new Map(
    [...output.matchAll(/^RESULT (\S+) (\S+)/gm)].map(([, name = '', value = '']) => [name, value]),
  );
}
