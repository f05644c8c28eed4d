// SPDX-License-Identifier: GPL-2.0-only
import { compareVersions, type ErofsFeature, type Version } from '../codecs/erofs-features.ts';
import type { Kernel } from './kernel.ts';

/** Receiver of what a kernel lacks. */
interface Report {
  add(level: 'error' | 'warning' | 'note', message: string, offset?: number): void;
}

/** The newest kernel whose features are known here. */
const newest: Version = { major: 7, minor: 3 };
/** The oldest kernel that the series is for. */
const oldest: Version = { major: 6, minor: 12 };

/** Options that make an initrd with an image boot in place, and what for. */
const required: [option: string, reason: string][] = [
  ['CONFIG_BLK_DEV_INITRD', 'an initrd'],
  ['CONFIG_EROFS_FS', 'the image'],
  ['CONFIG_OVERLAY_FS', 'the layer over it'],
  ['CONFIG_TMPFS', 'what is written'],
  ['CONFIG_BINFMT_ELF', 'programs'],
];

/** Options for the archives, by compression (usr/Kconfig). */
const decompressors: Record<string, string> = {
  gzip: 'CONFIG_RD_GZIP',
  bzip2: 'CONFIG_RD_BZIP2',
  lzma: 'CONFIG_RD_LZMA',
  xz: 'CONFIG_RD_XZ',
  lzo: 'CONFIG_RD_LZO',
  lz4: 'CONFIG_RD_LZ4',
  zstd: 'CONFIG_RD_ZSTD',
};

/** Says why a kernel lacks the series, as far as its version and its configuration are known. */
function lackOfSeries({ config, version, release }: Kernel): string | undefined {
  if (version && compareVersions(version, oldest) < 0)
    return `the series is for Linux 6.12 and newer, and this is ${release}`;
  return config && config.get('CONFIG_INITOVERLAYFS') !== 'y'
    ? 'the kernel is built without CONFIG_INITOVERLAYFS'
    : undefined;
}

/** Tells whether a kernel has the series, as far as that is known. */
export function hasSeries(kernel: Kernel): boolean {
  return lackOfSeries(kernel) === undefined;
}

/** Names the first of the features in the superblock that a kernel of this version refuses. */
export function firstUnknown(features: ErofsFeature[], version: Version = newest): string | undefined {
  const feature = features.find(({ since }) => compareVersions(since, version) > 0);
  return feature && describeFeature(feature);
}

function describeFeature({ name, since }: ErofsFeature): string {
  return Number.isFinite(since.major) ? `${name} (Linux ${since.major}.${since.minor})` : name;
}

/** Checks the features of an image against a kernel's configuration. */
export function checkFeatures(
  features: ErofsFeature[],
  { config }: Kernel,
  offset: number,
  report: Report,
): void {
  if (!config) return;
  const missing = new Map<string, string[]>();
  for (const { name, option } of features)
    if (option !== undefined && config.get(option) !== 'y')
      missing.set(option, [...(missing.get(option) ?? []), name]);
  for (const [option, names] of missing)
    report.add(
      'error',
      `the image has ${names.join(', ')}, and the kernel is built without ${option}`,
      offset,
    );
}

/** Checks that a kernel is built with what the whole initrd needs. */
export function checkConfig(
  kernel: Kernel,
  initrd: {
    asArchive: boolean;
    inPlace: boolean;
    /** Offsets of archives by their compressions, and by options for the filters of these. */
    compressions: Map<string, number>;
    filters: Map<string, number>;
  },
  report: Report,
): void {
  const lack = initrd.inPlace ? lackOfSeries(kernel) : undefined;
  if (lack !== undefined && initrd.asArchive)
    report.add('warning', `${lack}: it unpacks the archive, whose /init mounts the image`);
  else if (lack !== undefined)
    report.add('error', `${lack}: it finds no archive where the image is, and no init`);
  const { config } = kernel;
  if (!config) {
    for (const [option, offset] of initrd.filters)
      report.add('note', `an archive whose xz filter needs a kernel with ${option}`, offset);
    return;
  }
  for (const [option, reason] of initrd.inPlace ? required : required.slice(0, 1)) {
    const value = config.get(option);
    if (value === 'm') report.add('error', `${option} (${reason}) is a module; it has to be built in`);
    else if (value !== 'y') report.add('error', `the kernel is built without ${option} (${reason})`);
  }
  const level = initrd.inPlace ? 'warning' : 'error';
  const lacks = (what: string, option: string | undefined, offset: number) => {
    // What no kernel reads has been reported.
    if (option !== undefined && config.get(option) !== 'y')
      report.add(level, `an archive ${what}, and the kernel is built without ${option}`, offset);
  };
  for (const [compression, offset] of initrd.compressions)
    lacks(`in ${compression}`, decompressors[compression], offset);
  for (const [option, offset] of initrd.filters) lacks('with a filter of xz', option, offset);
}
