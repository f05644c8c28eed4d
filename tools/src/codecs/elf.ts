// SPDX-License-Identifier: GPL-2.0-only

/** Parts of an ELF program or library that decide whether it starts. */
export interface Elf {
  /** Path of the program that loads it, such as /lib64/ld-linux-x86-64.so.2. */
  interpreter?: string;
  /** Names of libraries that it needs. */
  needed: string[];
  /** Names of libraries that it says it loads by itself, in a note of the FDO. */
  loaded: string[];
  /** Folders from RPATH and RUNPATH, where libraries are looked for. */
  searched: string[];
}

export const elfMagic = '\x7fELF';
const load = 1;
const dynamic = 2;
const interp = 3;
const note = 4;
const tag = { end: 0, needed: 1, strings: 5, rpath: 15, runpath: 29 };

/** Note by which a program lists the libraries that it may load: systemd.io/ELF_DLOPEN_METADATA. */
const dlopenNote = { owner: 'FDO\0', type: 0x407c0c0a };

interface Segment {
  type: number;
  offset: number;
  address: number;
  size: number;
}

/** Reads an ELF file, or returns undefined when it is none or its tables are not in it. */
export function readElf(bytes: Uint8Array): Elf | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (file.subarray(0, 4).toString('latin1') !== elfMagic || file.length < 64) return undefined;
  const wide = file[4] === 2;
  const little = file[5] === 1;
  const number = (at: number, size: number): number => {
    if (at < 0 || at + size > file.length) throw new RangeError('outside the file');
    if (size < 8) return little ? file.readUIntLE(at, size) : file.readUIntBE(at, size);
    return Number(little ? file.readBigUInt64LE(at) : file.readBigUInt64BE(at));
  };
  const word = wide ? 8 : 4;
  const text = (at: number) => file.subarray(at, file.indexOf(0, at)).toString('latin1');
  try {
    const segments = readSegments(number, wide);
    const interpreter = segments.find(({ type }) => type === interp);
    const table = segments.find(({ type }) => type === dynamic);
    const offsetOf = (address: number) => {
      const segment = segments.find(
        (each) => each.type === load && address >= each.address && address < each.address + each.size,
      );
      if (!segment) throw new RangeError('outside the segments');
      return segment.offset + address - segment.address;
    };
    const entries: [tag: number, value: number][] = [];
    for (let at = table?.offset ?? 0; table && at < table.offset + table.size; at += 2 * word) {
      const entry = number(at, word);
      if (entry === tag.end) break;
      entries.push([entry, number(at + word, word)]);
    }
    const values = (wanted: number) =>
      entries.filter(([entry]) => entry === wanted).map(([, value]) => value);
    const [stringsAt] = values(tag.strings);
    const strings = stringsAt === undefined ? 0 : offsetOf(stringsAt);
    return {
      ...(interpreter ? { interpreter: text(interpreter.offset) } : {}),
      needed: values(tag.needed).map((at) => text(strings + at)),
      loaded: segments.filter(({ type }) => type === note).flatMap((each) => loadedIn(file, each, number)),
      searched: [...values(tag.rpath), ...values(tag.runpath)].flatMap((at) => text(strings + at).split(':')),
    };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function readSegments(number: (at: number, size: number) => number, wide: boolean): Segment[] {
  const table = wide ? number(32, 8) : number(28, 4);
  const size = number(wide ? 54 : 42, 2);
  const count = number(wide ? 56 : 44, 2);
  return Array.from({ length: count }, (_, index) => {
    const at = table + index * size;
    return {
      type: number(at, 4),
      offset: wide ? number(at + 8, 8) : number(at + 4, 4),
      address: wide ? number(at + 16, 8) : number(at + 8, 4),
      size: wide ? number(at + 32, 8) : number(at + 16, 4),
    };
  });
}

/** Reads the names of libraries in notes. A feature that is only suggested is not for every boot. */
function loadedIn(
  file: Buffer,
  { offset, size }: Segment,
  number: (at: number, size: number) => number,
): string[] {
  const names: string[] = [];
  const aligned = (length: number) => Math.ceil(length / 4) * 4;
  for (let at = offset; at + 12 <= Math.min(offset + size, file.length); ) {
    const [ownerSize, textSize, type] = [number(at, 4), number(at + 4, 4), number(at + 8, 4)];
    const owner = file.toString('latin1', at + 12, at + 12 + ownerSize);
    const start = at + 12 + aligned(ownerSize);
    if (owner === dlopenNote.owner && type === dlopenNote.type)
      for (const name of parseLoaded(file.toString('utf8', start, start + textSize).replace(/\0+$/, '')))
        names.push(name);
    at = start + aligned(textSize);
  }
  return names;
}

function parseLoaded(text: string): string[] {
  try {
    const features: unknown = JSON.parse(text);
    if (!Array.isArray(features)) return [];
    return features.flatMap(({ soname, priority }) =>
      priority === 'suggested' || !Array.isArray(soname)
        ? []
        : soname.filter((name) => typeof name === 'string'),
    );
  } catch {
    return [];
  }
}
