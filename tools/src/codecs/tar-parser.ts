// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';
import { alignUp, displayName } from './bytes.ts';
import {
  cutAtNul,
  type PaxRecord,
  paxSize,
  paxText,
  readPax,
  readTarHeader,
  type TarHeader,
  tarBlock,
} from './tar.ts';
import { checkPieces, oldSparse, readOldPieces, type Sparse, sparseOf } from './tar-sparse.ts';

export type TarType = 'file' | 'link' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo';

/** Entry of a tar archive, with what extended headers before it say. */
export interface TarMeta extends Omit<TarHeader, 'typeflag'> {
  type: TarType;
  /** Offset of its header. */
  offset: number;
  /** Records of pax headers in their order, those for all entries first. */
  pax: PaxRecord[];
  /** Pieces of a sparse file, which the data holds. */
  sparse?: Sparse;
}

/** Receiver of the entries of an archive. */
export interface TarSink {
  /** Takes an entry. @returns a function that takes its data in parts, or nothing to skip the data. */
  entry(meta: TarMeta): ((data: Uint8Array) => void) | undefined;
  /** Is called after the data of an entry. */
  end(meta: TarMeta): void;
}

const types: Record<string, TarType> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  S: 'file',
  V: 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  // Directory of an incremental archive of GNU tar. Its data is a list of names.
  D: 'directory',
  '6': 'fifo',
};
/** Limit of a header that is kept in memory. */
const headerLimit = 16 * 2 ** 20;

type State = 'header' | 'extension' | 'pieces' | 'data' | 'end';

/** Parser of a tar archive that takes its bytes in chunks. */
export class TarParser {
  readonly #sink: TarSink;
  #position = 0;
  #state: State = 'header';
  /** Bytes of a header that lie in several chunks. */
  #collected: Buffer[] = [];
  #missing = tarBlock;
  #headerAt = 0;
  #extension = '';
  #extensionSize = 0;
  #global: PaxRecord[] = [];
  #pax: PaxRecord[] = [];
  #longName: string | undefined;
  #longLink: string | undefined;
  #meta!: TarMeta;
  #isSkipped = false;
  #take: ((data: Uint8Array) => void) | undefined;
  #padding = 0;
  #restAt: number | undefined;

  constructor(sink: TarSink) {
    this.#sink = sink;
  }

  /** @throws Failure (input, with the offset) when the archive is damaged. */
  push(chunk: Uint8Array): void {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    while (rest.length > 0) {
      if (this.#state === 'end') {
        this.#look(rest);
        return;
      }
      const part = rest.subarray(0, this.#missing);
      rest = rest.subarray(part.length);
      this.#position += part.length;
      this.#missing -= part.length;
      if (this.#state === 'data') this.#pushData(part);
      else {
        this.#collected.push(Buffer.from(part));
        if (this.#missing === 0) this.#at(() => this.#pushHeader(this.#takeCollected()));
      }
    }
  }

  /** @throws Failure (input, with the offset) when the archive is truncated. */
  finish(): void {
    if (this.#state === 'end') return;
    const isBetween = this.#state === 'header' && this.#collected.length === 0;
    if (!isBetween || this.#pax.length > 0 || this.#longName !== undefined)
      this.#at(() => {
        throw new Failure('input', 'tar: the archive is truncated; get the whole of it');
      });
  }

  /** Offset of the first byte after the end of the archive that is not 0, if there is any. */
  get restAt(): number | undefined {
    return this.#restAt;
  }

  #look(rest: Buffer): void {
    const found = this.#restAt === undefined ? rest.findIndex((byte) => byte !== 0) : -1;
    if (found >= 0) this.#restAt = this.#position + found;
    this.#position += rest.length;
  }

  #takeCollected(): Buffer {
    const [only] = this.#collected;
    const bytes = only && this.#collected.length === 1 ? only : Buffer.concat(this.#collected);
    this.#collected = [];
    return bytes;
  }

  #pushHeader(bytes: Buffer): void {
    if (this.#state === 'extension') {
      this.#extend(bytes.subarray(0, this.#extensionSize));
      this.#expectHeader();
    } else if (this.#state === 'pieces') this.#addPieces(bytes);
    else this.#begin(bytes);
  }

  #expectHeader(): void {
    this.#state = 'header';
    this.#missing = tarBlock;
  }

  #begin(block: Buffer): void {
    this.#headerAt = this.#position - tarBlock;
    const header = readTarHeader(block);
    if (!header) {
      this.#state = 'end';
      return;
    }
    const { typeflag, size } = header;
    if (size < 0) throw new Failure('input', 'tar: a header with a negative size; the archive is damaged');
    if ('xXgLK'.includes(typeflag)) {
      if (size > headerLimit)
        throw new Failure('input', `tar: an extended header of ${size} bytes; the archive is damaged`);
      this.#extension = typeflag;
      this.#extensionSize = size;
      this.#state = 'extension';
      this.#missing = alignUp(size, tarBlock);
      if (size === 0) this.#expectHeader();
      return;
    }
    this.#meta = this.#metaOf(header);
    this.#pax = [];
    this.#longName = undefined;
    this.#longLink = undefined;
    // The name of the volume is no file.
    this.#isSkipped = typeflag === 'V';
    if (typeflag === 'S') {
      const { sparse, isContinued } = oldSparse(block);
      this.#meta.sparse = sparse;
      if (isContinued) this.#expectPieces();
      else this.#enter();
    } else this.#enter();
  }

  /** Reads an extended header: records of pax, or a name that is too long for the next header (GNU). */
  #extend(data: Buffer): void {
    if (this.#extension === 'g') this.#global = this.#global.concat(readPax(data));
    else if (this.#extension === 'L') this.#longName = cutAtNul(data.toString('latin1'));
    else if (this.#extension === 'K') this.#longLink = cutAtNul(data.toString('latin1'));
    else this.#pax = this.#pax.concat(readPax(data));
  }

  #expectPieces(): void {
    this.#state = 'pieces';
    this.#missing = tarBlock;
  }

  #addPieces(block: Buffer): void {
    const { pieces, isContinued } = readOldPieces(block, 0, 21);
    const map = this.#meta.sparse?.map ?? [];
    map.push(...pieces);
    checkPieces(map.length / 2);
    if (isContinued) this.#expectPieces();
    else this.#enter();
  }

  #metaOf({ typeflag, ...header }: TarHeader): TarMeta {
    const pax = [...this.#global, ...this.#pax];
    const text = (key: string) => paxText(pax, key);
    const number = (key: string) => {
      const found = text(key);
      if (found === undefined || found === '') return undefined;
      const value = key === 'size' ? paxSize(found) : Math.floor(Number(found));
      if (value !== undefined && Number.isFinite(value)) return value;
      throw new Failure('input', `tar: a pax header whose ${key} is no number; the archive is damaged`);
    };
    const name = text('path') ?? this.#longName ?? header.name;
    const isFolder = name.endsWith('/') && (typeflag === '0' || typeflag === '\0');
    const type = isFolder ? 'directory' : types[typeflag];
    if (!type)
      throw new Failure(
        'input',
        `tar: ${displayName(name)} is of the type ${JSON.stringify(typeflag)}, which is not known here; leave it out`,
      );
    const sparse = sparseOf(pax);
    return {
      ...header,
      name: sparse?.name ?? name,
      linkName: text('linkpath') ?? this.#longLink ?? header.linkName,
      type,
      uid: number('uid') ?? header.uid,
      gid: number('gid') ?? header.gid,
      mtime: number('mtime') ?? header.mtime,
      // A hard link has no data, although some programs note the size of the file.
      size: type === 'link' ? 0 : (number('size') ?? header.size),
      offset: this.#headerAt,
      pax,
      ...(sparse ? { sparse } : {}),
    };
  }

  #enter(): void {
    const { size } = this.#meta;
    this.#take = this.#isSkipped ? undefined : this.#sink.entry(this.#meta);
    this.#state = 'data';
    this.#missing = alignUp(size, tarBlock);
    this.#padding = this.#missing - size;
    if (this.#missing === 0) this.#finishEntry();
  }

  #pushData(part: Buffer): void {
    // The padding comes at the end.
    const data = part.subarray(0, Math.max(0, part.length - Math.max(0, this.#padding - this.#missing)));
    if (data.length > 0) this.#at(() => this.#take?.(data));
    if (this.#missing === 0) this.#finishEntry();
  }

  #finishEntry(): void {
    if (!this.#isSkipped) this.#at(() => this.#sink.end(this.#meta));
    this.#expectHeader();
  }

  #at(run: () => void): void {
    try {
      run();
    } catch (error) {
      // The sink fails for other reasons than the data, such as a full disk.
      if (!(error instanceof Failure) || error.kind !== 'input' || error.offset !== undefined) throw error;
      throw new Failure('input', error.problem, { file: error.file, offset: this.#headerAt });
    }
  }
}
