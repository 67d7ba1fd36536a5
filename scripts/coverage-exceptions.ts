// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What no test runs outside of the folders that are covered whole, and why: `npm run coverage` fails at anything else.

interface Exception {
  readonly reason: string;
  /** How code begins that is not run, in whatever file. */
  readonly anywhere?: RegExp;
  /** The same by file below src/. */
  readonly files?: Readonly<Record<string, readonly string[]>>;
}

const EXCEPTIONS: readonly Exception[] = [
  {
    reason: 'An index, a match, an option or a member is always there, which its type does not tell.',
    anywhere: /^(?:\[\]|''|0|80|'unknown')[),;]/,
    files: {
      'conformance/scripted-sockets.ts': ['option', 'command'],

      'conformance/outcome-shape.ts': ['continue'],
      'conformance/vector-shape.ts': ['return;'],
      'conformance/error-names.ts': ['? result'],
      'daemon/services.ts': ['address'],
      'nbd/nbd-address.ts': ['`host '],
      'nbd/sender.ts': ['gathered.subarray(0, 0)'],
      'transfer/connection.ts': ['? this.struct.sa'],
      'transfer/primary.ts': ['this.#connection.address'],
      'disks/vbd.ts': ['done(0)'],
    },
  },
  {
    reason: 'An error that nobody foresaw is thrown on.',
    anywhere: /^(?:throw error;|code !== '\w+'.*throw error;$)/,
    files: {
      'conformance/vector-selection.ts': ['catch (error) {'],
      'conformance/suite-run.ts': [': String(error)'],
    },
  },
  {
    reason: 'A function that is there so that somebody else need not ask whether it is.',
    anywhere: /^\((?:.*)\)(?:: void)? => (?:\{\}|false)/,
    files: {
      'conformance/scripted-poller.ts': ['shorten(): void {}'],
      'conformance/traced-registrar.ts': ['setMaxTimeout('],
      'testing/select-once.ts': ['get nfds()', '(a, b) => a - b'],
    },
  },
  {
    reason: 'Only a fault of ours leads there.',
    files: {
      'conformance/scheduler-driver.ts': ['throw new Error('],
      'nbd/client.ts': ["throw new Error('an NBD client before its handshake')"],
      'transfer/receiving.ts': ["throw new Error('an end without an ending')", '? -errno.EBADF'],
      'transfer/sending.ts': ["throw new Error('complete before the end of the image')"],
      'disks/request-queue.ts': ['throw new Error('],
      'disks/request.ts': ['function orphaned()'],
      'disks/stack.ts': ["throw new Error('a stack without a driver')"],
      'daemon/daemon.ts': ['catch (error) {'],
      'testing/simulation/life.ts': ['catch (error) {'],
      'testing/simulation/replica-node.ts': ['get name()', '(error: unknown) =>'],
      'testing/simulation/simulate.ts': ['scene.violations.add(', 'violations.add('],
    },
  },
  {
    reason: 'It comes between two steps, or after the last one, at a moment that no test can choose.',
    files: {
      'conformance/adapter-process.ts': ['this.#fail(this.#failure)'],
      'control/control-connection.ts': ['return count', 'return started', 'return ready'],
      'control/requests.ts': [': errno.EINVAL'],
      'cli/daemon/daemon-command.ts': ["'none'"],
      'server/exchange.ts': ['return;', 'return undefined;', 'this.#peerGone'],
      'disks/drivers/file-program.ts': ['return;', 'undefined, `${program} ended with'],
      'nbd/connection.ts': ['return;', '{'],
      'nbd/transmission.ts': ['return;'],
      'status/status-client.ts': ['return;', 'check(', '? undefined : await'],
      'transfer/backup.ts': ['return;'],
      'transfer/connection.ts': ['? null : formatAddress(peer)'],
      'transfer/output-file.ts': ['return;'],
      'transfer/pump.ts': ['return;'],
      'transfer/receiving.ts': ['return;', '?.stop()'],
      'transfer/sending.ts': ['return;', ';', "?.kind === 'error'", 'return this.#judge(verdict)'],
      'cli/status/status-command.ts': ["answer.code !== 'ENOENT'", 'return answer;'],
      'testing/simulated-poller.ts': ['return;'],
      'testing/simulated-posix.ts': ['return;'],
      'testing/simulation/replica-node.ts': ['return;'],
      'testing/simulation/session.ts': ['return;'],
    },
  },
  {
    reason:
      'There is no event, descriptor or place left, or a call of the system fails that does not fail here.',
    files: {
      'posix/node/files.ts': [': -errno.EIO'],
      'disks/drivers/image-size.ts': [': -errno.EIO', '-errno.EIO'],
      'transfer/connection.ts': ['? errno.EBUSY'],
      'transfer/output-file.ts': ['catch (error) {'],
      'transfer/output-standard.ts': ['reject(error)'],
      'transfer/primary.ts': ["this.#fail(new TransferError(errnoCode(this.#retryEvent), 'cannot wait'))"],
      'transfer/receiving.ts': [
        'return this.#outputFailed(this.#outputFd)',
        'return this.#failed(new TransferError(',
        'this.#broken(errnoCode(id)',
      ],
      'transfer/refusal.ts': ['onEnd()'],
      'transfer/sending.ts': ['return this.#fail(this.#inputFd', "this.#fail(id, 'cannot watch"],
    },
  },
  {
    reason: 'Members of a kind whose others are in use.',
    files: {
      'testing/endpoint.ts': ["this.state === 'finished'"],
      'testing/machine.ts': ['() => from.lost()'],
      'testing/segment.ts': ["case 'SYN'"],
    },
  },
  {
    reason: 'A clone and a package of this project have vectors.',
    files: { 'cli/conformance/conformance-command.ts': ['throw new UsageError('] },
  },
  {
    reason: 'The process that runs it is ended on the spot, before it could tell what it ran.',
    files: {
      'cli/transfer/run-transfer.ts': ['process.exit(', ' finally {'],
    },
  },
];

/** Whether code that begins like this need not have been run. */
export function isExcepted(file: string, code: string): boolean {
  const inSource = file.replace(/^src\//, '');
  return EXCEPTIONS.some(
    ({ anywhere, files }) =>
      anywhere?.test(code) === true || files?.[inSource]?.some((start) => code.startsWith(start)) === true,
  );
}
