// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod';

// The rows that steps of the guest agent report. `steps.ts` says which step reports which.

export const count = z.number().int().nonnegative();
/** A number of 64 bits that an image may set to anything. */
const any = z.number();
/** A CRC-32 in hexadecimal; in the rows of `walk` also the errno or the signal that stopped the read. */
export const checksum = z.string();

/** A line of a file, without its end. */
export const line = z.strictObject({ line: z.string() });

export const fileSystem = {
  /** As statfs(2) has it, in hexadecimal. */
  type: z.string(),
  readonly: z.boolean(),
  nosuid: z.boolean(),
  nodev: z.boolean(),
  blocks: any,
  bsize: count,
};

const entry = z.strictObject({
  path: z.string(),
  /** An errno, where the directory could not be read to its end. Such a row has nothing but the path beside it. */
  readdir: z.string().optional(),
  mode: count.optional(),
  uid: count.optional(),
  gid: count.optional(),
  nlink: count.optional(),
  /** Seconds. */
  mtime: any.optional(),
  /** Of a device. */
  major: count.optional(),
  minor: count.optional(),
  /** Of a symlink. */
  target: z.string().optional(),
  /** An errno, where the target could not be read. */
  readlink: z.string().optional(),
  /** Of a regular file. */
  size: any.optional(),
  /** An errno, where a file or a directory could not be opened. */
  open: z.string().optional(),
  read: checksum.optional(),
  pread: checksum.optional(),
  private: checksum.optional(),
  shared: checksum.optional(),
  cow: checksum.optional(),
  splice: checksum.optional(),
});

/** An entry of a tree. Extended attributes are keys that begin with `xattr.`. */
type Entry = z.infer<typeof entry> & Readonly<Record<`xattr.${string}`, string>>;

export const walked: z.ZodType<Entry> = entry
  .catchall(z.string())
  .refine((row) => Object.keys(row).every((key) => key in entry.shape || key.startsWith('xattr.')), {
    error: 'a key that is no extended attribute',
  });

/** Pages of a file that a process holds. */
export const holding = z.strictObject({ holder: z.string(), pages: count, crc: checksum });

export const heldPages = holding.extend({
  /** The pages that are within the initrd. */
  inside: count,
  /** The pages of these that the page allocator has never had. */
  reserved: count,
  /** The pages of these that are free or have a new owner. */
  freed: count,
  /** The pages of these that a process has mapped. */
  mapped: count,
});

export const initrdPages = z.strictObject({
  /** All of them, first to last, as the kernel's log has them. */
  pages: count,
  /** The page allocator has never had them. */
  reserved: count,
  /** Nobody has them but the processes of the steps `hold`. */
  held: count,
  /** They were seen free or with a new owner. */
  back: count,
  /** None of this: they are of an image in use, or lost. */
  unknown: count,
});

/** The pages of the initrd, each in one of four states. */
export type InitrdPages = Readonly<z.infer<typeof initrdPages>>;

export const mutant = z.strictObject({
  /** Its number. */
  mutant: count,
  /** `mounted`, or an errno. */
  mount: z.string(),
  entries: count,
  dirs: count,
  files: count,
  links: count,
  xattrs: count,
  programs: count,
  /** Calls that failed. */
  errors: count,
  /** Signals instead of mapped bytes. */
  faults: count,
  bytes: count,
  /** `slow`, `stuck` or `killed`; left out when the process ended by itself. */
  process: z.string().optional(),
  /** The number of images that the kernel has not let go of; left out when there are none. */
  leaked: any.optional(),
  /** Bytes around the image were read as its own; left out when they were not. */
  outside: z.literal(true).optional(),
  /** Lines of the kernel's log that are not EROFS's. */
  kernel: z.string().optional(),
});

/** The outcome of one damaged image. */
export type MutantRow = Readonly<z.infer<typeof mutant>>;
