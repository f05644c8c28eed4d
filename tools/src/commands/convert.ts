// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';
import { readInput } from '../host/input.ts';
import { checkOutput, writeOutput } from '../host/output.ts';
import { type Conversion, type ConvertOptions, convertInitrd } from '../images/convert.ts';
import { erofsDefaults } from '../images/erofs.ts';
import { describeChanges, megabytes } from './describe.ts';
import { showProgress } from './progress.ts';
import { readTreeOrCpio } from './source.ts';
import { warn } from './warn.ts';

export interface ConvertArguments extends Omit<ConvertOptions, 'extras'> {
  output: string;
  extra: string[];
}

export async function convert(input: string, { output, extra, ...options }: ConvertArguments): Promise<void> {
  const step = showProgress();
  const bytes = await readInput(input);
  const extras = await Promise.all(extra.map((path) => readTreeOrCpio(path, warn)));
  await checkOutput(output, [input, ...extra]);
  const conversion = await convertInitrd(bytes, { ...options, extras }, step).catch((error) => {
    throw error instanceof Failure && error.kind === 'input' ? error.in(input) : error;
  });
  await step(`Writing ${output}`, () => writeOutput(output, conversion.image));
  for (const warning of conversion.warnings) warn(`${input}: ${warning}`);
  process.stdout.write(describe(input, bytes.length, conversion, { output, ...options }));
}

function describe(
  input: string,
  inputSize: number,
  conversion: Conversion,
  options: Omit<ConvertArguments, 'extra'>,
): string {
  const { image, earlySize, erofsSize, main } = conversion;
  const { compress, pcluster } = { ...erofsDefaults, ...options };
  const sum = (pick: (segment: (typeof main)[0]) => number) =>
    main.reduce((total, segment) => total + pick(segment), 0);
  const entries = sum(({ archives }) => archives.flat().length);
  const from = [
    ...new Set(main.map(({ compression }) => (compression === 'none' ? 'uncompressed' : compression))),
  ].join(', ');
  const how = compress === 'none' ? 'uncompressed' : `${compress}, ${pcluster}-byte pclusters`;
  const larger = image.length > inputSize ? '; larger, because nothing of it is unpacked at boot' : '';
  const lines = [
    ...(earlySize > 0 ? [`kept ${megabytes(earlySize)} of early-boot cpio at the front`] : []),
    `cpio ${megabytes(sum((segment) => segment.size))} (${from}, ${entries} entries, ${megabytes(sum((s) => s.unpackedSize))} unpacked) -> EROFS ${megabytes(erofsSize)} (${how})`,
    ...describeChanges(conversion),
    ...(options.initShim
      ? ["moved /init to /init.real, which the shim's initrd-extra at /init executes"]
      : []),
    `${options.output}: ${megabytes(image.length)} (${input}: ${megabytes(inputSize)})${larger}`,
  ];
  return `${lines.join('\n')}\n`;
}
