// SPDX-License-Identifier: GPL-2.0-only
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { asSource } from '../host/source.ts';
import { verifyInitrd } from '../images/verify.ts';
import { treeToNewc } from '../trees/to-newc.ts';
import { file, symlink, type Tree, tree } from '../trees/tree.ts';
import { inspectInitrd } from './inspect.ts';

const folder = 'kernel/x86/microcode';
const intel = `${folder}/GenuineIntel.bin`;
const amd = `${folder}/AuthenticAMD.bin`;
const archive = (files: Record<string, Parameters<typeof tree>[0][string]>) =>
  treeToNewc(tree(files), { withoutRoot: true });
const code = () => file('code');

/** Makes an ACPI table that the kernel takes, and changes it. */
function table(change: (bytes: Buffer) => void = () => {}, size = 40) {
  const bytes = Buffer.alloc(size);
  bytes.write('SSDT');
  bytes.writeUInt32LE(size, 4);
  bytes[9] = -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
  change(bytes);
  return file(bytes);
}
const tables = (count: number) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, number) => [`kernel/firmware/acpi/${number}`, table()]),
  );
const acpi = (content: ReturnType<typeof table>) => archive({ 'kernel/firmware/acpi/t': content });

const dot = Buffer.from(archive({ [`a/${intel}`]: code() }));
for (let at = dot.indexOf('a/'); at >= 0; at = dot.indexOf('a/', at + 1)) dot.write('./', at);

test.each<[string, Uint8Array[], taken: number, warnings: RegExp[]]>([
  ['microcode of both', [archive({ [intel]: code(), [amd]: code() })], 8, []],
  [
    'microcode of each in an archive of its own',
    [archive({ [intel]: code() }), archive({ [amd]: code() })],
    8,
    [],
  ],
  [
    'microcode under another name',
    [archive({ [`${folder}/Genuine.bin`]: code() })],
    0,
    [/Genuine\.bin: .*neither/],
  ],
  [
    'microcode by its signature',
    [archive({ [`${folder}/06-55-04`]: code() })],
    0,
    [/06-55-04: .* is neither/],
  ],
  [
    'a name that starts so',
    [archive({ [`${intel}.old`]: code() })],
    4,
    [/old: the kernel takes it for .*Intel\.bin/],
  ],
  [
    'a name that starts so before the right one',
    [archive({ [`${folder}/GenuineIntel.bin-1`]: code() }), archive({ [intel]: code() })],
    4,
    [/the kernel takes it for/, /GenuineIntel\.bin: .* the first one counts/],
  ],
  [
    'microcode twice',
    [archive({ [intel]: code() }), archive({ [intel]: code() })],
    4,
    [/: the first one counts; put all/],
  ],
  ['microcode with ./ before its name', [dot], 0, [/name has to start with kernel\//]],
  ['a symlink', [archive({ [intel]: symlink('code') })], 0, [/: it is no regular file, but a symlink/]],
  ['an empty file', [archive({ [intel]: file('') })], 0, [/: it is empty/]],
  ['microcode after an ordinary archive', [archive({ init: code() }), archive({ [intel]: code() })], 4, []],
  [
    'microcode in a compressed archive',
    [gzipSync(archive({ [intel]: code() }))],
    0,
    [/^early-boot data that the kernel/],
  ],
  ['an ACPI table', [acpi(table())], 40, []],
  ['a short ACPI table', [acpi(file('SSDT'))], 0, [/: it is shorter than the header/]],
  [
    'an ACPI table to be added only',
    [acpi(table((bytes) => bytes.write('SSDX')))],
    0,
    [/: its signature is SSDX,/],
  ],
  [
    'an ACPI table that is cut off',
    [acpi(table((bytes) => bytes.writeUInt32LE(41, 4)))],
    0,
    [/by its header 41/],
  ],
  [
    'an ACPI table with a wrong checksum',
    [acpi(table((bytes) => bytes.fill(1, 9, 10)))],
    0,
    [/checksum of the/],
  ],
  ['as many ACPI tables as are taken', [archive(tables(64))], 64 * 40, []],
  ['one ACPI table more', [archive(tables(65))], 64 * 40, [/: the first 64 ACPI tables count/]],
])('early-boot data is looked at like the kernel does: %s', async (_, parts, taken, expected) => {
  const padded = parts.map((part) => Buffer.concat([part, Buffer.alloc(-part.length & 511)]));
  const initrd = Buffer.concat(padded);
  const { findings } = await verifyInitrd(asSource(initrd), {
    readRoot: async (): Promise<Tree | undefined> => undefined,
  });
  const found = findings.flatMap(({ level, message }) =>
    level === 'ok' ? [Number(/^early-boot data, (\d+) bytes/.exec(message)?.[1])] : [],
  );
  expect(found.reduce((sum, size) => sum + size, 0)).toBe(taken);
  const warnings = findings.filter(({ level }) => level === 'warning').map(({ message }) => message);
  const matched = expected.map((each) => expect.stringMatching(each));
  expect(warnings).toEqual(matched);
  expect((await inspectInitrd(initrd)).warnings.map(({ message }) => message)).toEqual(matched);
});
