// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod';
import {
  checksum,
  count,
  fileSystem,
  heldPages,
  holding,
  initrdPages,
  line,
  mutant,
  walked,
} from './rows.ts';

// Every step that the guest agent can take, with the rows that it reports. `guest/agent.h` has the same names.

/** The ways in which `walk` reads a file. The letter asks for one, and its name is the key of the result. */
export const ways = {
  /** read(2), from the start. */
  r: 'read',
  /** pread(2), a page at a time from the end. */
  p: 'pread',
  /** A private mapping. */
  m: 'private',
  /** A shared mapping. */
  s: 'shared',
  /** A private mapping, after another one has been written to. */
  c: 'cow',
  /** splice(2) into a pipe. */
  x: 'splice',
} as const;

/** All of these letters: `rpmscx`. */
export const everyWay = Object.keys(ways).join('');

/** The words of a step, its effect, and the schema of a row. */
interface StepSpec {
  /** As in the script, where commas separate them. */
  readonly words: string;
  readonly does: string;
  readonly row: z.ZodType;
}

/** Without rows a step reports nothing but success or an errno. */
const none = z.never();

/** The result of one system call: `ok` or the name of an errno. */
const called = { call: z.string(), result: z.string() };

export const steps = {
  advise: {
    words: 'FILE',
    does: 'Reads a file with O_DIRECT and gives all advice on it that there is, and some that there is not.',
    row: z.strictObject(called),
  },
  append: { words: 'FILE,TEXT', does: 'Appends text to a file.', row: none },
  attach: { words: 'FD,DIR', does: 'Attaches the detached mount that a descriptor is.', row: none },
  become: {
    words: 'PROGRAM,ARG...',
    does: 'Executes a program as PID 1, which has to execute the agent in the end.',
    row: none,
  },
  beyond: {
    words: 'FILE',
    does: 'Maps a file, reads the page after its last one, and counts bytes of the last page after the end that are not 0.',
    row: z.strictObject({ access: z.string(), tailNonZero: count }),
  },
  bind: { words: 'FROM,DIR', does: 'Makes a bind mount.', row: none },
  cat: { words: 'FILE', does: 'Reports the lines of a file.', row: line },
  chmod: { words: 'FILE,OCTAL', does: 'Changes the mode of a file.', row: none },
  collapse: {
    words: 'FILE',
    does: 'Asks for a huge page of the first 2 MiB of a file and reports whether they read the same afterwards.',
    row: z.union([z.strictObject(called), z.strictObject({ same: z.boolean() })]),
  },
  cost: {
    words: 'WAY,PATH,BYTES',
    does: 'Uses every file of a directory or of a list once, `BYTES` a call, and takes the time. `WAY` is `map`, `open`, `random`, `read`, `sendfile` or `splice`.',
    row: z.strictObject({ ns: count, files: count, bytes: count }),
  },
  crash: {
    words: 'KERNEL,INITRD',
    does: 'Loads a crash kernel and panics. The steps that are left are taken there.',
    row: none,
  },
  drop: { words: '', does: 'Lets the newest process of `hold` end, and reports what it had.', row: holding },
  exchange: { words: 'ONE,OTHER', does: 'Exchanges the names of two files or directories.', row: none },
  exit: { words: 'STATUS', does: 'Ends PID 1, so that the kernel panics.', row: none },
  fds: {
    words: '',
    does: 'Reports the descriptors that PID 1 was started with.',
    row: z.strictObject({
      fd: count,
      target: z.string(),
      cloexec: z.boolean(),
      mode: count,
      ...fileSystem,
    }),
  },
  fork: {
    words: 'FILE,COUNT',
    does: 'Forks with a private mapping of a file that parent and children write to, and reports how long it took.',
    row: z.strictObject({ wrong: count, own: z.boolean(), nanoseconds: count }),
  },
  freeze: { words: 'DIR', does: 'Freezes a file system, so that no write to it ends.', row: none },
  fuzz: {
    words: 'BATCH,FIRST,SECONDS',
    does: 'Mounts and uses the damaged images of a file from number `FIRST` on, for at most `SECONDS` each.',
    row: z.union([z.strictObject({ mutants: count }), mutant]),
  },
  hang: { words: '', does: 'Waits for ever.', row: none },
  hold: {
    words: 'HOW,FILE,FIRST,PAGES[,TARGET]',
    does: 'Starts a process that holds pages of a file. `HOW` is `fd`, `map`, `lock`, `pipe`, `socket` or `flight`, a direct write to `TARGET`.',
    row: holding,
  },
  initrd: {
    words: '[PAGES]',
    does: 'Reports who has the pages of the initrd: a row for each process of `hold`, then one for all pages. `PAGES` of images are expected to be in use.',
    row: z.union([heldPages, initrdPages]),
  },
  kexec: {
    words: 'KERNEL,INITRD',
    does: 'Boots a kernel. The steps that are left are taken there.',
    row: none,
  },
  kmsg: {
    words: '',
    does: "Reports the records of the kernel's log.",
    row: z.strictObject({ us: count, level: count, text: z.string() }),
  },
  loop: {
    words: 'FILE,DEVICE[,rw]',
    does: 'Attaches a file to a loop device, read-only without `rw`.',
    row: none,
  },
  memory: {
    words: '[keep]',
    does: 'Reports free memory once it no longer changes. Caches are dropped before, unless `keep` is given.',
    row: z.strictObject({
      freePages: count,
      perCpuPages: count,
      managedPages: count,
      memTotalKiB: count,
      memFreeKiB: count,
      memAvailableKiB: count,
      /** The number of times that the memory was looked at. */
      samples: count,
    }),
  },
  mkdir: { words: 'DIR[,OCTAL]', does: 'Makes a directory.', row: none },
  mount: { words: 'SOURCE,DIR,TYPE[,ro]', does: 'Mounts a file system.', row: none },
  mounts: { words: '', does: 'Reports the lines of /proc/self/mountinfo.', row: line },
  newroot: { words: 'DIR', does: 'Mounts a tmpfs with the agent and mount points in it.', row: none },
  physical: {
    words: 'ADDRESS,BYTES',
    does: 'Reports up to 64 bytes of memory, by their physical address, through `/dev/mem`.',
    row: z.strictObject({ hex: z.string() }),
  },
  pid1: {
    words: '',
    does: 'Reports arguments and environment of PID 1, one a row.',
    row: z.strictObject({ arg: z.string().optional(), env: z.string().optional() }),
  },
  pin: {
    words: 'FILE,PAGES',
    does: 'Puts mapped pages of a file into a pipe, which outlives the mapping and the root.',
    row: z.strictObject({ bytes: count }),
  },
  pivot: {
    words: 'DIR',
    does: 'Makes a mount the root, lets go of the old one, and goes on from the agent there.',
    row: none,
  },
  press: {
    words: 'KIB',
    does: 'Starts processes that take all memory but `KIB`, drop caches and compact memory until `relax`.',
    row: none,
  },
  probe: {
    words: 'FILE',
    does: 'Makes calls other than reads on a file and reports their results.',
    row: z.strictObject({
      call: z.string().optional(),
      result: z.string().optional(),
      mapping: z.string().optional(),
    }),
  },
  protect: {
    words: 'FILE',
    does: 'Makes a mapping of a file executable that was not.',
    row: z.strictObject(called),
  },
  relax: { words: '', does: 'Ends the processes of `press`.', row: none },
  rename: { words: 'FROM,TO', does: 'Renames a file.', row: none },
  resident: {
    words: 'DIR',
    does: 'Reports the bytes of the files in a directory that are in the page cache.',
    row: z.strictObject({ files: count, bytes: count }),
  },
  run: {
    words: 'PROGRAM,ARG...',
    does: 'Runs a program to its end and reports its exit status and its output.',
    row: z.strictObject({ status: count, out: z.string() }),
  },
  say: { words: 'TEXT', does: "Writes a line to the kernel's log, with blanks for `_`.", row: none },
  shell: {
    words: 'PROGRAM',
    does: 'Runs an interactive shell on the console to its end.',
    row: z.strictObject({ status: count }),
  },
  sleep: { words: 'SECONDS', does: 'Waits.', row: none },
  statfs: { words: 'PATH', does: 'Reports the file system of a path.', row: z.strictObject(fileSystem) },
  thaw: { words: 'DIR', does: 'Ends the effect of `freeze`.', row: none },
  umount: { words: 'DIR', does: 'Unmounts a file system.', row: none },
  unlink: { words: 'FILE', does: 'Removes a file.', row: none },
  unpin: {
    words: '',
    does: 'Reads what `pin` put into the pipe, and closes it.',
    row: z.strictObject({ bytes: count, crc: checksum }),
  },
  vanish: { words: '', does: 'Resets the machine without a last line of the verdict.', row: none },
  walk: {
    words: 'WHERE[,WAYS[,MOST]]',
    does: 'Reports every entry of the tree at a path or a descriptor (`fd:3`), each file read in the ways asked for: `r` read, `p` pread from the end, `m` private mapping, `s` shared mapping, `c` private mapping after writes to another, `x` splice. MOST bounds the bytes read of each.',
    row: walked,
  },
  write: { words: 'FILE,TEXT', does: 'Writes a file anew.', row: none },
} as const satisfies Readonly<Record<string, StepSpec>>;

export type StepName = keyof typeof steps;

/** One step of a script: its name and its words. */
export type Step = readonly [name: StepName, ...words: (string | number)[]];

/** One row of what a step reports. Text is Latin-1: a character is a byte. */
export type Row<Name extends StepName> = Readonly<z.infer<(typeof steps)[Name]['row']>>;

/** One row of a step that is not known by name. */
export type AnyRow = Readonly<Record<string, string | number | boolean | undefined>>;

export function isStepName(name: string): name is StepName {
  return Object.hasOwn(steps, name);
}
