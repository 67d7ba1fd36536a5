// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type CommandTable, defineTable, type Parameters, printing } from '../command-line/command-table.js';
import { flag, optional, required } from '../command-line/parameter.js';
import { file, text } from '../command-line/value-type.js';
import { sentence } from '../command-line/wrapped-text.js';
import { controlDirectoryOption, imageName, minorNumber, processId } from '../control-values.js';

const anyDaemon = { pid: optional(processId, { short: 'p', help: 'Ask only this daemon.' }) } as const;
const theDaemon = optional(processId, {
  short: 'p',
  help: "The daemon's process id.",
  defaultText: 'the only daemon in the control directory',
});
const json = { json: flag({ help: 'Print JSON.' }) } as const;
const oneDisk = {
  pid: required(processId, { short: 'p', help: "The daemon's process id." }),
  minor: required(minorNumber, { short: 'm', help: "The disk's minor number." }),
} as const;

export const listTable = printing(
  ctlTable('list', 'list the disks of daemons', {
    ...anyDaemon,
    minor: optional(minorNumber, { short: 'm', help: 'List only disks with this minor number.' }),
    type: optional(text('TYPE'), { short: 't', help: 'List only disks with this driver.' }),
    file: optional(text('FILE'), { short: 'f', help: 'List only disks with this file.' }),
    ...json,
  }),
);

export const pidTable = printing(
  ctlTable('pid', 'list the process ids of daemons', { ...anyDaemon, ...json }),
);

export const attachTable = ctlTable('attach', 'attach a closed disk to a daemon', oneDisk);

export const openTable = ctlTable('open', 'open an image as an attached disk', {
  ...oneDisk,
  args: required(imageName, { short: 'a', help: 'The driver and the file, for example aio:/srv/disk.img.' }),
  readOnly: flag({ short: 'R', help: 'Open it read-only.' }),
  shared: flag({ help: 'Open it shared.' }),
  ...json,
});

export const closeTable = ctlTable('close', 'close a disk', oneDisk);

export const detachTable = ctlTable('detach', 'detach a closed disk', oneDisk);

export const pauseTable = ctlTable('pause', 'pause a disk once its requests have completed', oneDisk);

export const unpauseTable = ctlTable('unpause', 'resume a paused disk', {
  ...oneDisk,
  args: optional(imageName, { short: 'a', help: 'Reopen it with this driver and file.' }),
});

export const snapshotTable = defineTable({
  name: 'snapshot',
  summary: 'switch a disk in use to a new child of its image',
  description: [
    "Creates CHILD, a differencing image whose parent is the disk's image, then pauses the disk, switches it to CHILD, and reports how long it was paused. From then on nothing is written to the parent. Works only on disks with the driver vhd.",
    'If the daemon does not accept CHILD, the disk keeps its image, and CHILD is deleted.',
  ],
  arguments: {
    minor: required(minorNumber, { help: "The disk's minor number." }),
    child: required(file('CHILD'), { help: 'The new image.' }),
  },
  options: {
    pid: theDaemon,
    ...json,
    controlDirectory: controlDirectoryOption,
  },
  exitStatus: { 0: 'Done.', 1: 'A daemon refused or could not be reached, or CHILD could not be created.' },
});

export const resizeTable = defineTable({
  name: 'resize',
  summary: 'grow a disk to the size of its image',
  description: [
    'Grows an open disk to the current size of its file or block device. NBD clients that connect afterwards see the new size; connected clients keep the old one. A disk cannot shrink. Works only on disks with the driver aio; resize a VHD with vhd resize while its disk is paused.',
  ],
  arguments: { minor: required(minorNumber, { help: "The disk's minor number." }) },
  options: {
    pid: theDaemon,
    ...json,
    controlDirectory: controlDirectoryOption,
  },
  exitStatus: { 0: 'Done.', 1: 'A daemon refused or could not be reached.' },
});

export const statsTable = printing(
  ctlTable('stats', 'print the statistics of daemons', { ...anyDaemon, ...json }),
);

/** All of them speak to daemons through a control directory, and fail alike. */
function ctlTable<const Options extends Parameters>(
  name: string,
  summary: string,
  options: Options,
): CommandTable<Options & { readonly controlDirectory: typeof controlDirectoryOption }, {}> {
  return defineTable({
    name,
    summary,
    description: [sentence(summary)],
    arguments: {},
    options: { ...options, controlDirectory: controlDirectoryOption },
    exitStatus: { 0: 'Done.', 1: 'A daemon refused or could not be reached.' },
  });
}
