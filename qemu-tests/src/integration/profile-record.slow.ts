// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseProfile } from '@initoverlayfs/tools';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { distribution, type Generator, plan } from '../debian/distribution.ts';
import { debianKernel, debianKernelPackage } from '../debian/kernel.ts';
import { initoverlayfs } from '../host/initoverlayfs.ts';
import { kernel, shim } from '../host/kernels.ts';
import { bootToRoot } from './boot.ts';

// What initramfs images of Debian read until they leave for the real root: on Debian's own kernel, which loads their
// modules, and in place.

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'profile-record-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** The paths that are in one of two lists only. */
const difference = (a: readonly string[], b: readonly string[]) => [
  ...a.filter((path) => !b.includes(path)),
  ...b.filter((path) => !a.includes(path)),
];

describe.each<Generator>(['dracut', 'initramfs-tools'])('%s', (generator) => {
  let original: string;
  let recording: string;
  let guessed: readonly string[];

  beforeAll(async () => {
    original = (await distribution(await plan(generator))).initrd;
    recording = join(folder, `${generator}.img`);
    await initoverlayfs('profile', 'record', original, '-o', recording, '--shim', await shim());
    const list = join(folder, `${generator}.list`);
    await initoverlayfs(
      'profile',
      'closure',
      original,
      '--module',
      'virtio_blk',
      '--module',
      'ext4',
      '-o',
      list,
    );
    guessed = parseProfile(await readFile(list));
  });

  /** Boots twice and expects nearly the same profile, and returns the first. */
  async function recordTwice(name: string, vmlinuz: string, initrd: string): Promise<readonly string[]> {
    const boot = () => bootToRoot(`profile-record-${generator}-${name}`, vmlinuz, initrd);
    const [first, second] = [await boot(), await boot()];
    expect(difference(first.profile, second.profile).length).toBeLessThanOrEqual(5);
    return first.profile;
  }

  test("a boot of Debian's own kernel lists its files and modules, and again nearly the same", async () => {
    const package_ = await debianKernelPackage();
    const { image, release } = await debianKernel(package_ as NonNullable<typeof package_>);
    const read = await recordTwice('stock', image, recording);
    expect(read).toEqual(expect.arrayContaining(['/usr/bin/kmod', '/usr/bin/udevadm']));
    expect(read).toContainEqual(expect.stringMatching(`^/usr/lib/modules/${release}/.*/virtio_blk\\.ko$`));
    expect(read).not.toContainEqual(expect.stringContaining('initoverlayfs'));
    // What the machine has decides the modules. Debian's kernel keeps no times, so that one file is listed that the boot
    // has made.
    const missed = read.filter((path) => !guessed.includes(path) && !path.endsWith('.ko'));
    expect(missed.length).toBeLessThanOrEqual(2);
  });

  test('a boot in place lists by pages in memory what a boot of the cpio lists by times', async () => {
    const image = join(folder, `${generator}-image.img`);
    await initoverlayfs('convert', recording, '-o', image, '--form', 'raw', '--shim', await shim());
    const inPlace = await recordTwice('in place', await kernel(), image);
    const cpio = (await bootToRoot(`profile-record-${generator}-cpio`, await kernel(), recording)).profile;
    // Larger files that do not compress leave no trace.
    const missed = cpio.filter((path) => !inPlace.includes(path));
    expect(missed.length).toBeLessThanOrEqual(5);
  });
});
