// SPDX-License-Identifier: GPL-2.0-only
import { file } from '@initoverlayfs/tools';
import { kernel } from '../host/kernels.ts';
import { cpio, early, erofs, initrd } from '../images/initrd.ts';
import { bootable, noise } from '../images/tree.ts';
import { seriesLog } from '../log/series-log.ts';
import type { Step } from '../machine/steps.ts';
import { trial } from '../machine/trial.ts';
import { rowsOf } from '../machine/verdict.ts';
import { initrdPages, managedPages } from './pages.ts';

/** All that a boot, a switch of the root and the end of the images come to, but for times and addresses. */
export type Result = Readonly<Record<string, unknown>>;

/**
 * On four processors the kernel may start a thread or two while pages come back and are looked at. Their stacks are
 * made of some of them, four pages each (THREAD_SIZE), and the owner of a stack is nowhere to be seen.
 */
function isStacks(pages: number): boolean {
  return pages === 4 || pages === 8;
}

/** The same boot that many times in a row, on four processors, where least is in a fixed order. */
export async function repeated(count: number): Promise<Result[]> {
  const files = { ...(await bootable()), payload: file(noise(300_000, 1)) };
  const images = [await erofs(files), { align: 4 }, await erofs({ upper: file('x') }, { compress: 'lz4' })];
  const path = await initrd('repeat', [await early(), { at: 0x1804 }, ...images, await cpio(files, 'lz4')]);
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
