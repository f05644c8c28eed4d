// SPDX-License-Identifier: GPL-2.0-only
import { file } from '@initoverlayfs/tools';
import { kernel } from '../host/kernels.ts';
import { cpio, early, erofs, initrd, lastPage } from '../images/initrd.ts';
import { bootable, noise } from '../images/tree.ts';
import { seriesLog } from '../log/series-log.ts';
import type { Step } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';
import { rowsOf } from '../machine/verdict.ts';
import { initrdPages, managedPages } from './pages.ts';

/** The outcome of a boot and a switch of the root, without times and addresses. */
export type Result = Readonly<Record<string, unknown>>;

/**
 * Tells whether so many lost pages may be stacks. On four processors the kernel may start a thread or two while the
 * pages are counted. Each stack takes four of them (THREAD_SIZE), and /proc/kpageflags does not show the owner of a
 * stack.
 */
function isStacks(pages: number): boolean {
  return pages === 4 || pages === 8;
}

/** Repeats a boot on four processors, which do least in a fixed order, and returns the outcomes. */
export async function repeated(count: number): Promise<Result[]> {
  const files = { ...(await bootable()), payload: file(noise(300_000, 1)) };
  const images = [await erofs(files), { align: 4 }, await erofs({ upper: file('x') }, { compress: 'lz4' })];
  const path = await initrd('repeat', [
    await early(),
    { at: 0x1804 },
    ...images,
    await cpio(files, 'lz4'),
    ...lastPage,
  ]);
  const steps: Step[] = [
    ['walk', '/payload', 'rms'],
    ['walk', 'fd:3', 'r'],
    ['newroot', '/newroot'],
    ['pivot', '/newroot'],
    ['initrd'],
    ['memory'],
  ];
  const results: Result[] = [];
  for (let n = 0; n < count; n++) {
    const options = { kernel: await kernel(), initrd: path, cpus: 4, steps };
    // Only a boot that fails is of interest, so they share a folder.
    const boot = await trial({ name: 'repeat', ...options });
    const walks = rowsOf(boot.verdict, 'walk');
    results.push({
      log: seriesLog(boot.log).lines,
      read: walks.map(({ mtime: _, ...row }) => row),
      // No page is lost.
      pages: initrdPages(boot).map(({ reserved, unknown }) => reserved + (isStacks(unknown) ? 0 : unknown)),
      managed: managedPages(boot),
    });
  }
  return results;
}
