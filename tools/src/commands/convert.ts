// SPDX-License-Identifier: GPL-2.0-only
import { megabytes } from '../codecs/bytes.ts';
import { counted } from '../host/count.ts';
import { Failure } from '../host/failure.ts';
import { checkOutput, writeOutput } from '../host/output.ts';
import { withWork } from '../host/work.ts';
import { type ConversionReport, type ConvertOptions, convertSource } from '../images/convert.ts';
import { clusterOf, erofsDefaults } from '../images/erofs.ts';
import { timesFor } from './arguments.ts';
import { describeChanges } from './describe.ts';
import { openInitrd } from './input.ts';
import { onOneLine, print } from './print.ts';
import { readProfile } from './profile-file.ts';
import { showProgress } from './progress.ts';
import { readExtra } from './source.ts';
import { warnAll } from './warn.ts';

export interface ConvertArguments extends Omit<ConvertOptions, 'extras' | 'profile' | 'times'> {
  output: string;
  extra: string[];
  ukiProfile?: number;
  /** Path of the profile. */
  profile?: string;
  keepTimes?: boolean;
}

export async function convert(
  input: string,
  { output, extra, ukiProfile, profile, keepTimes = false, ...options }: ConvertArguments,
): Promise<void> {
  const times = timesFor(keepTimes);
  await withWork(async (work) => {
    const step = showProgress();
    const { source } = await openInitrd(input, work, ukiProfile);
    await checkOutput(output, [input, ...extra, ...(profile === undefined ? [] : [profile])]);
    const extras = await Promise.all(extra.map((path) => readExtra(path, work, options.limit)));
    const chosen = profile === undefined ? {} : { profile: await readProfile(profile) };
    const { layout, report } = await convertSource(
      source,
      { ...options, ...times, ...chosen, extras },
      work,
      step,
    ).catch((error) => {
      throw error instanceof Failure && error.kind === 'input' ? error.in(input) : error;
    });
    await step(`Writing ${output}`, () =>
      writeOutput(output, layout.chunks(), { inputs: [input, ...extra] }),
    );
    warnAll(input, report.warnings);
    const sizes = { input: source.size, output: layout.size };
    print(describe(input, sizes, report, { output, ...options }), output);
  });
}

function describe(
  input: string,
  sizes: { input: number; output: number },
  conversion: ConversionReport,
  options: Omit<ConvertArguments, 'extra' | 'profile'>,
): string {
  const { earlySize, erofsSize, main } = conversion;
  const sum = (pick: (segment: (typeof main)[0]) => number) =>
    main.reduce((total, segment) => total + pick(segment), 0);
  const entries = sum((segment) => segment.entries);
  const from = [
    ...new Set(main.map(({ compression }) => (compression === 'none' ? 'uncompressed' : compression))),
  ].join(', ');
  const larger = sizes.output > sizes.input ? '; larger, because nothing of it is unpacked at boot' : '';
  const lines = [
    ...(earlySize > 0 ? [`kept ${megabytes(earlySize)} of early-boot cpio at the front`] : []),
    `cpio ${megabytes(sum((segment) => segment.size))} (${from}, ${counted(entries, 'entry', 'entries')}, ${megabytes(sum((s) => s.unpackedSize))} unpacked) -> EROFS ${megabytes(erofsSize)} (${describeImages(conversion, options)})`,
    ...describeChanges(conversion),
    ...(options.initShim
      ? ["moved /init to /init.real, which the shim's initrd-extra at /init executes"]
      : []),
    `${onOneLine(options.output)}: ${megabytes(sizes.output)} (${onOneLine(input)}: ${megabytes(sizes.input)})${larger}`,
  ];
  return `${lines.join('\n')}\n`;
}

function describeImages(
  { halves }: ConversionReport,
  options: Pick<ConvertArguments, 'compress' | 'pcluster' | 'blockSize' | 'cold'>,
): string {
  const { compress } = { ...erofsDefaults, ...options };
  if (halves) {
    const { cold, hot, files } = halves;
    return `${options.cold ?? 'lzma'} ${megabytes(cold)}; lz4hc ${megabytes(hot)} with ${counted(files, 'file', 'files')} of the profile`;
  }
  return compress === 'none' ? 'uncompressed' : `${compress}, ${clusterOf(options)}-byte pclusters`;
}
