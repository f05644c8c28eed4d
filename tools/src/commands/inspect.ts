// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';
import { withWork } from '../host/work.ts';
import { type InitrdReport, inspectInitrd, type SegmentReport } from '../segments/inspect.ts';
import { openInitrd } from './input.ts';
import { showProgress } from './progress.ts';

/**
 * Prints the segments of an initrd.
 * @throws Failure (input) after printing, when the kernel would not read it to its end.
 */
export async function inspect(
  image: string,
  {
    json = false,
    raw = false,
    profile,
    ...options
  }: { json?: boolean; raw?: boolean; limit?: number; profile?: number },
): Promise<void> {
  const report = await withWork(async (work) => {
    const { source } = await openInitrd(image, work, profile);
    return showProgress()('Reading the initrd', () => inspectInitrd(source, options));
  });
  if (raw) process.stdout.write(report.segments.map(rawLine).join(''));
  else if (json) process.stdout.write(`${JSON.stringify({ file: image, ...report }, undefined, 2)}\n`);
  else process.stdout.write(`${describe(image, report)}\n`);
  const unknown = report.segments.find((segment) => segment.kind === 'unknown');
  if (unknown) {
    const stop = report.warnings.find(({ message }) => message.startsWith('the kernel stops here'));
    const offset = stop?.offset ?? unknown.offset;
    throw new Failure('input', unknown.problem ?? 'cannot be read', { file: image, offset });
  }
}

/** Returns start, end, size, compression, unpacked size and kind with tabs between them. */
function rawLine({ offset, size, kind, compression, unpackedSize }: SegmentReport): string {
  return `${[offset, offset + size, size, compression ?? 'none', unpackedSize ?? size, kind].join('\t')}\n`;
}

function describe(image: string, { size, segments, warnings }: InitrdReport): string {
  const rows = [['OFFSET', 'SIZE', 'KIND', 'COMPRESSION', 'ALIGNED', 'ENTRIES'], ...segments.map(rowOf)];
  const widths = (rows[0] as string[]).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] as number))
      .join('  ')
      .trimEnd(),
  );
  return [
    `${image}: ${size} bytes`,
    ...lines,
    ...segments.flatMap(({ offset, erofs }) =>
      erofs
        ? [
            `EROFS at ${hex(offset)}: ${erofs.blocks} blocks of ${erofs.blockSize} bytes, UUID ${erofs.uuid}`,
            `  features: ${erofs.features.join(' ')}`,
          ]
        : [],
    ),
    ...warnings.map(({ offset, message }) => `warning: offset ${hex(offset)}: ${message}`),
  ].join('\n');
}

function rowOf({ offset, size, kind, compression, alignment, entries }: SegmentReport): string[] {
  return [hex(offset), String(size), kind, compression ?? '-', String(alignment), String(entries ?? '-')];
}

function hex(offset: number): string {
  return `0x${offset.toString(16)}`;
}
