// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';
import { asSource, type Source } from '../host/source.ts';
import { quietly, type Step } from '../host/step.ts';
import { type Work, withWork } from '../host/work.ts';
import type { CpioSpan } from '../segments/segment.ts';
import { hasInit } from '../trees/init.ts';
import { describeKeeper, findKeepers } from '../trees/leaving.ts';
import { type Profile, profileOf } from '../trees/profile.ts';
import { checkProgram } from '../trees/runnable.ts';
import type { Refuser } from '../trees/switch-root.ts';
import { type AdaptOptions, readDistributionFrom } from './distribution.ts';
import type { ErofsOptions } from './erofs.ts';
import { type Archivable, type ExtraCompression, makeExtraPart } from './extra.ts';
import { prepareRoot, type RootOptions } from './form.ts';
import { concatenateInitrd, type Layout, layOut, type Part } from './initrd.ts';
import { describeReplaced } from './replaced.ts';
import { checkImages, makeRootImages, type ProfileOptions } from './root-images.ts';

export interface ConvertOptions extends ErofsOptions, AdaptOptions, RootOptions, ProfileOptions {
  /** Trees or archives to put after the EROFS image. */
  extras?: Archivable[];
  extraCompress?: ExtraCompression;
  /** Refuse to make an image that will not boot. */
  strict?: boolean;
}

/** Account of a conversion. */
export interface ConversionReport {
  /** Bytes of early-boot data at the front. */
  earlySize: number;
  /** Bytes of all EROFS images. */
  erofsSize: number;
  /** Bytes of the cold and of the hot image, and the files in the hot one, if there is a profile. */
  halves?: { cold: number; hot: number; files: number };
  /** The segments that became the EROFS image. */
  main: CpioSpan[];
  /** Switch-root programs that the shim's replaced. */
  replaced: Refuser[];
  /** Scripts that were changed to execute the shim's by its path. */
  changed: string[];
  /** True if /init is one of them. */
  initChanged: boolean;
  /** Sentences about lost entries and surprises. */
  warnings: string[];
}

export interface Conversion extends ConversionReport {
  /** The combined initrd. */
  image: Uint8Array;
}

/**
 * Converts an initrd of cpio archives into one with an EROFS image. Archives for the early boot stay at the front, byte
 * for byte. All others are unpacked over one another, as in the kernel. A boot configuration stays at the end.
 * @throws Failure (input, with the offset) when it cannot be read to its end or holds nothing to convert, (program)
 * or (missing) when an image cannot be made.
 */
export async function convertInitrd(
  bytes: Uint8Array,
  options: ConvertOptions = {},
  step: Step = quietly,
): Promise<Conversion> {
  return withWork(async (work) => {
    const { parts, report } = await convertParts(asSource(bytes), options, work, step);
    return { image: concatenateInitrd(parts), ...report };
  });
}

/** Converts an initrd like `convertInitrd`, without having it or the result in memory. */
export async function convertSource(
  source: Source,
  options: ConvertOptions,
  work: Work,
  step: Step = quietly,
): Promise<{ layout: Layout; report: ConversionReport }> {
  const { parts, report } = await convertParts(source, options, work, step);
  return { layout: layOut(parts), report };
}

/** Adds the programs that a conversion puts in to a profile: a boot runs them, whatever it was recorded from. */
export function withInserted(profile: Profile, initShim: boolean, replaced: readonly Refuser[]): Profile {
  const shims = initShim ? ['/init', '/init.real'] : [];
  return profileOf([...profile, ...shims, ...replaced.map(({ path }) => `/${path}`)]);
}

async function convertParts(
  source: Source,
  options: ConvertOptions,
  work: Work,
  step: Step,
): Promise<{ parts: Part[]; report: ConversionReport }> {
  await checkImages(options);
  const { early, root, bootConfig, ...distribution } = await readDistributionFrom(
    source,
    options,
    work,
    step,
  );
  const { main, replaced, changed, initChanged, refusals, warnings } = distribution;
  const faults = [...refusals];
  if (!hasInit(root)) faults.push('the image has no /init: the kernel needs rdinit= to boot it');
  else if (options.strict)
    for (const problem of checkProgram(root, '/init').problems) faults.push(`init cannot start: ${problem}`);
  if (options.strict && faults.length > 0) throw new Failure('input', `will not boot: ${faults.join('; ')}`);
  for (const fault of faults) warnings.push(fault);
  const keepers = findKeepers(root);

  const profile = options.profile && withInserted(options.profile, options.initShim ?? false, replaced);
  const makeRoot = await prepareRoot(profile ? 2 : 1, options);
  const made = await makeRootImages([root], { ...options, ...(profile && { profile }) }, work, step);
  const earlySize = layOut(early).size;
  const placed = makeRoot(made.images, earlySize);
  for (const warning of [...made.warnings, ...placed.warnings]) warnings.push(warning);
  const parts: Part[] = [...early, ...placed.parts];
  for (const extra of options.extras ?? []) {
    const make = () => makeExtraPart(extra, options.extraCompress ?? 'none', work);
    parts.push(await step('Making an extra archive', make));
  }
  for (const line of await describeReplaced(options.extras ?? [], placed.own)) warnings.push(line);
  if (bootConfig) parts.push({ bytes: bootConfig });
  const erofsSize = made.images.reduce((sum, { size }) => sum + size, 0);
  for (const keeper of keepers) warnings.push(describeKeeper(keeper, erofsSize));
  const { hotFiles: files } = made;
  const [cold = 0, hot = 0] = made.images.map(({ size }) => size);
  const halves = files === undefined ? {} : { halves: { cold, hot, files } };
  const sizes = { earlySize, erofsSize, ...halves };
  return { parts, report: { ...sizes, main, replaced, changed, initChanged, warnings } };
}
