// SPDX-License-Identifier: GPL-2.0-only
import { megabytes } from '../codecs/bytes.ts';
import { Failure, inFile } from '../host/failure.ts';
import { withWork } from '../host/work.ts';
import { type InitrdReport, inspectInitrd, type SegmentReport } from '../segments/inspect.ts';
import { openInitrd } from './input.ts';
import { onOneLine } from './print.ts';
import { showProgress } from './progress.ts';

type Superblock = NonNullable<SegmentReport['erofs']>;

/**
 * Prints the segments of an initrd.
 * @throws Failure (input) after printing, when the kernel would not read it to its end.
 */
export async function inspect(
  image: string,
  {
    json = false,
    raw = false,
    ukiProfile,
    ...options
  }: { json?: boolean; raw?: boolean; limit?: number; ukiProfile?: number },
): Promise<void> {
  const { report, uki } = await withWork(async (work) => {
    const { source, uki } = await openInitrd(image, work, ukiProfile);
    const run = () => inspectInitrd(source, options);
    const report = await showProgress()('Reading the initrd', run).catch((error) => {
      throw inFile(error, image);
    });
    return { report, uki };
  });
  if (raw) process.stdout.write(report.segments.map(rawLine).join(''));
  else if (json) process.stdout.write(`${JSON.stringify({ file: image, uki, ...report }, undefined, 2)}\n`);
  else process.stdout.write(`${describe(image, report)}\n`);
  const unknown = report.segments.find((segment) => segment.kind === 'unknown');
  if (unknown) {
    const stop = report.warnings.find(({ message }) => message.startsWith('the kernel stops here'));
    const offset = stop?.offset ?? unknown.offset;
    throw new Failure('input', unknown.problem ?? 'cannot be read', { file: image, offset });
  }
}

/**
 * Returns start, end, size, compression, unpacked size and kind with tabs between them. Images in an archive follow in
 * lines of their own, with their names as kind.
 */
function rawLine({ offset, size, kind, compression, unpackedSize, images = [] }: SegmentReport): string {
  const line = [offset, offset + size, size, compression ?? 'none', unpackedSize ?? size, kind];
  const inside = images.map((image) => [
    image.offset,
    image.offset + image.size,
    image.size,
    'none',
    image.size,
    image.name,
  ]);
  return [line, ...inside].map((cells) => `${cells.join('\t')}\n`).join('');
}

function describe(image: string, { size, segments, warnings }: InitrdReport): string {
  const rows = [
    ['SEGMENT', 'OFFSET', 'SIZE', 'KIND', 'COMPRESSION', 'ALIGNED', 'ENTRIES'],
    ...segments.map(rowOf),
  ];
  const widths = (rows[0] as string[]).map((_, column) =>
    // There may be more rows than a function takes arguments.
    rows.reduce((width, row) => Math.max(width, (row[column] ?? '').length), 0),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] as number))
      .join('  ')
      .trimEnd(),
  );
  return [
    `${onOneLine(image)}: ${size} bytes`,
    ...lines,
    ...segments.flatMap(describeImages),
    ...segments.flatMap(describeDecoding),
    ...warnings.map(({ offset, message }) => `warning: offset ${hex(offset)}: ${onOneLine(message)}`),
  ].join('\n');
}

/** Returns lines about the image that a segment is, or about those in it. */
function describeImages({ kind, offset, erofs, images = [] }: SegmentReport): string[] {
  if (erofs) return [`EROFS at ${hex(offset)}: ${describeErofs(erofs)}`, featuresOf(erofs)];
  const lines = images.flatMap((image) => {
    const number = image.number === undefined ? '' : `segment ${image.number}, `;
    const about = `${number}${image.name} at ${hex(image.offset)}, aligned to ${image.alignment}, ${image.size} bytes`;
    return image.erofs ? [`${about}: ${describeErofs(image.erofs)}`, featuresOf(image.erofs)] : [about];
  });
  if (kind !== 'erofs cpio') return lines;
  const role = `archive form at ${hex(offset)}: a kernel with the series mounts the images in place, another one unpacks the archive and runs its /init`;
  return [role, ...lines];
}

/** Compressions whose streams have no sizes of their blocks, so that even their end is found by decoding only. */
const endless: readonly (string | undefined)[] = ['gzip', 'lzma'];

/** Says that a segment was decoded as a whole, and what for. */
function describeDecoding({ offset, compression, unpackedSize = 0 }: SegmentReport): string[] {
  if (compression === undefined || compression === 'none') return [];
  const end = endless.includes(compression)
    ? `, and to find the end, which ${compression} does not store`
    : '';
  return [
    `decoded ${compression} at ${hex(offset)}, ${megabytes(unpackedSize)}, to count entries, whose headers are compressed too${end}`,
  ];
}

function describeErofs({ blocks, blockSize, uuid }: Superblock): string {
  return `${blocks} blocks of ${blockSize} bytes, UUID ${uuid}`;
}

function featuresOf({ features }: Superblock): string {
  return `  features: ${features.join(' ')}`;
}

function rowOf({ number, offset, size, kind, compression, alignment, entries }: SegmentReport): string[] {
  return [
    String(number ?? '-'),
    hex(offset),
    String(size),
    kind,
    compression ?? '-',
    String(alignment),
    String(entries ?? '-'),
  ];
}

function hex(offset: number): string {
  return `0x${offset.toString(16)}`;
}
