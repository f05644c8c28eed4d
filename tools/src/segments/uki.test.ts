// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { writeNewcArchive } from '../codecs/newc.ts';
import { makeUki } from '../fixtures/uki.ts';
import { asSource, chunksOf } from '../host/source.ts';
import { initrdOfProfile, readUki, textOfSection, type UkiProfile } from './uki.ts';
import { walkSegments } from './walk.ts';

const archive = (name: string) => writeNewcArchive([{ name, mode: 0o100644, data: Buffer.from(name) }]);
const bytesOf = (source: ReturnType<typeof initrdOfProfile>) =>
  source && Buffer.concat([...chunksOf(source)].map((chunk) => Buffer.from(chunk)));
const profilesOf = (uki: Uint8Array) => readUki(asSource(uki)) as UkiProfile[];

describe('a unified kernel image', () => {
  test('has its microcode first, joined at a multiple of 4 bytes', () => {
    const source = asSource(
      makeUki([
        ['.uname', '6.12.0-test\n'],
        ['.ucode', 'five5'],
        ['.initrd', archive('init')],
      ]),
    );
    const [only] = readUki(source) as [UkiProfile];
    expect(bytesOf(initrdOfProfile(source, only))).toEqual(
      Buffer.concat([Buffer.from('five5\0\0\0'), archive('init')]),
    );
    expect(textOfSection(source, only, '.uname')).toBe('6.12.0-test');
  });

  test('gives each profile the sections of the base that it has not itself', () => {
    const uki = makeUki([
      ['.initrd', archive('base')],
      ['.profile', 'ID=main\nTITLE="Boot normally"\n'],
      ['.profile', 'ID=factory-reset\n'],
      ['.initrd', archive('reset')],
    ]);
    const profiles = profilesOf(uki);
    expect(profiles.map(({ title }) => title)).toEqual(['Boot normally', 'factory-reset']);
    expect(profiles.map((profile) => bytesOf(initrdOfProfile(asSource(uki), profile)))).toEqual([
      archive('base'),
      archive('reset'),
    ]);
  });

  test('has the first of several sections of a name, in the base and in a profile', () => {
    const uki = makeUki([
      ['.initrd', archive('base')],
      ['.initrd', archive('second')],
      ['.profile', 'ID=main\n'],
      ['.profile', 'ID=reset\n'],
      ['.initrd', archive('reset')],
      ['.initrd', archive('last')],
    ]);
    expect(profilesOf(uki).map((profile) => bytesOf(initrdOfProfile(asSource(uki), profile)))).toEqual([
      archive('base'),
      archive('reset'),
    ]);
  });

  test('whose section reaches past the end is refused with its offset', () => {
    const uki = makeUki([['.initrd', archive('init')]]);
    expect(() => readUki(asSource(uki.subarray(0, 600)))).toThrow(
      'offset 0x200: section .initrd of the PE file reaches past the end',
    );
  });

  test('is none without the magic numbers of PE', () => {
    expect(readUki(asSource(archive('init')))).toBeUndefined();
    expect(readUki(asSource(Buffer.from('MZ')))).toBeUndefined();
  });
});

const tar = execFileSync('tar', ['-c', '-C', '/', '--no-recursion', 'usr']);

/** Makes the start of a kernel with a magic at an offset. */
function kernel(offset: number, magic: string, fill = 0x90): Buffer {
  const bytes = Buffer.alloc(4096, fill);
  bytes.write(magic, offset, 'latin1');
  return bytes;
}

test.each<[string, Buffer, string]>([
  [
    'an x86 kernel without an EFI stub',
    kernel(0x202, 'HdrS'),
    'an x86 kernel, and no initrd; name the initrd',
  ],
  ['an arm64 kernel without an EFI stub', kernel(0x38, 'ARMd'), 'an arm64 kernel, and no initrd'],
  ['a RISC-V kernel', kernel(0x38, 'RSC\x05'), 'a RISC-V kernel, and no initrd'],
  ['an arm kernel', kernel(0x24, '\x18\x28\x6f\x01'), 'an arm kernel, and no initrd'],
  ['a vmlinux', kernel(0, '\x7fELF'), 'an ELF file, as vmlinux is, and no initrd'],
  [
    'a uImage',
    Buffer.concat([
      Buffer.from('27051956', 'hex'),
      Buffer.alloc(26),
      Buffer.from('\x03\0initrd of a board\0'.padEnd(34, '\0')),
      Buffer.from('cpio'),
    ]),
    'a uImage of U-Boot ("initrd of a board", a ramdisk); take its header off with tail -c +65',
  ],
  ['a tar archive', tar, 'a tar archive, of which initoverlayfs build --root makes an initrd'],
  [
    'a compressed tar archive',
    gzipSync(tar),
    'a tar archive, of which initoverlayfs build --root makes an initrd',
  ],
  ...['.tar.Z', '.tar.lz'].map((name): [string, Buffer, string] => [
    `a ${name}`,
    Buffer.from(name === '.tar.Z' ? '1f9d90' : 'LZIP\x01\x14', name === '.tar.Z' ? 'hex' : 'latin1'),
    name === '.tar.Z'
      ? 'compressed with compress (.Z), which is not read here; unpack it with uncompress first'
      : 'compressed with lzip, which is not read here; unpack it with lzip -d first',
  ]),
  ['a zip archive', Buffer.from('PK\x03\x04'), 'unpack it with unzip first'],
  ['a FIT image', Buffer.from('d00dfeed00000000', 'hex'), 'a FIT image of U-Boot (or a device tree)'],
])('%s is named', async (_, bytes, problem) => {
  const segments = await walkSegments(bytes);
  expect(segments).toMatchObject([{ kind: 'unknown', problem: expect.stringContaining(problem) }]);
});

test('an x86 kernel that starts with NULs is named', async () => {
  const bytes = kernel(0x202, 'HdrS', 0);
  bytes[0x1f1] = 0x27;
  expect(await walkSegments(bytes)).toMatchObject([
    { kind: 'padding' },
    { kind: 'unknown', problem: expect.stringContaining('an x86 kernel, and no initrd') },
  ]);
});

test('the magic of a kernel in a file of an archive means nothing', async () => {
  const data = Buffer.concat([Buffer.alloc(0x202 - 116, 'x'), Buffer.from('HdrS')]);
  const bytes = Buffer.from(writeNewcArchive([{ name: 'init', mode: 0o100755, data }]));
  expect(bytes.indexOf('HdrS')).toBe(0x202);
  expect(await walkSegments(bytes)).toMatchObject([{ kind: 'cpio' }]);
});
