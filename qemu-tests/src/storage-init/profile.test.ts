// SPDX-License-Identifier: GPL-2.0-only
import { profileOf } from '@initoverlayfs/tools';
import { expect, test } from 'vitest';
import { hotPaths, profiledInitrd, profiledPaths } from '../debian/profiled.ts';
import { everythingSteps, expectEverything } from '../expect/content.ts';
import { fileSystems } from '../expect/file-systems.ts';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { initrd } from '../images/initrd.ts';
import { storageLog } from '../log/storage-log.ts';
import { trial } from '../machine/trial.ts';

needs('EROFS_FS_ZIP_LZMA', 'OVERLAY_FS', 'BLK_DEV_LOOP');

test.each([
  ['', hotPaths],
  [', although the boot reads nothing of the hot one', profileOf(['/data/zeros', '/names/no-such-file'])],
] as const)(
  'a kernel without the series mounts the cold and the hot image of a profile as one root%s',
  async (more, profile) => {
    const paths = await profiledPaths();
    const name = `storage profile${more}`;
    const options = { name, kernel: await kernel('stock'), steps: everythingSteps };
    const image = await profiledInitrd(paths, { form: 'archive', profile });
    await trial({ ...options, initrd: await initrd(name, image) }, ({ verdict, log }) => {
      expectEverything(verdict, paths, fileSystems.overlay);
      const images = storageLog(log).filter((line) => /^\/root(\.1)?\.erofs /.test(line));
      expect(images).toHaveLength(2);
    });
  },
);
