// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** Called once with a call's result: 0 or more, or a negative errno. */
export type FileDone = (result: number) => void;

/** What kind of file it is. */
export type FileType = 'regular' | 'block' | 'character' | 'directory' | 'link' | 'fifo' | 'socket' | 'other';

/** What stat says of a file. */
export interface FileStatus {
  readonly kind: FileType;
  /** In bytes; of a regular file. */
  readonly size: number;
  /** Major and minor number of a block device, `7:0`. */
  readonly device: string;
  /** Identifies the file together with {@link fileSystem}, as long as it exists. */
  readonly inode: number;
  /** The file system that it is on. */
  readonly fileSystem: number;
  /** The permission bits, with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** The last change of the data, in seconds since 1970. */
  readonly modifiedSeconds: number;
  /** The last change of data or status, which nobody can set back, in seconds since 1970. */
  readonly changedSeconds: number;
}

/** Called once with 0 and the status, or with a negative errno. */
export type StatusDone = (result: number, status?: FileStatus) => void;

/**
 * Called once with 0 and the names without `.` and `..`, in no particular order, or with a negative errno: -EILSEQ when one is
 * not UTF-8.
 */
export type NamesDone = (result: number, names?: readonly string[]) => void;

/** Called once with 0 and the path, or with a negative errno: -EILSEQ when it is not UTF-8. */
export type PathDone = (result: number, path?: string) => void;

/**
 * The file calls, each like the system call of its name. None waits; each completes on the scheduler.
 *
 * Descriptors of files are the kernel's, not numbers of the project's descriptor table. Flags and modes are those of
 * `node:fs`'s constants. What is read and written is in memory until it is synced: fdatasync and fsync make a file's
 * content durable, {@link syncDirectory} what was created, renamed, linked or unlinked in a directory.
 *
 * No call throws: an argument that cannot be is -EINVAL, and a range that ends beyond 2^53 - 1, where numbers have gaps,
 * is -EFBIG.
 */
export interface FileCalls {
  stat(path: string, done: StatusDone): void;
  /** stat of a link itself. */
  lstat(path: string, done: StatusDone): void;
  realpath(path: string, done: PathDone): void;
  /** Completes with a descriptor. `mode` is for a file that is created, less the umask; 0o666 without it. */
  open(path: string, flags: number, done: FileDone, mode?: number): void;
  fstat(fd: number, done: StatusDone): void;
  /** Reads into `buffer`; the result may be less than its length, and is 0 at the end of the file. */
  read(fd: number, buffer: Uint8Array, position: number, done: FileDone): void;
  /** The result may be less than the length. */
  write(fd: number, buffer: Uint8Array, position: number, done: FileDone): void;
  fdatasync(fd: number, done: FileDone): void;
  fsync(fd: number, done: FileDone): void;
  ftruncate(fd: number, length: number, done: FileDone): void;
  fchmod(fd: number, mode: number, done: FileDone): void;
  fchown(fd: number, uid: number, gid: number, done: FileDone): void;
  /**
   * Allocates the blocks of a range and grows the file to hold it, with zeroes where nothing was (posix_fallocate).
   * -EOPNOTSUPP where that cannot be done; nothing is changed then.
   */
  allocate(fd: number, offset: number, length: number, done: FileDone): void;
  /**
   * Gives the blocks of a range back to the file system; the range reads as zeroes then, and the size stays (fallocate
   * with FALLOC_FL_PUNCH_HOLE and FALLOC_FL_KEEP_SIZE). -EOPNOTSUPP where that cannot be done, for whatever reason.
   */
  punchHole(fd: number, offset: number, length: number, done: FileDone): void;
  close(fd: number, done: FileDone): void;
  rename(from: string, to: string, done: FileDone): void;
  /** A second name for a file; -EEXIST when there is a file of that name. */
  link(existing: string, path: string, done: FileDone): void;
  unlink(path: string, done: FileDone): void;
  mkdir(path: string, mode: number, done: FileDone): void;
  readdir(path: string, done: NamesDone): void;
  /** Makes the names in a directory durable: open, fsync, close. */
  syncDirectory(path: string, done: FileDone): void;
}
