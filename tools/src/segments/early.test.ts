// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { isEarlyCpio, isEarlyName } from './early.ts';

test.each<[string, string[], boolean]>([
  ['microcode', ['kernel/x86/microcode/GenuineIntel.bin'], true],
  [
    'with its folders, as iucode_tool writes it',
    ['kernel', 'kernel/x86', 'kernel/x86/microcode', 'kernel/x86/microcode/AuthenticAMD.bin'],
    true,
  ],
  [
    'as dracut writes it',
    ['.', 'early_cpio', 'kernel', 'kernel/x86', 'kernel/x86/microcode', 'kernel/x86/microcode/a'],
    true,
  ],
  ['ACPI tables', ['kernel/firmware/acpi/dsdt.aml'], true],
  ["dracut's marker alone", ['.', 'early_cpio'], true],
  ['folders and no data', ['.', 'kernel', 'kernel/x86'], true],
  ['nothing', [], true],
  ['a name that the early boot does not look for', ['./kernel/x86/microcode/a'], false],
  ['one file more', ['kernel/x86/microcode/a', 'etc/passwd'], false],
  ['another file in its folders', ['kernel/x86/microcode/a', 'kernel/x86/other'], false],
  ['firmware of modules', ['kernel/firmware/other/a'], false],
  ['a name that only starts alike', ['kernel/x86/microcode.old'], false],
])('an archive is for the early boot only or not: %s', (_, names, expected) => {
  expect(isEarlyCpio(names)).toBe(expected);
});

test('the folders of early-boot data are no data', () => {
  expect(isEarlyName('kernel/x86/microcode')).toBe(false);
});
