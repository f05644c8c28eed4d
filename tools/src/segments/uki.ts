// SPDX-License-Identifier: GPL-2.0-only
import { alignUp } from '../codecs/bytes.ts';
import { type PeSection, readPeSections } from '../codecs/pe.ts';
import { Failure } from '../host/failure.ts';
import { asSource, joinSources, type Source, sliceOf } from '../host/source.ts';

/** One way to boot of a unified kernel image: its sections, with those of the base that it does not have itself. */
export interface UkiProfile {
  /** TITLE or ID of the section .profile. */
  title?: string;
  sections: Map<string, PeSection>;
}

/**
 * Reads the profiles of a unified kernel image (UAPI.5). Sections before the first .profile belong to all of them.
 * @returns undefined when it is no PE file.
 * @throws Failure (input, with the offset) when a section reaches past the end.
 */
export function readUki(source: Source): UkiProfile[] | undefined {
  const sections = readPeSections(source);
  if (!sections) return undefined;
  const base = new Map<string, PeSection>();
  const profiles: UkiProfile[] = [];
  let current = base;
  // Of sections of one name, systemd-stub takes the first.
  let own = new Set<string>();
  for (const section of sections) {
    if (section.offset + section.size > source.size) {
      const problem = `section ${section.name} of the PE file reaches past the end; the file is truncated`;
      throw new Failure('input', problem, { offset: section.offset });
    }
    if (section.name === '.profile') {
      current = new Map(base);
      own = new Set();
      profiles.push({ ...titleOf(source, section), sections: current });
    }
    if (own.has(section.name)) continue;
    own.add(section.name);
    current.set(section.name, section);
  }
  return profiles.length === 0 ? [{ sections: base }] : profiles;
}

function titleOf(source: Source, { offset, size }: PeSection): { title?: string } {
  const text = Buffer.from(source.read(offset, size)).toString('utf8');
  const value = (name: string) => new RegExp(`^${name}=(["']?)(.*?)\\1\\s*$`, 'm').exec(text)?.[2];
  const title = value('TITLE') ?? value('ID');
  return title === undefined ? {} : { title };
}

/** Section of a unified kernel image that the initrd is joined of. */
export interface InitrdSection {
  name: string;
  /** Bytes from the start of the file. */
  offset: number;
  size: number;
  /** Bytes from the start of the initrd. */
  start: number;
}

/** Returns the sections that systemd-stub joins to the initrd: microcode first, each from a multiple of 4 bytes on. */
export function initrdSections({ sections }: UkiProfile): InitrdSection[] {
  const joined: InitrdSection[] = [];
  let end = 0;
  for (const name of ['.ucode', '.initrd']) {
    const section = sections.get(name);
    if (!section) continue;
    const { offset, size } = section;
    joined.push({ name, offset, size, start: alignUp(end, 4) });
    end = alignUp(end, 4) + size;
  }
  return joined;
}

/**
 * Joins the parts of the initrd that systemd-stub finds in a profile, as it does: microcode first, each from a multiple
 * of 4 bytes on.
 * @returns undefined when the profile has no initrd.
 */
export function initrdOfProfile(source: Source, profile: UkiProfile): Source | undefined {
  if (!profile.sections.has('.initrd')) return undefined;
  const pieces: Source[] = [];
  let end = 0;
  for (const { offset, size, start } of initrdSections(profile)) {
    if (start > end) pieces.push(asSource(new Uint8Array(start - end)));
    pieces.push(sliceOf(source, offset, size));
    end = start + size;
  }
  const [only] = pieces;
  return pieces.length === 1 ? only : joinSources(pieces);
}

/** Reads a text section of a profile, such as .uname, without the line break at its end. */
export function textOfSection(source: Source, { sections }: UkiProfile, name: string): string | undefined {
  const section = sections.get(name);
  if (!section) return undefined;
  return Buffer.from(source.read(section.offset, section.size))
    .toString('utf8')
    .replace(/[\0\s]+$/, '');
}
