// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { parseLog } from '../log/record.ts';
import { judge } from '../machine/outcome.ts';
import { parseVerdict } from '../machine/verdict.ts';
import type { Boot } from '../machine/vm.ts';
import { bootVerdict } from './boots.ts';

const mounted = '[    1.0] initoverlayfs: 1 erofs image mounted in place, 4096 bytes, rw\n';
const fellBack = '[    1.0] initoverlayfs: it is broken; falling back to unpacking the initrd\n';
const noInit = '[    2.0] Kernel panic - not syncing: No working init found.  Try passing init= option\n';
const done = '{"done":true}\n';

function boot(console: string, verdictText: string, timedOutAfter?: number): Boot {
  const verdict = parseVerdict(verdictText);
  const outcome = judge({ console, verdict, timedOutAfter, status: 0 });
  return { outcome, console, log: parseLog(console), verdict, seconds: 1, artefacts: '', command: '' };
}

test.each<[string, Boot, object]>([
  ['an image that is good enough', boot(mounted, done), { kind: 'booted from images' }],
  ['a fallback with an init', boot(fellBack, done), { kind: 'fell back and booted', reason: 'it is broken' }],
  ['a fallback without one', boot(fellBack + noInit, ''), { kind: 'stopped', reason: 'it is broken' }],
  [
    'an init that is damaged itself',
    boot(`${mounted}[    2.0] Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b\n`, ''),
    { kind: 'stopped' },
  ],
  [
    'a stop without a reason',
    boot(noInit, ''),
    { kind: 'failed', reason: expect.stringMatching(/^stopped without/) },
  ],
  ['an oops', boot(`${mounted}BUG: kernel NULL pointer dereference\n${noInit}`, ''), { kind: 'failed' }],
  [
    'a report that is survived',
    boot(`${mounted}BUG: KASAN: use-after-free in x\n`, done),
    { kind: 'failed' },
  ],
  ['a hang', boot(mounted, '', 60), { kind: 'failed', reason: 'still running after 60 s' }],
])('the boot of a damaged initrd is judged: %s', (_name, some, expected) => {
  expect(bootVerdict(some)).toMatchObject(expected);
});
