// SPDX-License-Identifier: GPL-2.0-only
import { asSource } from '../host/source.ts';
import { hasBytes } from './bytes.ts';

/** Magics of file systems, disks and containers of disks, as byte strings, and their offsets. */
const magics: [offset: number, magic: string][] = [
  [0, 'hsqs'], // squashfs
  [0, 'XFSB'], // xfs
  [0, 'QFI\xfb'], // qcow2
  [0, 'KDMV'], // vmdk
  [0, 'LUKS\xba\xbe'],
  [0, '\x45\x3d\xcd\x28'], // cramfs
  [0x40, '\x7f\x10\xda\xbe'], // vdi
  [0x36, 'FAT1'],
  [0x52, 'FAT32'],
  [510, '\x55\xaa'], // boot sector, as with a table of partitions
  [512, 'EFI PART'], // GPT in sectors of 512 bytes
  [4096, 'EFI PART'], // GPT in sectors of 4096 bytes
  [1024, '\xe2\xe1\xf5\xe0'], // erofs
  [1024, '\x10\x20\xf5\xf2'], // f2fs
  [1080, '\x53\xef'], // ext2 to ext4
  [0x8001, 'CD001'], // iso9660
  [0x10040, '_BHRfS_M'], // btrfs
];

/** Bytes of a file in which all magics lie. */
export const imageHead = Math.max(...magics.map(([offset, magic]) => offset + magic.length));

/** Tells whether a file that starts so is an image of a disk or of a file system. */
export function isDiskImage(head: Uint8Array): boolean {
  const source = asSource(head);
  return magics.some(([offset, magic]) => hasBytes(source, offset, magic));
}
