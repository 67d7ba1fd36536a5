// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { FLAG_READ_ONLY, FLAG_SHARED } from '../../control/message-type.js';
import type { Values } from '../command-line/command-table.js';
import { ctlRun, onlyDaemon } from './ctl-context.js';
import type {
  attachTable,
  closeTable,
  detachTable,
  openTable,
  pauseTable,
  resizeTable,
  unpauseTable,
} from './ctl-tables.js';

export const runAttach = ctlRun<Values<typeof attachTable>>('attach', ({ pid, minor }, { client }) =>
  client.attach(pid, minor),
);

export const runOpen = ctlRun<Values<typeof openTable>>('open', async (values, { client, print }) => {
  const flags = (values.shared ? FLAG_SHARED : 0) | (values.readOnly ? FLAG_READ_ONLY : 0);
  const image = await client.open(values.pid, values.minor, values.args, flags);
  if (values.json) print(JSON.stringify(image));
});

export const runClose = ctlRun<Values<typeof closeTable>>('close', ({ pid, minor }, { client }) =>
  client.close(pid, minor),
);

export const runDetach = ctlRun<Values<typeof detachTable>>('detach', ({ pid, minor }, { client }) =>
  client.detach(pid, minor),
);

export const runPause = ctlRun<Values<typeof pauseTable>>('pause', ({ pid, minor }, { client }) =>
  client.pause(pid, minor),
);

export const runUnpause = ctlRun<Values<typeof unpauseTable>>('unpause', (values, { client }) =>
  client.resume(values.pid, values.minor, values.args),
);

export const runResize = ctlRun<Values<typeof resizeTable>>('resize', async (values, context) => {
  const { client, print, directory } = context;
  const image = await client.resize(values.pid ?? onlyDaemon(directory), values.minor);
  if (values.json) print(JSON.stringify(image));
  else print(`disk ${values.minor} has ${image.sectors} sectors of ${image.sectorSize} bytes`);
});
