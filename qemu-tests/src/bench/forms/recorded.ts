// SPDX-License-Identifier: GPL-2.0-only
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatProfile, type Profile, parseProfile, profileOf } from '@initoverlayfs/tools';
import { bootToDisk } from '../../debian/boot.ts';
import { guestFiles } from '../../debian/disk.ts';
import { withProbe } from '../../debian/initrd.ts';
import { entry } from '../../host/cache.ts';
import { initoverlayfs } from '../../host/initoverlayfs.ts';
import { kernel, shim } from '../../host/kernels.ts';

/**
 * Returns the profile that `initoverlayfs profile record` makes of an initramfs: what one boot of the unpacked archive
 * reads until it has left for the root on a disk.
 */
export async function recordedProfile(initrd: string, disk: string): Promise<Profile> {
  const [vmlinuz, programs] = [await kernel(), await shim()];
  const recorder = await readFile(join(programs, 'profile-record'));
  const code = await readFile(import.meta.filename);
  const inputs = ['recorded', initrd, disk, vmlinuz, recorder, code, ...(await guestFiles())];
  const folder = await entry('bench', inputs, async (into) => {
    const [probed, recording] = [join(into, 'probed.img'), join(into, 'recording.img')];
    // The forms have the measuring script, too, and read it.
    await writeFile(probed, await withProbe(initrd));
    await initoverlayfs('profile', 'record', probed, '-o', recording, '--shim', programs);
    const { profile } = await bootToDisk(
      { name: 'bench recorded profile', kernel: vmlinuz, initrd: recording, disk },
      (figures) => {
        if (figures.profile.length === 0) throw new Error('the boot left no profile in /run/initoverlayfs');
      },
    );
    await writeFile(join(into, 'profile'), formatProfile(profileOf(profile)));
    await Promise.all([rm(probed), rm(recording)]);
  });
  return parseProfile(await readFile(join(folder, 'profile')));
}
