// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { nodeTimers, type TimerHandle, type Timers } from '../timers.js';

/** How long a program may take that helps out with a call, in seconds. It needs milliseconds, on a loaded host more. */
export const PROGRAM_SECONDS = 30;
/** How much of what a program writes to its standard error is passed on, in characters. */
const MAX_ERROR_TEXT = 256;
/** How long its output may stay open once its group is gone, in seconds: a process that has left the group may hold it. */
const OUTPUT_SECONDS = 1;

/** A program's exit status, or undefined when it had none, and in words how it ended. */
export type ProgramEnded = (status: number | undefined, how: string) => void;

/** The groups whose end nobody has seen to: they end with this process at the latest. */
const groups = new Set<number>();
let endsGroups = false;

/**
 * Starts a program as the first of a process group of its own. To be ended by {@link endGroup}, which ends those too that
 * it has started; otherwise that happens when this process exits.
 *
 * @param onFailure called, after the return, if the program cannot be started for any reason
 * @returns undefined when it cannot be started
 */
export function startGroup(
  program: string,
  args: readonly string[],
  options: SpawnOptions,
  onFailure: (error: Error) => void,
): ChildProcess | undefined {
  let child: ChildProcess;
  try {
    child = spawn(program, args, { ...options, detached: true, windowsHide: true });
  } catch (error) {
    // Some errors of the system call Node throws (ETXTBSY, ENOMEM, E2BIG), others are an event.
    process.nextTick(onFailure, error);
    return undefined;
  }
  child.on('error', onFailure);
  if (child.pid === undefined) return undefined;
  groups.add(child.pid);
  if (!endsGroups) process.on('exit', endGroups);
  endsGroups = true;
  return child;
}

/** Kills all that is left of a program's group, at once. */
export function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined || !groups.delete(pid)) return;
  kill(pid);
}

/**
 * Runs a program to its end. One that is not done in time is killed with its group; `done` is called once, in any case when
 * the program is gone, so that nothing of what it does can happen later. If the third of `stdio` is a pipe, `done` gets the
 * beginning of what the program has written there, too.
 *
 * @param name what it is called in words; the program unless given
 * @param onOutput gets its output (the second of `stdio` is a pipe) piece by piece, before `done`; false ends the program
 */
export function runProgram(
  [program, ...args]: readonly [string, ...string[]],
  options: SpawnOptions & {
    readonly name?: string;
    readonly seconds?: number;
    readonly onOutput?: (text: string) => boolean;
  },
  done: ProgramEnded,
  timers: Timers = nodeTimers,
): void {
  const { name = program, seconds = PROGRAM_SECONDS, onOutput, ...spawnOptions } = options;
  const child = startGroup(program, args, spawnOptions, ({ message }) =>
    done(undefined, `${name} does not start: ${message}`),
  );
  if (!child) return;
  let late = false;
  let exit: { readonly status: number | null; readonly signal: string | null } | undefined;
  let errors = '';
  let isOver = false;
  let outputTimer: TimerHandle | undefined;
  const over = (): void => {
    if (isOver || !exit) return;
    isOver = true;
    timers.clearTimeout(timer);
    if (outputTimer) timers.clearTimeout(outputTimer);
    endGroup(child);
    child.stdout?.destroy();
    child.stderr?.destroy();
    const { status, signal } = exit;
    const how = late ? `was not done within ${seconds} s` : `ended with ${signal ?? `status ${status}`}`;
    const why = errors.trim() === '' ? '' : `: ${errors.trim()}`;
    done(late ? undefined : (status ?? undefined), `${name} ${how}${why}`);
  };
  const awaitOutput = (): void => {
    outputTimer = timers.setTimeout(over, OUTPUT_SECONDS * 1000);
  };
  const timer = timers.setTimeout(() => {
    late = true;
    endGroup(child);
    if (exit) awaitOutput();
  }, seconds * 1000);
  child.stdout?.setEncoding('latin1').on('data', (text: string) => {
    if (onOutput?.(text) === false) endGroup(child);
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(0, MAX_ERROR_TEXT);
  });
  child.on('exit', (status, signal) => {
    exit = { status, signal };
    // Its children may continue its output, but its error text ends with it.
    if (onOutput && !late) return;
    timers.clearTimeout(timer);
    endGroup(child);
    if (onOutput || child.stderr) awaitOutput();
    else over();
  });
  child.on('close', over);
}

function endGroups(): void {
  for (const pid of groups) kill(pid);
}

function kill(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // It is gone, or has become another user's, as one with setuid may: there is nothing more to do about it.
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}
