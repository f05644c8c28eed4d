// SPDX-License-Identifier: GPL-2.0-only
import { file, symlink } from '@initoverlayfs/tools';
import { beforeAll, expect, test } from 'vitest';
import { panicReason } from '../expect/panic.ts';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { withUnknownFeature } from '../images/damage.ts';
import { cpio, erofs, type Gap, initrd } from '../images/initrd.ts';
import { bootable, noise, type Paths } from '../images/tree.ts';
import { seriesLog } from '../log/series-log.ts';
import { trial } from '../machine/trial.ts';

needs('INITOVERLAYFS', 'TMPFS_XATTR');

// initoverlayfs=require: the image is the root, or the kernel panics.

let base: Paths;
let image: Buffer;

beforeAll(async () => {
  base = await bootable();
  image = await erofs({ ...base, from: file('image\n') });
});

/** Boots the parts and returns the reason that the kernel panics with. */
function panics(name: string, parts: readonly (Buffer | Gap)[], append?: string): Promise<string> {
  return panicReason(`require ${name}`, parts, append);
}

test.each<[string, () => Promise<(Buffer | Gap)[]>, RegExp]>([
  ['no initrd', async () => [], /^there is no initrd$/],
  ['a plain cpio', async () => [await cpio(base)], /offset 0x0, is no image$/],
  [
    'an image after an archive',
    async () => [await cpio(base, 'gzip'), { align: 4096 }, image],
    /offset 0x0, is no image$/,
  ],
  [
    'an image after 260 archives',
    async () => [...(await many()), { align: 4096 }, image],
    /offset 0x0, is no image$/,
  ],
  ['an image cut off', async () => [image.subarray(0, image.length - 4096)], /longer than the initrd$/],
  [
    'an unknown feature',
    async () => [withUnknownFeature(image), await cpio(base)],
    /features that this kernel does not know$/,
  ],
  [
    'no init',
    async () => [await erofs({ from: file('image\n') }), await cpio(base)],
    /^no usable \/init in the image, error -2$/,
  ],
  ['an image 1 byte off', async () => [{ at: 1 }, image], /does not start at a multiple of 4 bytes$/],
])('the kernel panics with the reason: %s', async (name, parts, reason) => {
  expect(await panics(name, await parts())).toMatch(reason);
});

test('the kernel panics when initoverlayfs=off is given, too', async () => {
  expect(await panics('off', [image], 'initoverlayfs=off')).toBe('turned off');
});

test('the kernel panics when the layer over the image cannot be mounted', async () => {
  const append = 'initoverlayfs.size=nonsense';
  expect(await panics('size', [image], append)).toBe('cannot mount a tmpfs, error -22');
});

test('the kernel panics when an archive over the image takes its init away, and uses no other root', async () => {
  const away = await cpio({ init: symlink('nowhere') });
  expect(await panics('init away', [image, away], 'initoverlayfs.extra=overlay')).toBe(
    'an archive over the image has left no usable /init',
  );
});

/** Returns more archives than anybody needs, each with an init of its own. */
async function many(): Promise<Buffer[]> {
  const one = await cpio({ init: file('#!/no/such\n', { mode: 0o755 }) });
  return Array.from({ length: 260 }, () => one);
}

test.each<[string, () => Promise<(Buffer | Gap)[]>, boolean]>([
  ['nothing else', async () => [image], false],
  ['260 archives after it', async () => [image, ...(await many())], true],
  ['junk after it', async () => [image, noise(5000, 3)], false],
  [
    'an archive that is cut off after it',
    async () => [image, (await cpio({ a: file(noise(9000, 1)) })).subarray(0, 5000)],
    true,
  ],
  [
    'an archive and another image after it',
    async () => [
      image,
      await cpio({ init: file('x') }),
      { align: 4096 },
      await erofs({ from: file('other\n') }),
    ],
    true,
  ],
])('the image is the root with %s', async (name, parts, passed) => {
  await trial(
    {
      name: `require met ${name}`,
      kernel: await kernel(),
      initrd: await initrd(`require met ${name}`, await parts()),
      append: 'initoverlayfs=rw,require',
      steps: [['cat', '/from'], ['fds']],
    },
    ({ verdict, log }) => {
      const [from, fds] = verdict.steps;
      expect(from.rows).toEqual([{ line: 'image' }]);
      expect(fds.rows).toHaveLength(passed ? 4 : 3);
      expect(seriesLog(log).mounted?.images).toBe(1);
    },
  );
});
