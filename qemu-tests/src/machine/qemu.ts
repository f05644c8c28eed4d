// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Architecture, architectureFrom } from '../host/architecture.ts';
import { cacheRoot } from '../host/cache.ts';
import { onDebug } from '../host/variant.ts';
import { commandLine } from './script.ts';
import type { Step } from './steps.ts';

/** The names of ports begin so; `guest/agent.h` has that of the verdict. */
const portPrefix = 'org.initoverlayfs.';

/** The rates of a slow disk, as whole numbers. QEMU lets through at first as much as takes 0.1 s at these rates. */
export interface Throttle {
  readonly bytesPerSecond: number;
  readonly requestsPerSecond: number;
}

/** The factor by which an instruction takes longer when the guest's clock keeps step with the host's. */
export const inStep = 32;

const icounts = {
  'no-sleep': 'shift=0,sleep=off',
  sleep: 'shift=0,sleep=on',
  'in-step': `shift=${Math.log2(inStep)},sleep=on,align=on`,
} as const satisfies Record<NonNullable<Machine['icount']>, string>;

/** The machine to boot. Paths are absolute. */
export interface Machine {
  readonly kernel: string;
  readonly initrd?: string | undefined;
  /** Boots bzImage also where vmlinux would do. On x86. */
  readonly bzImage?: boolean | undefined;
  /** More words of the kernel's command line. */
  readonly append?: string | undefined;
  /** The agent's script; without one there is no verdict port. */
  readonly steps?: readonly Step[] | undefined;
  /** Default 512. */
  readonly memoryMiB?: number | undefined;
  /** Has memory with tags, which arm64 calls MTE. Default: the processor cannot do it. */
  readonly memoryTags?: boolean | undefined;
  /** The part of it below 4 GiB, less than 2048; the rest begins at 4 GiB. On x86. Default: all of it. */
  readonly belowFourGiBMiB?: number | undefined;
  /** Default 1. */
  readonly cpus?: number | undefined;
  /** With more than 3.5 GiB, `pc` has 3 of them below 4 GiB and q35 has 2. On x86. Default: q35. */
  readonly chipset?: 'pc' | undefined;
  /** Tells the kernel to read the ACPI tables also where it could do without. On x86. */
  readonly acpi?: boolean | undefined;
  /** Has kmemleak watch what is allocated, where the kernel has it. */
  readonly leaks?: boolean | undefined;
  /**
   * Count instructions instead of time: the guest's clock is then the same on every host. With `no-sleep` the clock
   * may run ahead while the guest idles, which suits boots without a disk. `in-step` is for things that QEMU times by
   * the host's clock, such as `throttle`: an instruction takes `inStep` times as long. The guest's clock then never
   * runs ahead of the host's, and on a host that is not busy it does not stay behind either.
   */
  readonly icount?: 'no-sleep' | 'sleep' | 'in-step' | undefined;
  /** Raw disk images, as virtio disks; nothing is written back to them. */
  readonly disks?: readonly string[] | undefined;
  /** The limit of each disk's reads, by the host's clock. */
  readonly throttle?: Throttle | undefined;
  /** Files that are in memory, at physical addresses, when the kernel starts. */
  readonly loads?: readonly { readonly file: string; readonly address: number }[] | undefined;
  /**
   * Words of QEMU's command line for another way to load kernel, initrd and command line than QEMU's own. What it loads
   * is the caller's to make: see `loaders.ts`.
   */
  readonly loader?: readonly string[] | undefined;
  /** A plugin of TCG with its options, as QEMU's -plugin takes it. */
  readonly plugin?: string | undefined;
  /** Files for further serial ports: /dev/ttyS1 and so on; on arm64, which has no more, /dev/vport0p1 and so on. */
  readonly serialLogs?: readonly string[] | undefined;
}

/** The files that a run writes. */
export interface Channels {
  readonly consoleLog: string;
  readonly verdict: string;
}

/** Choices of the person who runs the tests, not of a test. */
export interface Host {
  readonly architecture: Architecture;
  readonly qemu: string;
  readonly accel: string;
}

export function hostFrom(environment: NodeJS.ProcessEnv): Host {
  const architecture = architectureFrom(environment);
  const qemu = environment.QEMU || `qemu-system-${architecture === 'arm64' ? 'aarch64' : architecture}`;
  return { architecture, qemu, accel: environment.ACCEL || 'tcg' };
}

/** Quotes a value for QEMU, whose options want a comma doubled. */
export function value(text: string): string {
  return text.replaceAll(',', ',,');
}

/** Returns the end of a -drive option. */
function limits(throttle: Throttle | undefined): string {
  if (throttle === undefined) return '';
  return `,throttling.bps-read=${throttle.bytesPerSecond},throttling.iops-read=${throttle.requestsPerSecond}`;
}

/** Parts of a machine that differ by architecture. */
interface Platform {
  /** The words that the kernel's command line begins with. */
  readonly words: (machine: Partial<Machine>) => string;
  readonly kernel: (machine: Machine) => string;
  readonly machine: (machine: Machine) => string;
  readonly cpu: (machine: Machine, accel: string) => string;
  /** The arguments for a further serial port that writes to a file. */
  readonly serial: (file: string, index: number, counting: boolean) => readonly string[];
}

/** Returns the arguments for a port of virtio that writes to a file. */
function virtioPort(id: string, file: string, counting: boolean): string[] {
  return [
    // Under TCG another thread serves an ioeventfd, and its speed would count in the guest's clock.
    ...['-device', `virtio-serial-pci${counting ? ',ioeventfd=off' : ''}`],
    ...['-chardev', `file,id=${id},path=${value(file)}`],
    ...['-device', `virtserialport,chardev=${id},name=${portPrefix}${id}`],
  ];
}

/** The folder of the kernels that the project builds. */
const ownKernels = join(cacheRoot(), 'kernel/');

/**
 * Tells whether a boot may be made shorter by what the project knows of its kernels. Where instructions are counted, the
 * figures are to be of a whole boot; the sanitizers make half of it of the ACPI tables.
 */
function isShort({ kernel, icount }: Partial<Machine>): boolean {
  return kernel?.startsWith(ownKernels) === true && (icount === undefined || onDebug);
}

/**
 * Returns the first words. A short boot makes no loop devices before somebody wants one. On one processor it does
 * without the ACPI tables, without the timer of the APIC and without timing its own delay loop: to interpret the first
 * and to find the rates of the others is a third of a boot. The rate given is above that of hosts of today, so that no
 * delay is too short. Other kernels may need all this, such as Debian's, which warns of interrupts then.
 */
function x86Words(machine: Partial<Machine>): string {
  const { cpus = 1, acpi = !isShort(machine) } = machine;
  const words = `console=ttyS0 panic=-1 no_timer_check${isShort(machine) ? ' loop.max_loop=0' : ''}`;
  if (cpus > 1) return `${words} tsc=nowatchdog`;
  return acpi ? words : `${words} acpi=off nolapic_timer lpj=4000000`;
}

/**
 * Returns the file to boot. A short boot takes vmlinux as it is, by its entry for PVH: to decompress it out of bzImage
 * is a sixth of a boot.
 */
function x86Kernel(machine: Machine): string {
  return isShort(machine) && !machine.bzImage ? join(dirname(machine.kernel), 'vmlinux') : machine.kernel;
}

/**
 * A q35 machine. The timer is not checked, because the check fails on a busy host.
 *
 * With several processors the clock is not watched. Linux 7.3 compares the TSC of two of them from a timer, with
 * interrupts off and until the jiffies say that it took too long. If that timer runs while stop_machine() waits to
 * switch from the jiffies to the TSC, nobody counts jiffies any more: of a hundred boots on a busy host two hang there,
 * in clocksource_watchdog().
 *
 * The processor has no five-level page tables. While Linux 6.12 finds out about the processor (identify_cpu() clears
 * boot_cpu_data.x86_capability and fills it in again), pgtable_l5_enabled() says no, and KASAN takes the shadow to be
 * at its address for four levels. An interrupt in those microseconds is reported as a wild memory access, in one boot
 * of some sixty.
 */
const x86: Platform = {
  words: x86Words,
  kernel: x86Kernel,
  machine: ({ chipset = 'q35', belowFourGiBMiB }) =>
    belowFourGiBMiB === undefined ? chipset : `${chipset},max-ram-below-4g=${belowFourGiBMiB}M`,
  cpu: (_, accel) => `${accel === 'kvm' ? 'host' : 'max'},la57=off`,
  serial: (file) => ['-serial', `file:${value(file)}`],
};

/** QEMU's own machine, with the processor of a Raspberry Pi 5, which has pages of all sizes. */
const arm64: Platform = {
  words: () => 'console=ttyAMA0 panic=-1',
  kernel: ({ kernel }) => kernel,
  machine: ({ memoryTags = false }) => `virt${memoryTags ? ',mte=on' : ''}`,
  cpu: ({ memoryTags = false }, accel) =>
    accel === 'kvm' ? 'host' : memoryTags ? 'max,pauth-impdef=on' : 'cortex-a76',
  serial: (file, index, counting) => virtioPort(`serial${index}`, file, counting),
};

const platforms = { x86_64: x86, arm64 } as const satisfies Record<Architecture, Platform>;

/** Returns what -m takes. */
function memorySize(mebibytes: number): string {
  return Number.isInteger(mebibytes) ? `${mebibytes}M` : `${mebibytes * 1024}K`;
}

/** Throws a RangeError for a part that no machine of the architecture has. */
function refuseForeignParts(machine: Machine, architecture: Architecture): void {
  const foreign = {
    x86_64: { memoryTags: machine.memoryTags },
    arm64: { bzImage: machine.bzImage, chipset: machine.chipset, belowFourGiBMiB: machine.belowFourGiBMiB },
  }[architecture];
  for (const [name, given] of Object.entries(foreign)) {
    if (given !== undefined) throw new RangeError(`${name}: a machine of ${architecture} has none`);
  }
}

/** Tells whether one of the project's kernels, by the configuration beside it, has kmemleak. */
function hasKmemleak(kernel: string): boolean {
  const configuration = join(dirname(kernel), '.config');
  return existsSync(configuration) && /^CONFIG_DEBUG_KMEMLEAK=y$/m.test(readFileSync(configuration, 'utf8'));
}

/**
 * Returns the whole command line of a machine's kernel. kmemleak records a stack for all that is allocated, which is a
 * quarter of a boot, and nobody reads what it finds but a test that asks for it.
 */
export function wholeCommandLine(machine: Partial<Machine>, host = hostFrom(process.env)): string {
  const { kernel, leaks = false, append = '', steps } = machine;
  const unwatched = !leaks && kernel !== undefined && hasKmemleak(kernel) ? ' kmemleak=off' : '';
  return commandLine(`${platforms[host.architecture].words(machine)}${unwatched}`, append, steps);
}

/** Returns the arguments for a machine without its console. */
function machineArguments(machine: Machine, host: Host): string[] {
  const counting = machine.icount !== undefined;
  const accel = counting ? 'tcg' : host.accel;
  const platform = platforms[host.architecture];
  refuseForeignParts(machine, host.architecture);
  return [
    host.qemu,
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-machine', platform.machine(machine), '-accel', accel, '-cpu', platform.cpu(machine, accel)],
    ...['-m', memorySize(machine.memoryMiB ?? 512), '-smp', String(machine.cpus ?? 1)],
    ...(machine.icount === undefined ? [] : ['-icount', icounts[machine.icount]]),
    // The date of the host would be in the log and in the times of files.
    ...(counting ? ['-rtc', 'base=2027-01-01,clock=vm'] : []),
    ...(machine.loader ?? [
      ...['-kernel', platform.kernel(machine)],
      ...(machine.initrd === undefined ? [] : ['-initrd', machine.initrd]),
      ...['-append', wholeCommandLine(machine, host)],
    ]),
    ...(machine.loads ?? []).flatMap(({ file, address }) => [
      '-device',
      `loader,file=${value(file)},addr=0x${address.toString(16)},force-raw=on`,
    ]),
    ...(machine.plugin === undefined ? [] : ['-plugin', machine.plugin]),
    ...(machine.disks ?? []).flatMap((disk) => [
      '-drive',
      `if=virtio,format=raw,snapshot=on,file=${value(disk)}${limits(machine.throttle)}`,
    ]),
  ];
}

/** Returns QEMU's argument vector for a test: console on stdio and in a file to the byte, verdict in a file. */
export function testArguments(machine: Machine, channels: Channels, host: Host): string[] {
  const counting = machine.icount !== undefined;
  return [
    ...machineArguments(machine, host),
    ...['-chardev', `stdio,id=console,signal=off,logfile=${value(channels.consoleLog)}`],
    ...['-serial', 'chardev:console'],
    ...(machine.serialLogs ?? []).flatMap((file, index) =>
      platforms[host.architecture].serial(file, index + 1, counting),
    ),
    ...(machine.steps === undefined ? [] : virtioPort('verdict', channels.verdict, counting)),
  ];
}

/** Returns QEMU's argument vector for a person: console and monitor share the terminal, Ctrl-A x leaves. */
export function consoleArguments(machine: Machine, host: Host): string[] {
  return [...machineArguments(machine, host), '-serial', 'mon:stdio'];
}

/** Quotes arguments for a POSIX shell. */
export function shellQuote(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ');
}
