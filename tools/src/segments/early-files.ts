// SPDX-License-Identifier: GPL-2.0-only
import { alignUp, displayName, numberAt } from '../codecs/bytes.ts';
import { type FileType, typeOfMode } from '../codecs/file-type.ts';
import { newcHeaderSize, pathOfName } from '../codecs/newc.ts';
import type { NewcMeta, NewcSink } from '../codecs/newc-parser.ts';
import { asSource, chunksOf, type Source } from '../host/source.ts';
import { acpiFolder, EarlyWalk, isEarlyName, microcodeFolder } from './early.ts';
import type { SegmentSpan } from './segment.ts';
import type { Warning } from './warnings.ts';

/** Files of microcode (ucode_path in arch/x86/kernel/cpu/microcode/amd.c and intel.c). */
const microcodeFiles = ['AuthenticAMD.bin', 'GenuineIntel.bin'].map((name) => microcodeFolder + name);

/** Signatures of the ACPI tables that the kernel takes (table_sigs in drivers/acpi/tables.c, Linux 7.3). */
const signatures = new Set(
  `BERT BGRT CPEP ECDT EINJ ERST HEST APIC MSCT SBST SLIT SRAT ASF! BOOT DBGP DMAR HPET IBFT IVRS MCFG MCHI SLIC SPCR SPMI
  TCPA UEFI WAET WDAT WDDT WDRT DSDT FACP PSDT RSDT XSDT SSDT IORT NFIT HMAT PPTT NHLT AEST CEDT AGDI NBFT SWFT MPAM`.split(
    /\s+/,
  ),
);
/** Files that it looks at (NR_ACPI_INITRD_TABLES). */
const tableLimit = 64;
/** Bytes of struct acpi_table_header. */
const tableHeaderSize = 36;

/** File of an archive in which the kernel looks for early-boot data. */
export interface EarlyFile {
  /** Name as the archive has it. */
  name: string;
  type: FileType | undefined;
  size: number;
  content: () => Iterable<Uint8Array>;
}

/** Outcome of a look at a file. */
export interface EarlyLook {
  isTaken: boolean;
  /** Reason why it is not taken, or not as what it is meant. */
  doubt?: string;
}

/** Look at files in their order like the CPU and ACPI code, which search by name (find_cpio_data() in lib/earlycpio.c). */
export class EarlyFiles {
  readonly #taken = new Set<string>();
  #tables = 0;

  look(file: EarlyFile): EarlyLook {
    const path = pathOfName(file.name);
    if (!isEarlyName(path) || file.type === 'directory') return { isTaken: false };
    const problem = this.#problemOf(file, path);
    if (problem !== undefined) return { isTaken: false, doubt: `the kernel does not take it: ${problem}` };
    if (!path.startsWith(microcodeFolder) || microcodeFiles.includes(path)) return { isTaken: true };
    return {
      isTaken: true,
      doubt: `the kernel takes it for ${wantedBy(path)}, as its name starts so; rename it`,
    };
  }

  #problemOf(file: EarlyFile, path: string): string | undefined {
    if (file.name !== path)
      return `its name has to start with kernel/, and it starts otherwise; name it ${path}`;
    if (file.type !== 'file')
      return `it is no regular file, but a ${file.type ?? 'thing of an unknown type'}`;
    if (path.startsWith(acpiFolder)) return this.#problemOfTable(file);
    const wanted = wantedBy(path);
    if (wanted === undefined) return `it is neither ${microcodeFiles.join(' nor ')}`;
    if (this.#taken.has(wanted)) return `the first one counts; put all microcode into that one`;
    this.#taken.add(wanted);
    return file.size === 0 ? 'it is empty' : undefined;
  }

  #problemOfTable({ size, content }: EarlyFile): string | undefined {
    if (++this.#tables > tableLimit) return `the first ${tableLimit} ACPI tables count`;
    if (size < tableHeaderSize) return 'it is shorter than the header of an ACPI table';
    let header: Uint8Array = new Uint8Array();
    let sum = 0;
    for (const part of content()) {
      if (header.length < tableHeaderSize) {
        header = Buffer.concat([header, part.subarray(0, tableHeaderSize)]);
        const problem = header.length < tableHeaderSize ? undefined : problemOfHeader(header, size);
        if (problem !== undefined) return problem;
      }
      for (const byte of part) sum = (sum + byte) & 0xff;
    }
    return sum === 0 ? undefined : 'the checksum of the ACPI table is wrong';
  }
}

function wantedBy(path: string): string | undefined {
  return microcodeFiles.find((wanted) => path.startsWith(wanted));
}

function problemOfHeader(header: Uint8Array, size: number): string | undefined {
  const signature = Buffer.from(header.subarray(0, 4)).toString('latin1');
  if (!signatures.has(signature))
    return `its signature is ${displayName(signature)}, which is no ACPI table to replace`;
  const length = numberAt(asSource(header), 4, 4);
  return length === size ? undefined : `it has ${size} bytes, and by its header ${length}`;
}

/** Look at the early-boot data of an initrd while that is divided into segments. */
export class EarlyCheck {
  readonly #source: Source;
  readonly #files = new EarlyFiles();
  readonly #walk = new EarlyWalk();
  #entries: NewcMeta[] = [];

  constructor(source: Source) {
    this.#source = source;
  }

  /** Makes the receiver of the entries of the next segment. Contents are read later, as the walk needs its chunk. */
  readonly sink = (): NewcSink => {
    this.#entries = [];
    return {
      entry: (meta) => {
        if (isEarlyName(meta.name) || isEarlyName(pathOfName(meta.name))) this.#entries.push(meta);
        return undefined;
      },
    };
  };

  /** Looks at the early-boot data of the segment that the walk has found. @returns the bytes of what the kernel takes. */
  after(segment: SegmentSpan): { takenBytes: number; warnings: Warning[] } {
    const entries = this.#entries;
    this.#entries = [];
    let takenBytes = 0;
    const warnings: Warning[] = [];
    if (!this.#walk.pass(segment)) return { takenBytes, warnings };
    for (const { name, mode, size, offset, nameSize } of entries) {
      const data = alignUp(offset + newcHeaderSize + nameSize, 4);
      const content = () => chunksOf(this.#source, data, data + size);
      const { isTaken, doubt } = this.#files.look({ name, type: typeOfMode(mode), size, content });
      if (isTaken) takenBytes += size;
      if (doubt !== undefined) warnings.push({ offset, message: `${displayName(name)}: ${doubt}` });
    }
    return { takenBytes, warnings };
  }
}
