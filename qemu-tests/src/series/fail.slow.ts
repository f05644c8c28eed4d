// SPDX-License-Identifier: GPL-2.0-only
import { crc32 } from 'node:zlib';
import { file } from '@initoverlayfs/tools';
import { beforeAll, expect, test } from 'vitest';
import { kernel } from '../host/kernels.ts';
import { suiteVariant } from '../host/variant.ts';
import { archiveOf, imageMembers, imageName, membersOf } from '../images/image-archive.ts';
import { cpio, erofs, initrd } from '../images/initrd.ts';
import { bootable, noise } from '../images/tree.ts';
import { groupsOf, linesOf } from '../log/record.ts';
import type { Step } from '../machine/steps.ts';
import type { ResultOf, Results } from '../machine/verdict.ts';
import { Vm } from '../machine/vm.ts';

// Each allocation that makes the root fails once, in a boot of its own. The root is the image all the same, or there is
// none. It is never what comes after the image, which nobody has signed. Where that is unpacked over the image, the image
// is below it, and each file is from one of the two. An image that is a file of an archive is that file to the byte where
// everything is unpacked, as by other kernels.

// KERNEL_VARIANT=debug shows what the ways out of a failure do with memory that is not theirs any more.
const sanitized = suiteVariant === 'debug';

/** The number of boots for each command line; of more allocations than these every second or third one fails. */
const boots = sanitized ? 50 : 150;

const noises = { image: noise(100_000, 1), extra: noise(100_000, 2) };

let image: Buffer;
const paths = { raw: '', archive: '' };

beforeAll(async () => {
  const base = await bootable();
  // It has to be moved, for which memory is needed, too.
  image = await erofs({ ...base, from: file('image\n'), noise: file(noises.image) });
  const extra = await cpio({ ...base, from: file('extra\n'), more: file(noises.extra) }, 'gzip');
  paths.raw = await initrd('fail', [{ at: 512 }, image, { align: 4 }, extra]);
  const others = await membersOf({ ...base, from: file('archive\n') });
  paths.archive = await initrd('fail archive', [
    archiveOf([...imageMembers([image], 512), ...others]),
    extra,
  ]);
});

interface Ending {
  /** The number of allocations, if none of them failed. */
  readonly allocations: number | undefined;
  /** The origin of the files in the root and whether it can be written to, or the first fault that the kernel reports. */
  readonly end: string;
}

/** The archive after the image is unpacked in part only. */
const restIgnored = /^initoverlayfs: extra cpio at offset .*; ignoring the rest$/;

const script = [
  ['cat', '/from'],
  ['walk', '/noise', 'r'],
  ['walk', '/more', 'r'],
  ['write', '/written', 'text'],
  ['walk', `/${imageName(0)}`, 'r'],
] as const satisfies Step[];

/** Names the content of a file. */
function contentOf({ error, rows }: ResultOf<'walk'>, whole: Buffer): string {
  if (error !== undefined) return error;
  if (rows[0]?.size === 0) return 'empty';
  return rows[0]?.read === crc32(whole).toString(16) ? 'whole' : 'damaged';
}

function rootOf([from, own, more, written, member]: Results<typeof script>): string {
  const root = [
    `from ${from.error ?? (from.rows[0] === undefined ? 'empty' : from.rows[0].line || 'damaged')}`,
    `noise ${contentOf(own, noises.image)}`,
    `more ${contentOf(more, noises.extra)}`,
    written.error ?? 'rw',
    ...(member.error === 'ENOENT' ? [] : [`image ${contentOf(member, image)}`]),
  ];
  return root.join(', ');
}

type Form = keyof typeof paths;

async function boot(nth: number, append: string, form: Form): Promise<Ending> {
  const vm = Vm.start({
    name: `fail ${form} ${append} ${nth}`,
    kernel: await kernel(sanitized ? 'debug' : 'lsm'),
    initrd: paths[form],
    append: `${append} initoverlayfs.fail_nth=${nth}`,
    steps: script,
  });
  const { log, outcome, verdict } = await vm.wait();
  const [count] = groupsOf(log, /^initoverlayfs: there were (\d+) allocations$/);
  return {
    allocations: count === undefined ? undefined : Number(count),
    end:
      outcome.kind === 'passed'
        ? rootOf(verdict.steps as Results<typeof script>) +
          (linesOf(log, restIgnored).length > 0 ? ', and the log says so' : '')
        : outcome.reason.replace(/^\[ *[\d.]+\] /, ''),
  };
}

const imageRoot = {
  ro: /^from image, noise whole, more ENOENT, EROFS(, and the log says so)?$/,
  rw: /^from image, noise whole, more ENOENT, rw(, and the log says so)?$/,
};
/** Everything is unpacked, the image as a file, as the boot loader gave it. */
const unpacked = /^from extra, noise ENOENT, more whole, rw, image whole$/;
const overlaid = /^from extra, noise whole, more whole, rw$/;
/** The file that was being unpacked is empty or has zeroes at its end, those after it are those of the image, or none. */
const cutOff = /^from (image|extra|empty|damaged), noise whole, more \w+, rw, and the log says so$/;
/** The panic where that file was /init. */
const noInit = /^Kernel panic - not syncing: No working init found/;
const refused = /^Kernel panic - not syncing: initoverlayfs=require: /;
const noRoot = /^Kernel panic - not syncing: VFS: Unable to mount root fs/;
/** The one step that fails when it is too late to fall back. */
const tooLate = /^Kernel panic - not syncing: initoverlayfs: cannot unmount the rootfs$/;

test.each<[string, Form, RegExp[]]>([
  ['initoverlayfs=require', 'raw', [imageRoot.rw, refused]],
  ['initoverlayfs=rw', 'raw', [imageRoot.rw, noRoot]],
  ['initoverlayfs=ro', 'raw', [imageRoot.ro, noRoot]],
  ['initoverlayfs.extra=overlay', 'raw', [overlaid, cutOff, noInit, noRoot]],
  ['initoverlayfs=require initoverlayfs.extra=overlay', 'raw', [overlaid, cutOff, noInit, refused]],
  ['initoverlayfs=rw', 'archive', [imageRoot.rw, unpacked]],
])('no allocation that fails makes another root: %s, %s form', async (append, form, allowed) => {
  const count = (await boot(1_000_000, append, form)).allocations ?? 0;
  expect(count).toBeGreaterThan(50);
  const stride = Math.ceil(count / boots);
  const ends = new Map<string, number[]>();
  for (let nth = 1; nth <= count; nth += stride) {
    const { allocations, end } = await boot(nth, append, form);
    // The number differs a little from boot to boot, so the last ones may not be there.
    if (allocations === undefined || nth < count * 0.9) ends.set(end, [...(ends.get(end) ?? []), nth]);
  }
  expect([...ends].filter(([end]) => ![...allowed, tooLate].some((pattern) => pattern.test(end)))).toEqual(
    [],
  );
  // Some failures keep the image from being used, others do not.
  expect(ends.size).toBeGreaterThan(1);
});
