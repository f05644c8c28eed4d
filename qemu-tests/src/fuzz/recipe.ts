// SPDX-License-Identifier: GPL-2.0-only
import { noise, prose } from '../images/tree.ts';

/** An image that mutants are made from: one more way for mkfs.erofs to store the same small tree. */
export interface Recipe {
  readonly name: string;
  /** Arguments of mkfs.erofs. */
  readonly options: readonly string[];
}

/**
 * The images. Each has something that the others have not: another layout of data or indexes, another compressor,
 * another size of blocks or of physical clusters.
 */
export const recipes: readonly Recipe[] = [
  { name: 'plain', options: [] },
  { name: 'plain-512', options: ['-b512', '-Enoinline_data,force-inode-extended'] },
  { name: 'chunks', options: ['--chunksize=4096'] },
  { name: 'chunks-1024', options: ['-b1024', '--chunksize=2048'] },
  { name: 'lz4-full', options: ['-zlz4', '-Elegacy-compress'] },
  { name: 'lz4hc', options: ['-zlz4hc'] },
  { name: 'lz4hc-64k', options: ['-zlz4hc', '-C65536'] },
  { name: 'lz4hc-1024', options: ['-b1024', '-zlz4hc', '-C4096'] },
  { name: 'lz4hc-tail', options: ['-zlz4hc', '-C16384', '-Eztailpacking,fragments'] },
  { name: 'lz4hc-dedupe', options: ['-zlz4hc', '-C8192', '-Ededupe,fragments'] },
  { name: 'lz4hc-fragments', options: ['-zlz4hc', '-C65536', '-Eall-fragments'] },
  { name: 'lzma', options: ['-zlzma', '-C65536', '-Eztailpacking'] },
  { name: 'deflate', options: ['-zdeflate', '-C8192'] },
  { name: 'deflate-2048', options: ['-b2048', '-zdeflate', '-C16384', '-Efragments'] },
  { name: 'zstd', options: ['-zzstd', '-C4096'] },
  { name: 'zstd-64k', options: ['-zzstd', '-C65536', '-Ededupe,all-fragments'] },
  { name: 'prefixes', options: ['-x3', '--xattr-prefix=user.long.prefix.', '-Exattr-name-filter'] },
];

/** Images with 48BIT, which Linux knows since 6.15, and METABOX, since 6.17. mkfs.erofs makes them since 1.9. */
export const newerRecipes: readonly Recipe[] = [
  { name: 'wide', options: ['-E48bit', '-zlz4hc', '-C8192'] },
  { name: 'wide-chunks', options: ['-E48bit', '--chunksize=4096'] },
  { name: 'metabox', options: ['-m4096'] },
  { name: 'metabox-lz4hc', options: ['-m4096', '-zlz4hc', '-C16384'] },
];

/** Options of every image, so that its bytes are the same each time. */
export const commonOptions = ['-T0', '-U00000000-0000-4000-8000-000000000000', '--quiet'];

/** A member of the tree; `xattrs` are byte strings, and so is the name. */
export interface Member {
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'link' | 'character-device' | 'fifo';
  readonly mode: number;
  readonly content?: Buffer;
  readonly target?: string;
  readonly xattrs?: Readonly<Record<string, string>>;
}

/**
 * Makes the smallest program there is, exit(0), in the second page of its file. The header is that of elf(5); the
 * only segment is the whole file.
 */
function program(): Buffer {
  const bytes = Buffer.alloc(4096 + 64);
  const start = 0x40_0000;
  bytes.write('\x7fELF\x02\x01\x01', 'latin1');
  bytes.writeUInt16LE(2, 16); // ET_EXEC
  bytes.writeUInt16LE(62, 18); // EM_X86_64
  bytes.writeUInt32LE(1, 20);
  bytes.writeBigUInt64LE(BigInt(start + 4096), 24);
  bytes.writeBigUInt64LE(64n, 32); // program headers
  bytes.writeUInt16LE(64, 52);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(1, 56);
  bytes.writeUInt32LE(1, 64); // PT_LOAD
  bytes.writeUInt32LE(5, 68); // readable, executable
  bytes.writeBigUInt64LE(BigInt(start), 80);
  bytes.writeBigUInt64LE(BigInt(start), 88);
  bytes.writeBigUInt64LE(BigInt(bytes.length), 96);
  bytes.writeBigUInt64LE(BigInt(bytes.length), 104);
  bytes.writeBigUInt64LE(4096n, 112);
  // mov $60, %eax; xor %edi, %edi; syscall
  Buffer.from('b83c00000031ff0f05', 'hex').copy(bytes, 4096);
  return bytes;
}

/** Encodes an access control list as struct posix_acl_xattr_header and its entries (tag, permissions, id) have it. */
function accessControlList(entries: readonly (readonly [tag: number, permissions: number, id: number])[]) {
  const bytes = Buffer.alloc(4 + 8 * entries.length);
  bytes.writeUInt32LE(2, 0);
  for (const [n, [tag, permissions, id]] of entries.entries()) {
    bytes.writeUInt16LE(tag, 4 + 8 * n);
    bytes.writeUInt16LE(permissions, 6 + 8 * n);
    bytes.writeUInt32LE(id, 8 + 8 * n);
  }
  return bytes.toString('latin1');
}

/** The entries of owner, a user, the group, the mask, others. */
const acl = accessControlList([
  [1, 6, 0],
  [2, 4, 100],
  [4, 4, 0],
  [16, 4, 0],
  [32, 4, 0],
]);

/** Returns a tree with every kind of thing that an image can hold, small, so that an edit anywhere hits something. */
export function members(): Member[] {
  const text = prose(40_000, 1);
  const file = (name: string, content: Buffer, more: Partial<Member> = {}): Member => ({
    name,
    type: 'file',
    mode: 0o644,
    content,
    ...more,
  });
  const shared = { 'user.shared': 'the same in several files, so that it is stored once' };
  const crowd = Array.from({ length: 90 }, (_, n): Member => {
    const name = `crowd/${'entry'.repeat(1 + (n % 12))}-${n}`;
    return { name, type: 'link', mode: 0o644, target: 'empty' };
  });
  return [
    { name: './', type: 'directory', mode: 0o755, xattrs: shared },
    file('empty', Buffer.alloc(0)),
    file('inline', prose(150, 2), { xattrs: { ...shared, 'user.own': 'a' } }),
    file('prose', text, { xattrs: shared }),
    file('again', Buffer.concat([prose(1000, 7), text.subarray(0, 20_000)])),
    file('noise', noise(6000, 3)),
    file('mixed', Buffer.concat([prose(9000, 4), noise(3000, 5), Buffer.alloc(20_000), prose(5000, 6)])),
    file('hole', Buffer.concat([Buffer.alloc(50_000), prose(5000, 8)])),
    file('program', program(), { mode: 0o755 }),
    file('attributes', prose(10, 9), {
      xattrs: {
        ...shared,
        'user.long': prose(600, 10).toString(),
        'user.empty': '',
        'user.long.prefix.one': '1',
        'user.long.prefix.two': '2',
        'security.test': 'label',
        'trusted.test': 'for root',
        'system.posix_acl_access': acl,
      },
    }),
    { name: 'link', type: 'symlink', mode: 0o777, target: 'deep/er' },
    { name: 'long-link', type: 'symlink', mode: 0o777, target: '/target'.repeat(300) },
    { name: 'null', type: 'character-device', mode: 0o666 },
    { name: 'fifo', type: 'fifo', mode: 0o600 },
    { name: 'deep', type: 'directory', mode: 0o1777, xattrs: { 'system.posix_acl_default': acl } },
    { name: 'deep/er', type: 'directory', mode: 0o755 },
    file('deep/er/bottom', prose(4100, 11)),
    { name: 'crowd', type: 'directory', mode: 0o755 },
    ...crowd,
  ];
}
