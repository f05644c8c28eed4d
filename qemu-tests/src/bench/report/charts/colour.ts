// SPDX-License-Identifier: GPL-2.0-only
import { allWays, type Way } from '../../model/way.ts';

/** The look of a way in every picture. */
export interface Style {
  /** Grey is a disk, blue the kernel, orange to brown cpio, green user space, purple pmem; darker to lighter in a family. */
  readonly colour: string;
  /** Of its line: lengths of strokes and gaps. */
  readonly dash: readonly number[];
  /** Of its points, as Vega names them. */
  readonly shape: string;
  /** True for full points, false for hollow ones. */
  readonly full: boolean;
}

const style = (colour: string, dash: readonly number[], shape: string, full = true): Style => ({
  colour,
  dash,
  shape,
  full,
});

const solid = [1, 0];
const long = [8, 3];
const short = [4, 3];
const dots = [1.5, 2.5];
const mixed = [8, 3, 2, 3];
const double = [8, 3, 2, 3, 2, 3];

/**
 * The hues are those of Okabe and Ito, "Color Universal Design", which people with any kind of colour vision can tell
 * apart: vermilion, bluish green, blue, purple. In grey, lightness, dash and shape are what is left.
 */
const styles = {
  'disk-ext4': style('#4d4d4d', dots, 'square'),
  'cpio-built': style('#3d1400', double, 'square'),
  'cpio-none': style('#6e2400', solid, 'square'),
  'cpio-lz4': style('#a63c00', long, 'square', false),
  'cpio-zstd-3': style('#d55e00', short, 'diamond'),
  'cpio-zstd-19': style('#e07b1f', mixed, 'diamond', false),
  'cpio-gzip': style('#9a6a00', dots, 'cross'),
  'cpio-xz': style('#b58d1a', double, 'cross', false),
  'user-cpio-loop': style('#004d37', solid, 'triangle-up'),
  'user-cpio-file': style('#007a56', long, 'triangle-up', false),
  'user-disk-loop': style('#0f9169', short, 'triangle-down'),
  'user-disk-file': style('#3fa583', mixed, 'triangle-down', false),
  'pmem-none-dax': style('#6a2c70', solid, 'triangle-right'),
  'pmem-lz4hc-4k': style('#b66fb0', long, 'triangle-right', false),
  'kernel-none': style('#001f3d', solid, 'circle'),
  'kernel-lz4hc-4k': style('#005590', long, 'circle', false),
  'kernel-lz4hc-16k': style('#003a8c', dots, 'circle'),
  'kernel-lz4hc-64k': style('#1f7fc4', short, 'circle'),
  'kernel-zstd-64k': style('#4f9bd6', mixed, 'circle', false),
  'kernel-profile': style('#3c6e9e', double, 'circle'),
} as const satisfies Record<Way, Style>;

export function styleOf(way: Way): Style {
  return styles[way];
}

/** The scales of Vega-Lite by which a field `way` gets its style. */
export const scales = {
  colour: { domain: allWays, range: allWays.map((way) => styleOf(way).colour) },
  fill: {
    domain: allWays,
    range: allWays.map((way) => (styleOf(way).full ? styleOf(way).colour : '#ffffff')),
  },
  dash: { domain: allWays, range: allWays.map((way) => [...styleOf(way).dash]) },
  shape: { domain: allWays, range: allWays.map((way) => styleOf(way).shape) },
};
