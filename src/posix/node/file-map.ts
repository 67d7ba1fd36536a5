// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { statfs } from 'node:fs';
import type { HolesDone, ReadHoles } from '../file-holes.js';
import { DataLines } from './data-lines.js';
import { ExtentLines } from './extent-lines.js';
import { MAX_EXTENTS, type MapLines } from './map-lines.js';
import { runProgram } from './program.js';
import type { TaskQueue } from './task-queue.js';

/** The programs that read maps, looked for in PATH unless they are paths. */
export interface MapPrograms {
  /** e2fsprogs' filefrag(8), which makes the ioctl FIEMAP. */
  readonly filefrag: string;
  /** perl(1), which passes SEEK_DATA and SEEK_HOLE on to lseek(2). */
  readonly perl: string;
  /** Reading a map may take so long with either: what waits in memory is written to the disk first. */
  readonly seconds: number;
}

export const MAP_PROGRAMS: MapPrograms = { filefrag: 'filefrag', perl: 'perl', seconds: 10 };

/**
 * Prints the data of the file that is its descriptor 3, opened anew: the offset of the open file is shared with those that
 * gave it. The file is synced first, since a file system in user space, which is asked for SEEK_DATA, may not have what the
 * kernel still holds. 0 is O_RDONLY; 3 and 4 are SEEK_DATA and SEEK_HOLE; 6 is ENXIO: no data follows.
 */
const SEEK_SCRIPT = `
  use IO::Handle;
  my ($limit, $end, $count) = ($ARGV[0], 0, 0);
  (sysopen(FILE, '/proc/self/fd/3', 0) && FILE->sync) || exit 2;
  while ($count < $limit) {
    my $start = sysseek(FILE, $end, 3);
    if (!defined $start) {
      $! == 6 || exit 3;
      print "end $count\\n";
      exit 0;
    }
    $end = sysseek(FILE, $start, 4) || exit 4;
    printf "data %d %d\\n", $start, $end;
    $count++;
  }
`;

/**
 * File systems of this host, by their numbers in statfs(2), whose times of change show at once that another process has filled
 * a hole, also through mapped memory: ext4, XFS, Btrfs, tmpfs.
 */
const SHOWING_CHANGES: ReadonlySet<number> = new Set([0xef53, 0x58465342, 0x9123683e, 0x01021994]);
const ZFS = 0x2fc12fc1;

/**
 * Reads maps with the kernel's FIEMAP or, where the file system or the program is missing that, with SEEK_DATA and
 * SEEK_HOLE, after what was written has been given its places. Node has neither call: programs make them.
 *
 * What was written before the call is in no hole, unless it was made one meanwhile; of what is written during the call
 * nothing is certain. With FIEMAP, a range that was allocated ahead counts as data. All after `MAX_EXTENTS` extents counts as
 * data. The last hole has no end.
 */
export function holeReader(tasks: TaskQueue, programs: Partial<MapPrograms> = {}): ReadHoles {
  const { filefrag, perl, seconds } = { ...MAP_PROGRAMS, ...programs };
  const fiemap = [filefrag, '-v', '-s', '-b1', '/proc/self/fd/3'] as const;
  const seek = [perl, '-e', SEEK_SCRIPT, `${MAX_EXTENTS}`] as const;
  /** Why filefrag has failed, which it need not do again. */
  let failure: string | undefined;
  return (fd, othersWrite, done) => {
    const post: HolesDone = (holes) => tasks.post(() => done(holes));
    const askSeek = (before: string): void =>
      whySeekIsUnsafe(fd, othersWrite, (reason) => {
        const answered: HolesDone = (holes) =>
          post(typeof holes === 'string' ? `${before}; ${holes}` : holes);
        if (reason === undefined) runMap(seek, fd, seconds, new DataLines(), answered);
        else answered(reason);
      });
    if (failure !== undefined) {
      askSeek(failure);
      return;
    }
    runMap(fiemap, fd, seconds, new ExtentLines(), (holes) => {
      if (typeof holes !== 'string') {
        post(holes);
        return;
      }
      failure = holes;
      askSeek(holes);
    });
  };
}

function runMap(
  command: readonly [string, ...string[]],
  fd: number,
  seconds: number,
  lines: MapLines,
  done: HolesDone,
): void {
  runProgram(
    command,
    {
      stdio: ['ignore', 'pipe', 'ignore', fd],
      // Nothing else, so that no setting changes what the program does or prints.
      env: { PATH: process.env['PATH'], LC_ALL: 'C' },
      seconds,
      onOutput: (text) => lines.take(text),
    },
    (status, how) => done(status === 0 || lines.isFull ? lines.holes() : how),
  );
}

/** Completes with the reason, for people, why holes that are found with SEEK_HOLE could be wrong, or with undefined. */
function whySeekIsUnsafe(fd: number, othersWrite: boolean, done: (reason: string | undefined) => void): void {
  statfs(`/proc/self/fd/${fd}`, (error, found) => {
    if (error) done(`cannot determine its file system: ${error.message}`);
    else if (found.type === ZFS)
      done('ZFS has versions whose SEEK_HOLE finds holes where data is (OpenZFS issue 15526)');
    else if (othersWrite && !SHOWING_CHANGES.has(found.type))
      done('others may write to it, which its file system may not show at once');
    else done(undefined);
  });
}
