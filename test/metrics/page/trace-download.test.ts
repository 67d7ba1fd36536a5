// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t, { type Test } from 'tap';
import { ObserverList } from '../../../src/metrics/combined-observer.js';
import { StreamedAnswers } from '../../../src/metrics/page/streamed-answers.js';
import { traceDownload } from '../../../src/metrics/page/trace-download.js';
import { Recording } from '../../../src/metrics/recording.js';
import { POLL_READ_FD } from '../../../src/scheduler/index.js';
import { nullLogger } from '../../../src/server/logger.js';
import { ManualClock } from '../../control/world.js';
import { endpoint } from '../endpoint.js';
import { checkedTrace } from '../trace-rules.js';

/** What is registered at second 0 and at second 10, to be downloaded by as many clients at once. */
function world(t: Test, limit: number) {
  const clock = new ManualClock();
  const observers = new ObserverList();
  const recording = new Recording(observers, { clock, name: 'test' });
  const port = endpoint(t, {
    page: (parts) => {
      const downloads = new StreamedAnswers({ ...parts, logger: nullLogger, limit });
      return new Map([['/trace.json', traceDownload(recording, downloads)]]);
    },
  });
  const fetched = (query = ''): Promise<Response> => fetch(`http://127.0.0.1:${port}/trace.json${query}`);
  const record = (): Disposable => {
    const hold = recording.hold();
    for (const fd of [1, 2]) {
      observers.registered({ id: fd, mode: POLL_READ_FD, fd, timeoutSeconds: 0, deadlineSeconds: 0 });
      clock.seconds += 10;
    }
    return hold;
  };
  return { fetched, record };
}

t.test('a download goes back as many seconds as are asked for; all, if that is no time', async (t) => {
  const { fetched, record } = world(t, 1);
  using _hold = record();
  const fds = async (query?: string): Promise<unknown[]> =>
    checkedTrace(t, await (await fetched(query)).text()).map(({ args }) => args['fd']);
  t.same(await fds(), [1, 2]);
  t.same(await fds('?seconds=15'), [2]);
  t.same(await fds('?seconds=10.5'), [2]);
  t.same(await fds('?seconds=0.5'), []);
  for (const query of ['?seconds=20', '?seconds=0', '?seconds=-15', '?seconds=x', '?seconds='])
    t.same(await fds(query), [1, 2], query);
});

t.test('there is none while nothing is recorded, and not for more than the bound', async (t) => {
  const { fetched, record } = world(t, 0);
  t.equal((await fetched()).status, 404);
  using _hold = record();
  const full = await fetched();
  t.equal(full.status, 503);
  t.equal(full.headers.get('retry-after'), '5');
});
