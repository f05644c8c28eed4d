// SPDX-License-Identifier: GPL-2.0-only
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { artefactsRoot } from '../host/artefacts.ts';
import { entry } from '../host/cache.ts';
import { withSbin } from '../host/path.ts';
import { type Machine, value, wholeCommandLine } from '../machine/qemu.ts';
import { candidates } from './apt.ts';

// A UKI: one file for the firmware, with kernel, initrd and command line in it, that systemd-stub takes apart.

/** Files of Debian's packages that boot a UKI in a virtual machine. */
export interface Firmware {
  readonly code: string;
  readonly variables: string;
  readonly stub: string;
}

const packages = ['ovmf', 'systemd-boot-efi'];

/** The reason for a test to be left out, when there is no firmware. */
export const noFirmware = 'apt knows no ovmf and systemd-boot-efi';

/** Downloads OVMF and systemd-stub, or finds them in the cache. Returns undefined when apt knows no such packages. */
export async function firmware(): Promise<Firmware | undefined> {
  const versions = await candidates(packages);
  if (versions.size < packages.length) return undefined;
  const wanted = [...versions].map(([name, version]) => `${name}=${version}`);
  const folder = await entry('firmware', wanted, async (into) => {
    const options = { cwd: into, env: { ...withSbin, LC_ALL: 'C' } };
    await execa('apt-get', ['-qq', 'download', ...wanted], options);
    await execa('sh', ['-ec', 'for deb in *.deb; do dpkg-deb -x "$deb" .; rm "$deb"; done'], options);
  });
  return {
    code: join(folder, 'usr/share/OVMF/OVMF_CODE_4M.fd'),
    variables: join(folder, 'usr/share/OVMF/OVMF_VARS_4M.fd'),
    stub: join(folder, 'usr/lib/systemd/boot/efi/linuxx64.efi.stub'),
  };
}

/** The sections of a UKI and their addresses, as systemd-stub(7) has them; the last has room to its end. */
const addresses = { osrel: 0x20000, cmdline: 0x30000, linux: 0x2000000, initrd: 0x4000000 };

/** Returns the folder of a UKI's files, empty. */
async function emptyFolder(name: string): Promise<string> {
  const folder = join(artefactsRoot, 'images', name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  return folder;
}

/** Makes a UKI of kernel, initrd and command line of a machine, and returns its path. */
export async function makeUki(
  name: string,
  machine: Machine & { readonly initrd: string },
  { stub }: Firmware,
): Promise<string> {
  const folder = await emptyFolder(name);
  const uki = join(folder, 'linux.efi');
  const sections = {
    osrel: join(folder, 'os-release'),
    cmdline: join(folder, 'cmdline'),
    linux: machine.kernel,
    initrd: machine.initrd,
  };
  await writeFile(sections.osrel, 'ID=test\nPRETTY_NAME=test\n');
  await writeFile(sections.cmdline, `${wholeCommandLine(machine)}\0`);
  const added = (['osrel', 'cmdline', 'linux', 'initrd'] as const).flatMap((section) => [
    ...['--add-section', `.${section}=${sections[section]}`],
    ...['--change-section-vma', `.${section}=0x${addresses[section].toString(16)}`],
  ]);
  await execa('objcopy', [...added, stub, uki]);
  return uki;
}

/**
 * Puts a UKI on a file system for the firmware, and files beside it that systemd-stub passes as credentials, in an
 * archive after the initrd. Returns the words for `Machine.loader`.
 */
export async function bootUki(
  name: string,
  uki: string,
  { code, variables }: Firmware,
  credentials: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const system = await emptyFolder(`${name}-esp`);
  const boot = join(system, 'EFI/BOOT');
  const beside = join(boot, 'BOOTX64.EFI.extra.d');
  await mkdir(beside, { recursive: true });
  await copyFile(uki, join(boot, 'BOOTX64.EFI'));
  for (const [file, text] of Object.entries(credentials)) await writeFile(join(beside, file), text);
  return [
    ...['-drive', `if=pflash,unit=0,format=raw,readonly=on,file=${value(code)}`],
    ...['-drive', `if=pflash,unit=1,format=raw,snapshot=on,file=${value(variables)}`],
    ...['-drive', `if=none,id=esp,format=raw,readonly=on,file=fat:${value(system)}`],
    ...['-device', 'virtio-blk-pci,drive=esp,bootindex=1'],
  ];
}
