// SPDX-License-Identifier: GPL-2.0-only
import { closeSync, fstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, inFile } from '../host/failure.ts';
import { inputName, isDirectory, unreadable } from '../host/input.ts';
import { type Source, sliceOf } from '../host/source.ts';
import { type Work, writeWhole } from '../host/work.ts';
import {
  type InitrdSection,
  initrdOfProfile,
  initrdSections,
  readUki,
  textOfSection,
  type UkiProfile,
} from '../segments/uki.ts';
import { unpackedSize } from '../segments/unpacked-size.ts';
import { onOneLine } from './print.ts';

/** Name that stands for standard input. */
export const standardInput = '-';

/** Tells whether a name is that of a folder, and not of a file or of standard input. */
export async function isFolder(path: string): Promise<boolean> {
  return path !== standardInput && (await isDirectory(path));
}

/** Initrd as the kernel gets it, with what else a unified kernel image says. */
export interface OpenedInitrd {
  source: Source;
  /** The kernel in the image, and its release. */
  kernel?: Source;
  release?: string;
  uki?: UkiReport;
}

/** Unified kernel image that an initrd is in, as JSON has it. */
export interface UkiReport {
  /** Number of the profile, counted from 0. */
  profile: number;
  title?: string;
  sections: InitrdSection[];
}

/**
 * Opens an initrd that the user named: a file, standard input (`-`), or one profile of a unified kernel image.
 * @throws Failure (input) when it cannot be read or is a PE file without an initrd, (usage) when it lacks the profile.
 */
export async function openInitrd(file: string, work: Work, profile?: number): Promise<OpenedInitrd> {
  const source = await openInput(file, work);
  const opened = initrdOf(file, source, readProfiles(file, source), profile);
  work.unpacks(() => unpackedSize(opened.source));
  return opened;
}

/**
 * Reads the profiles of a file, if it is a unified kernel image.
 * @throws Failure (input) with the name of the file when it is damaged.
 */
export function readProfiles(file: string, source: Source): UkiProfile[] | undefined {
  try {
    return readUki(source);
  } catch (error) {
    throw inFile(error, file);
  }
}

/**
 * Refuses a unified kernel image where only an initrd is taken, and any other EFI program, such as a kernel.
 * @param problem is what to say of a unified kernel image.
 * @throws Failure (usage) for such an image, (input) when it is a PE file without an initrd or is damaged.
 */
export function refuseUki(file: string, source: Source, problem: string): void {
  const profiles = readProfiles(file, source);
  if (!profiles) return;
  throw profiles.some(({ sections }) => sections.has('.initrd'))
    ? new Failure('usage', problem, { file })
    : withoutInitrd(file);
}

function withoutInitrd(file: string): Failure {
  const problem = 'an EFI program without a section .initrd, as kernels are; name an initrd';
  return new Failure('input', problem, { file, offset: 0 });
}

/** Finds the initrd in a file whose profiles are read, like `openInitrd`. */
export function initrdOf(
  file: string,
  source: Source,
  profiles: UkiProfile[] | undefined,
  profile?: number,
): OpenedInitrd {
  if (!profiles) {
    if (profile === undefined) return { source };
    throw new Failure('usage', 'is no unified kernel image; leave out --uki-profile', { file });
  }
  const chosen = profiles[profile ?? 0];
  if (!chosen) {
    const last = profiles.length - 1;
    throw new Failure('usage', `has no profile ${profile}; name one of 0 to ${last}`, { file });
  }
  const initrd = initrdOfProfile(source, chosen);
  if (!initrd) throw withoutInitrd(file);
  noteUki(file, profiles, chosen);
  const linux = chosen.sections.get('.linux');
  const release = textOfSection(source, chosen, '.uname');
  const { title } = chosen;
  const uki = {
    profile: profiles.indexOf(chosen),
    ...(title === undefined ? {} : { title }),
    sections: initrdSections(chosen),
  };
  return {
    source: initrd,
    uki,
    ...(linux ? { kernel: sliceOf(source, linux.offset, linux.size) } : {}),
    ...(release === undefined ? {} : { release }),
  };
}

/** Says which initrd is meant. The offsets in all messages count from its start. */
function noteUki(file: string, profiles: UkiProfile[], chosen: UkiProfile): void {
  const parts = ['.ucode', '.initrd'].filter((name) => chosen.sections.has(name)).join(' and ');
  const titles = profiles.map(({ title }, index) => `${index} ${title ?? ''}`.trim()).join(', ');
  const which =
    profiles.length > 1
      ? `, profile ${profiles.indexOf(chosen)} of ${titles} (--uki-profile takes another)`
      : '';
  const line = `${file}: a unified kernel image${which}; offsets count from the start of ${parts}`;
  process.stderr.write(`initoverlayfs: ${onOneLine(line)}\n`);
}

/**
 * Opens a file that the user named. Standard input (`-`) is stored first, because an initrd is read at any offset.
 * @throws Failure (input) when it is missing, a directory, empty, or cannot be read.
 */
export async function openInput(file: string, work: Work): Promise<Source> {
  if (file !== standardInput) return work.open(file);
  const input = takeStandardInput();
  const path = join(work.folder, 'standard-input');
  const descriptor = openSync(path, 'wx', 0o600);
  try {
    for await (const chunk of input) writeWhole(descriptor, chunk as Uint8Array);
  } catch (error) {
    throw error instanceof Failure ? error : unreadable(inputName, error as NodeJS.ErrnoException);
  } finally {
    closeSync(descriptor);
  }
  try {
    return work.openTemporary(path);
  } catch (error) {
    throw error instanceof Failure ? new Failure('input', error.problem, { file: inputName }) : error;
  }
}

let isTaken = false;

/**
 * Returns standard input, for the first who reads it.
 * @throws Failure (usage) for the second, who would find it empty, (input) when it is a directory, which Node.js finds
 * empty.
 */
export function takeStandardInput(): NodeJS.ReadStream {
  if (isTaken) throw new Failure('usage', 'standard input can be read once; name a file in the second place');
  isTaken = true;
  if (fstatSync(0).isDirectory())
    throw new Failure('input', 'is a directory; name it, or pass a file', { file: inputName });
  return process.stdin;
}
