// SPDX-License-Identifier: GPL-2.0-only
import { file } from '@initoverlayfs/tools';
import { expect, test } from 'vitest';
import { erofs, initrd } from '../images/initrd.ts';
import { bootable, noise } from '../images/tree.ts';
import { trial } from '../machine/trial.ts';
import { initrdPages, inUse } from './pages.ts';

const page = 4096;
const huge = noise(4 << 20, 1);

async function image(compress: string): Promise<Buffer> {
  return erofs({ ...(await bootable()), huge: file(huge) }, { compress });
}

/** Declares the tests of what becomes of mappings, on the kernel that `kernel` returns. */
export function mappingTests(kernel: () => Promise<string>): void {
  test.each(['rw', 'ro'])('no huge page is made of an image that is the root, %s', async (mode) => {
    const bytes = await image('none');
    const pages = bytes.length / page;
    const name = `collapse ${mode}`;
    await trial(
      {
        name,
        kernel: await kernel(),
        initrd: await initrd(name, bytes),
        append: `initoverlayfs=${mode}`,
        steps: [
          ['collapse', '/huge'],
          // A kernel without huge pages has no such file, and says EINVAL of all others.
          ['cat', '/sys/kernel/mm/transparent_hugepage/enabled'],
          ['newroot', '/newroot'],
          ['pivot', '/newroot'],
          ['initrd'],
        ],
      },
      (result) => {
        const [collapse] = result.verdict.steps;
        expect(collapse.rows).toMatchObject([{ call: 'collapse', result: 'EINVAL' }, { same: true }]);
        expect(initrdPages(result)).toEqual([inUse(0, pages)]);
      },
    );
  });

  test.each([
    ['none', 'rw'],
    ['none', 'ro'],
    ['lz4hc', 'rw'],
    ['lz4hc', 'ro'],
  ])('direct reads and advice are taken as on tmpfs, compressed as %s, %s', async (compress, mode) => {
    const name = `advise ${compress} ${mode}`;
    await trial(
      {
        name,
        kernel: await kernel(),
        initrd: await initrd(name, await image(compress)),
        append: `initoverlayfs=${mode}`,
        steps: [
          ['mount', 'tmpfs', '/newroot', 'tmpfs'],
          ['write', '/newroot/file', 'x'.repeat(16)],
          ['advise', '/newroot/file'],
          ['advise', '/huge'],
        ],
      },
      ({ verdict }) => {
        const [, , tmpfs, image] = verdict.steps;
        expect(tmpfs?.rows).toContainEqual({ call: 'read direct', result: 'ok' });
        expect(tmpfs?.rows).toContainEqual({ call: 'unknown advice', result: 'EINVAL' });
        expect(image?.rows).toEqual(tmpfs?.rows);
      },
    );
  });

  test('a child has its own copy of what it writes to', async () => {
    await trial(
      {
        name: 'fork',
        kernel: await kernel(),
        initrd: await initrd('fork', await image('none')),
        steps: [['fork', '/huge', 20]],
      },
      ({ verdict }) => expect(verdict.steps[0]?.rows).toMatchObject([{ wrong: 0, own: true }]),
    );
  });
}
