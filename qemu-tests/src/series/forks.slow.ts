// SPDX-License-Identifier: GPL-2.0-only
import { directory, file } from '@initoverlayfs/tools';
import { expect, test } from 'vitest';
import { kernel } from '../host/kernels.ts';
import type { KernelVariant } from '../host/variant.ts';
import { cpio, erofs, initrd } from '../images/initrd.ts';
import { shell, staticBusybox } from '../images/programs.ts';
import { bootable } from '../images/tree.ts';
import { trial } from '../machine/trial.ts';

/** Repeats a command of the shell, and says how long the kernel has been running. */
const repeat = (command: string) =>
  file(`i=0\nwhile [ $i -lt 1000 ]; do ${command}; i=$((i+1)); done\nread up idle </proc/uptime\necho $up\n`);

test('a kernel with the series forks and executes as fast as one without', async () => {
  const tree = {
    ...(await bootable()),
    bin: directory(),
    'bin/busybox': await staticBusybox(),
    nothing: repeat(':'),
    forks: repeat('( : )'),
    programs: repeat('/bin/busybox true'),
  };
  const archive = await initrd('forks cpio', await cpio(tree));
  const image = await initrd('forks erofs', await erofs(tree));
  /** Returns the seconds for 1000 forks and for 1000 programs. */
  const seconds = async (name: string, variant: KernelVariant, initrd: string): Promise<[number, number]> => {
    const { verdict } = await trial({
      ...{ name: `forks ${name}`, kernel: await kernel(variant), initrd, icount: 'no-sleep' },
      steps: [
        ['mount', 'proc', '/proc', 'proc'],
        ['run', '/bin/busybox', 'sh', '/nothing'],
        ['run', '/bin/busybox', 'sh', '/forks'],
        ['run', '/bin/busybox', 'sh', '/programs'],
      ],
    });
    const [, nothing, forks, programs] = verdict.steps;
    const up = ({ rows }: { rows: readonly { out: string }[] }) => Number(rows[0]?.out);
    return [up(forks) - up(nothing), up(programs) - up(forks)];
  };
  const measured = {
    'stock, cpio': await seconds('stock', 'stock', archive),
    'patched, cpio': await seconds('patched', 'patched', archive),
    'patched, image': await seconds('image', 'patched', image),
  };
  console.table(measured);
  // Hundredths are what the kernel tells.
  const [forks, programs] = measured['stock, cpio'];
  expect(measured['patched, cpio'][0]).toBeLessThan(forks + 0.03);
  expect(measured['patched, cpio'][1]).toBeLessThan(programs + 0.03);
  // Executing looks the file up through overlayfs; forking does not.
  expect(measured['patched, image'][0]).toBeLessThan(forks + 0.03);
  expect(measured['patched, image'][1]).toBeLessThan(programs * 1.25);
});

test.each(['dash', 'bash'] as const)(
  '1000 subshells of %s take at most 15 percent more from an image',
  async (name) => {
    const tree = {
      ...(await bootable()),
      ...(await shell(name)),
      nothing: repeat(':'),
      forks: repeat('( : )'),
    };
    const seconds = async (form: string, content: Buffer): Promise<number> => {
      const { found } = await trial(
        {
          name: `forks ${name} ${form}`,
          kernel: await kernel(),
          initrd: await initrd(`forks ${name} ${form}`, content),
          steps: [
            ['mount', 'proc', '/proc', 'proc'],
            // What is used the first time is not what is measured.
            ['run', `/bin/${name}`, '/forks'],
            ['say', 'nothing'],
            ['run', `/bin/${name}`, '/nothing'],
            ['say', 'forks'],
            ['run', `/bin/${name}`, '/forks'],
            ['say', 'end'],
          ],
          icount: 'no-sleep',
          // Addresses that are different each time need as many page tables as chance wants.
          append: 'norandmaps',
        },
        ({ log }) => {
          const [nothing, forks, end] = ['nothing', 'forks', 'end'].map(
            (word) => log.find(({ text }) => text === word)?.us ?? Number.NaN,
          ) as [number, number, number];
          return (end - forks - (forks - nothing)) / 1e6;
        },
      );
      return found;
    };
    const archive = await seconds('cpio', await cpio(tree));
    const image = await seconds('erofs', await erofs(tree));
    console.log(`${name}: ${archive.toFixed(3)} s from a cpio, ${image.toFixed(3)} s from an image`);
    expect(image).toBeLessThan(archive * 1.15);
  },
);
