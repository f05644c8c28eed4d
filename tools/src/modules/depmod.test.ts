// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { type Depmod, loadOrder, moduleName } from './depmod.ts';

const depmod: Depmod = {
  // As depmod writes it: what is needed, and what that needs, the last to load first.
  dep: [
    'kernel/fs/erofs/erofs.ko.xz: kernel/fs/netfs/netfs.ko.xz kernel/lib/libcrc32c.ko.xz',
    'kernel/fs/netfs/netfs.ko.xz:',
    'kernel/lib/libcrc32c.ko.xz:',
    'kernel/fs/f2fs/f2fs.ko.xz: kernel/fs/deep.ko.xz kernel/lib/deeper.ko.xz',
    'kernel/fs/deep.ko.xz: kernel/lib/deeper.ko.xz',
    'kernel/lib/deeper.ko.xz:',
    'kernel/arch/x86/crypto/crc32c-intel.ko.xz:',
    'kernel/crypto/crc32c_generic.ko.xz:',
    'kernel/one.ko: kernel/two.ko',
    'kernel/two.ko:',
    '',
  ].join('\n'),
  builtin: 'kernel/fs/ext4/ext4.ko\nkernel/drivers/virtio/virtio-pci.ko\n',
  softdep: [
    '# Soft dependencies extracted from modules themselves.',
    'softdep libcrc32c pre: crc32c',
    'softdep two post: netfs pre: one',
    'softdep f2fs post: netfs',
    'softdep deeper pre: nothing',
    'softdep deeper pre: ext4 netfs',
    'softdep deeper frob',
    '',
  ].join('\n'),
  alias: [
    '# Aliases extracted from modules themselves.',
    'alias crc32c crc32c_generic',
    'alias crc32c crc32c_intel',
    'alias cpu:type:x86,ven*fam*mod*:feature:*0094* crc32c_intel',
    '',
  ].join('\n'),
};

test('dependencies come before a module, soft ones by alias too', () => {
  expect(loadOrder(['erofs'], depmod)).toEqual({
    paths: [
      'kernel/crypto/crc32c_generic.ko.xz',
      'kernel/arch/x86/crypto/crc32c-intel.ko.xz',
      'kernel/lib/libcrc32c.ko.xz',
      'kernel/fs/netfs/netfs.ko.xz',
      'kernel/fs/erofs/erofs.ko.xz',
    ],
    builtIn: [],
    missing: [],
  });
});

test('each module is loaded once, in the order of the wanted names', () => {
  expect(loadOrder(['f2fs', 'deeper', 'netfs', 'f2fs'], depmod).paths).toEqual([
    'kernel/fs/netfs/netfs.ko.xz',
    'kernel/lib/deeper.ko.xz',
    'kernel/fs/deep.ko.xz',
    'kernel/fs/f2fs/f2fs.ko.xz',
  ]);
});

test('soft dependencies in a circle end', () => {
  expect(loadOrder(['one'], depmod).paths).toEqual(['kernel/two.ko', 'kernel/one.ko']);
});

test('built-in and missing names are told apart', () => {
  expect(loadOrder(['ext4', 'virtio_pci', 'frob', 'crc32c_intel'], depmod)).toEqual({
    paths: ['kernel/arch/x86/crypto/crc32c-intel.ko.xz'],
    builtIn: ['ext4', 'virtio_pci'],
    missing: ['frob'],
  });
});

test.each([
  ['kernel/fs/erofs/erofs.ko', 'erofs'],
  ['kernel/crypto/crc32c-intel.ko.zst', 'crc32c_intel'],
  ['crc32c-intel', 'crc32c_intel'],
])('the module name of %s', (path, name) => {
  expect(moduleName(path)).toBe(name);
});
