// SPDX-License-Identifier: GPL-2.0-only

import { decompressionPatterns } from './access-schema.ts';
import { media } from './media.ts';
import {
  type BootRow,
  type Milestones,
  type Results,
  resultsSchema,
  type SystemRow,
  type Use,
} from './schema.ts';
import { allWays, factsOf, treeWays, type Way } from './way.ts';
import { rootfsTypes } from './whole-schema.ts';

/** A selection of the rows; a part that is not given is whole. */
export interface Selection {
  readonly ways?: readonly Way[];
  readonly sizes?: readonly number[];
  readonly uses?: readonly Exclude<Use, 'few'>[];
  readonly clock?: Results['clock'];
}

/** File and its cost, per MB of the tree: share of the tree, then milliseconds. */
const cpio: Partial<Record<Way, readonly [ratio: number, unpackMs: number]>> = {
  'cpio-built': [0.3, 23.3],
  'cpio-none': [1.01, 2.66],
  'cpio-lz4': [0.36, 5.4],
  'cpio-zstd-3': [0.28, 19.6],
  'cpio-zstd-19': [0.22, 21.4],
  'cpio-gzip': [0.3, 23.3],
  'cpio-xz': [0.19, 88.5],
};
const erofs: Partial<Record<Way, readonly [ratio: number, readMs: number]>> = {
  'user-cpio-loop': [0.44, 4.9],
  'user-cpio-file': [0.44, 4.6],
  'user-disk-loop': [0.44, 5.3],
  'user-disk-file': [0.44, 5.1],
  'pmem-none-dax': [1.02, 0.21],
  'pmem-lz4hc-4k': [0.44, 4.5],
  'kernel-none': [1.02, 0.15],
  'kernel-lz4hc-4k': [0.44, 4.3],
  'kernel-lz4hc-16k': [0.41, 4.2],
  'kernel-lz4hc-64k': [0.39, 4.1],
  'kernel-zstd-64k': [0.33, 11.2],
  'kernel-profile': [0.24, 4.3],
};

const fewMB = 6;
const round = (value: number, digits = 6) => Number(value.toFixed(digits));

function used(treeMB: number, use: Use): number {
  return use === 'few' ? fewMB : (treeMB * use) / 100;
}

function files(way: Way, treeMB: number): BootRow['files'] {
  const image = Math.round((cpio[way] ?? erofs[way] ?? [1, 0])[0] * treeMB * 1e6) + 4096;
  if (way.startsWith('user-disk')) {
    return { initrdBytes: 1_310_720, diskBytes: image };
  }
  return { initrdBytes: image + (way.startsWith('user') ? 1_310_720 : 0), diskBytes: 0 };
}

function at(way: Way, treeMB: number, use: Use): Milestones {
  const initrdStart = 0.2913;
  const unpack = (cpio[way]?.[1] ?? 0) * treeMB;
  const copied = way.startsWith('user-cpio') ? 2.66 * 0.44 * treeMB : 0;
  const initrdEnd = initrdStart + (unpack + copied + (way.startsWith('pmem') ? 0.4 : 1.4)) / 1000;
  const runInit = initrdEnd + 0.0371;
  const init = runInit + 0.0042 + (way.startsWith('user') ? 0.187 : 0);
  const each = erofs[way]?.[1] ?? 0.31;
  return {
    initrdStart,
    initrdEnd: round(initrdEnd),
    runInit: round(runInit),
    init: round(init),
    used: round(init + 0.0161 + (each * used(treeMB, use)) / 1000),
  };
}

function boot(way: Way, treeMB: number, use: Use): BootRow {
  const file = files(way, treeMB);
  const held = way.startsWith('cpio') ? treeMB * 1e6 : way.startsWith('user-disk') ? 4e6 : file.initrdBytes;
  const base = 61_440;
  const atInit = Math.round(base + (held / 1024) * (way.startsWith('user-cpio') ? 1.02 : 1));
  const used_ = atInit + 2048;
  return {
    way,
    treeMB,
    use,
    files: file,
    runs: 3,
    spread: factsOf(way).disk ? 0.0213 : 0.00012,
    at: at(way, treeMB, use),
    memory: {
      atInit,
      used: used_,
      peak: Math.max(
        used_,
        atInit +
          (way.startsWith('kernel') || way.startsWith('pmem') ? 0 : Math.round(file.initrdBytes / 1024)),
      ),
      afterSwitchRoot: way.startsWith('pmem') ? atInit : base + 900,
    },
    ...(erofs[way]
      ? {
          content: {
            readBytes: Math.round(used(treeMB, use) * erofs[way][0] * 1e6),
            decompressedBytes: way.includes('none') ? 0 : Math.round(used(treeMB, use) * 1.012e6),
          },
        }
      : {}),
  };
}

function system(image: SystemRow['image'], way: Way): SystemRow {
  const times = at(way, 142, 'few');
  const late = image === 'dracut' ? 0 : 1.9;
  const init = times.init + 0.71;
  const left = init + 3.31;
  return {
    image,
    way,
    files: files(way, 142),
    at: {
      initrdStart: times.initrdStart,
      initrdEnd: times.initrdEnd,
      runInit: round(times.runInit + 0.7),
      init: round(init),
      systemd: round(image === 'dracut' ? init + 0.3 : left + 0.12),
      left: round(left),
      multiUser: round(left + 5.2 - late),
    },
    memory: { initrd: boot(way, 142, 'few').memory.atInit + 40_000, root: 118_200 },
  };
}

const wholeWays = [
  ...(['disk-ext4', 'cpio-none', 'cpio-zstd-3', 'user-cpio-loop'] as const),
  ...(['kernel-none', 'kernel-lz4hc-4k', 'kernel-zstd-64k'] as const),
];

/** A whole system of 250 MB that is booted each way, and the smallest machines for it. */
export function inventedWholes(): Pick<Results, 'wholes' | 'wholeSmallest'> {
  const fields = (way: Way) => ({
    ...{ system: 'small', systemBytes: 250_000_000, way },
    files: way === 'disk-ext4' ? { initrdBytes: 0, diskBytes: 500_000_000 } : files(way, 250),
  });
  return {
    wholes: wholeWays.map((way) => {
      const { memory } = boot(way, way === 'disk-ext4' ? 1 : 250, 'few');
      const { initrdStart, initrdEnd, runInit } = at(way, 250, 'few');
      return {
        ...fields(way),
        at: { initrdStart, initrdEnd, runInit, multiUser: round(runInit + 7.5) },
        memory: { rest: memory.atInit, read: memory.used },
      };
    }),
    wholeSmallest: wholeWays
      .filter((way) => way !== 'disk-ext4')
      .flatMap((way) =>
        rootfsTypes
          .filter((rootfs) => rootfs === 'tmpfs' || !way.startsWith('kernel'))
          .map((rootfs) => ({
            ...fields(way),
            rootfs,
            mib: way.startsWith('kernel') ? 352 : rootfs === 'tmpfs' ? 624 : 496,
            short: [
              { mib: 320, outcome: 'boots to multi-user (running) with 12 files or 3.4 MB missing' },
              { mib: 304, outcome: '[    3.0] Kernel panic - not syncing: Out of memory: enough' },
              { mib: 240, outcome: '[    2.0] Kernel panic - not syncing: Out of memory: enough' },
            ],
          })),
      ),
  };
}

/** Figures that nobody measured, of about the size that they have: for tests of what is written of results. */
export function inventedResults(selection: Selection = {}): Results {
  const {
    ways = treeWays,
    sizes = [10, 25, 50, 100, 200, 400],
    uses = [0, 1, 10, 50, 100],
    clock = 'instructions',
  } = selection;
  const middle = sizes.includes(100) ? 100 : (sizes.at(-1) ?? 100);
  const has = (way: Way) => ways.includes(way) || ways === treeWays;
  const missing = Object.fromEntries(
    allWays.filter((way) => !has(way)).map((way) => [way, 'left out of this selection']),
  );
  return resultsSchema.parse({
    format: 2,
    clock,
    plan: sizes.length < 6 ? 'quick' : 'full',
    environment: {
      command: 'make bench',
      kernelRelease: '6.12.48',
      configSha256: { patched: '5d41402abc4b2a76'.repeat(4), stock: '7d793037a0760186'.repeat(4) },
      seriesSha256: '9e107d9d372bb682'.repeat(4),
      qemu: 'QEMU emulator version 7.2.17 (Debian 1:7.2+dfsg-7+deb12u16)',
      machine: '-machine q35 -accel tcg -cpu qemu64 -smp 1 -m 2048M -icount shift=0,sleep=off -nodefaults',
      commandLine:
        'quiet norandmaps initramfs_async=0 initcall_debug log_buf_len=1M console=ttyS0 panic=-1 i8042.noaux i8042.nokbd',
      tools: { 'mkfs.erofs': '1.5', gzip: '1.12', lz4: '1.9.4', xz: '5.4.1', zstd: '1.5.4', gcc: '12.2.0' },
      missing,
    },
    trees: sizes.map((megabytes) => ({
      megabytes,
      bytes: megabytes * 1e6 + 1234,
      files: megabytes * 11,
      fewBytes: fewMB * 1e6,
      sha256: 'c3ab8ff13720e8ad'.repeat(4),
    })),
    size: sizes.flatMap((treeMB) => ways.map((way) => boot(way, treeMB, 'few'))),
    usage: uses.flatMap((use) =>
      ways.map((way) => {
        const { memory: _, ...row } = boot(way, middle, use);
        return row;
      }),
    ),
    systems: (['dracut', 'initramfs-tools'] as const).flatMap((image) =>
      [...(ways === treeWays ? (['cpio-built'] as const) : []), ...ways].map((way) => system(image, way)),
    ),
    storage: (['sd', 'emmc'] as const).flatMap((medium) =>
      ways.map((way) => {
        const file = files(way, middle);
        const rate = media[medium].bytesPerSecond;
        return {
          way,
          medium,
          treeMB: middle,
          use: 'few',
          files: file,
          loadSeconds: round((file.initrdBytes + 12.3e6) / rate),
          bootSeconds: round(
            at(way, middle, 'few').used + (file.diskBytes === 0 ? 0 : (fewMB * 0.44e6) / rate),
          ),
        };
      }),
    ),
    access: ways.map((way) => ({
      way,
      treeMB: middle,
      seconds: {
        read: round((erofs[way]?.[1] ?? 0.31) * middle * 1e-3),
        map: round((erofs[way]?.[1] ?? 0.25) * middle * 0.9e-3),
        ...{ splice: 0.03, sendfile: 0.031, open: 0.013 },
      },
    })),
    decompressed: ways
      .filter((way) => way.startsWith('kernel-lz4hc'))
      .flatMap((way) =>
        decompressionPatterns.map((pattern) => ({
          ...{ way, treeMB: middle, pattern, calls: 1651, bytes: 100_250_000, usedBytes: 99_870_000 },
        })),
      ),
    smallest: (['few', 100] as const).flatMap((use) =>
      ways.map((way) => ({
        way,
        treeMB: middle,
        use,
        mib: Math.round(boot(way, middle, use).memory.peak / 1024) - (use === 100 ? 15 : 20),
      })),
    ),
    kdump: ways
      .filter((way) => !way.startsWith('pmem') && !way.startsWith('user-disk'))
      .map((way) => ({
        way,
        treeMB: middle,
        initrdBytes: files(way, middle).initrdBytes,
        mib: Math.round(boot(way, middle, 'few').memory.peak / 1024) + 20,
      })),
  });
}

/** An initramfs of 34 MB that leads to a whole system on a disk. */
export function inventedInitramfs(): Pick<Results, 'initramfs'> {
  return {
    initramfs: (['cpio-zstd-19', 'kernel-lz4hc-4k'] as const).map((way) => {
      const { initrdStart, initrdEnd, runInit } = at(way, 34, 'few');
      const { initrdBytes } = files(way, 34);
      return {
        ...{ system: 'small', systemBytes: 250_000_000, initramfsBytes: 34_000_000, way },
        files: { initrdBytes, diskBytes: 500_000_000 },
        at: { initrdStart, initrdEnd, runInit, left: round(runInit + 1), multiUser: round(runInit + 2.5) },
        memory: { rest: 61_440 },
        releasedBytes: way === 'kernel-lz4hc-4k' ? Math.floor(initrdBytes / 4096) * 4096 : 0,
      };
    }),
  };
}

/** One file with a whole system on three kernels, the last of which is Debian's. */
export function inventedOneFile(): Pick<Results, 'oneFile'> {
  const { wholes } = inventedWholes();
  const kernels = [
    ['7.3-series', '7.3.4', 'kernel-lz4hc-4k'],
    ['7.3', '7.3.4', 'user-cpio-loop'],
    ['debian', '6.1.0-1-cloud-amd64', 'user-cpio-loop'],
  ] as const;
  return {
    oneFile: kernels.flatMap(([kernel, release, way]) =>
      wholes
        .filter((row) => row.way === way)
        .map((row) => ({ ...row, kernel, release, at: { ...row.at, mounted: round(row.at.runInit + 0.1) } })),
    ),
  };
}
