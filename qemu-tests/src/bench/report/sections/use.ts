// SPDX-License-Identifier: GPL-2.0-only

import type { Results, TimedRow } from '../../model/schema.ts';
import { type Family, factsOf, type Way } from '../../model/way.ts';
import { costsMore, type Span } from '../crossing.ts';
import { significant } from '../figure.ts';
import { clockText, labelOf } from '../label.ts';
import { initrdTime, inOrder, numbers, referenceRows } from '../rows.ts';
import type { Section } from './section.ts';
import { none, repeats, sweep } from './sweep.ts';

const costsOf = (usage: readonly TimedRow[], way: Way) =>
  usage.flatMap((row) =>
    row.way === way && row.use !== 'few' ? [{ share: row.use, ...initrdTime(row) }] : [],
  );

/** A share: whole percents, one digit more below ten. */
const share = (value: number) => (value < 10 ? String(Number(value.toFixed(1))) : value.toFixed(0));

function spanText({ from, to }: Span, last: number): string {
  return to === last ? `from ${share(from)} % on` : `${share(from)} to ${share(to)} %`;
}

/** Where a kernel way costs more than a cpio way, in a few words. */
function verdict(usage: readonly TimedRow[], kernel: Way, cpio: Way): string {
  const [one, other] = [costsOf(usage, kernel), costsOf(usage, cpio)];
  const spans = costsMore(one, other);
  if (spans === undefined) return none;
  const shares = one.map((cost) => cost.share).filter((each) => other.some((cost) => cost.share === each));
  const [first, last] = [Math.min(...shares), Math.max(...shares)];
  const [span] = spans;
  if (span === undefined) return 'never';
  if (span.from === first && span.to === last) return 'always';
  return spans.map((each) => spanText(each, last)).join(', ');
}

const shortName = (way: Way) => labelOf(way).replace(/^(cpio|kernel),? /, '');
const ofFamily = (rows: readonly { way: Way }[], family: Family) =>
  inOrder(rows.map(({ way }) => way)).filter((way) => factsOf(way).family === family);

/** Where, if anywhere, the lazy way costs more: a sentence for each kernel way. */
export function lazinessSentences(usage: readonly TimedRow[]): string[] {
  return ofFamily(usage, 'kernel').flatMap((kernel) => {
    const verdicts = ofFamily(usage, 'cpio')
      .map((cpio) => ({ cpio, text: verdict(usage, kernel, cpio) }))
      .filter(({ text }) => text !== none);
    if (verdicts.length === 0) return [];
    const never = verdicts.filter(({ text }) => text === 'never');
    const more = verdicts.filter(({ text }) => text !== 'never');
    if (more.length === 0) {
      return [`${labelOf(kernel)}: never costs more than a cpio, whatever share of the tree is read.`];
    }
    const where = more.map(
      ({ cpio, text }) =>
        `costs more than cpio (${shortName(cpio)}) ${text === 'always' ? 'at every share' : text}`,
    );
    const rest =
      never.length === 0
        ? []
        : [`never more than ${never.map(({ cpio }) => `cpio (${shortName(cpio)})`).join(', ')}`];
    return [`${labelOf(kernel)}: ${[...where, ...rest].join('; ')}.`];
  });
}

/** What a way costs over the kernel way with the same image, for both a little and much use. */
export function overKernelSentences(results: Results): string[] {
  const rows = [...referenceRows(results), ...results.usage];
  // The image of user ways is lz4hc, 4K.
  const pairs: [Way, Way][] = [
    ['user-cpio-loop', 'kernel-lz4hc-4k'],
    ['user-cpio-file', 'kernel-lz4hc-4k'],
    ['user-disk-loop', 'kernel-lz4hc-4k'],
    ['user-disk-file', 'kernel-lz4hc-4k'],
    ['pmem-none-dax', 'kernel-none'],
    ['pmem-lz4hc-4k', 'kernel-lz4hc-4k'],
  ];
  return pairs.flatMap(([way, kernel]) => {
    const most = numbers(
      results.usage.filter((row) => row.way === way && row.use !== 'few'),
      ({ use }) => Number(use),
    ).at(-1);
    const parts = ['few', most].flatMap((use) => {
      const [one, other] = [way, kernel].map((each) =>
        rows.find((row) => row.way === each && row.use === use),
      );
      if (one === undefined || other === undefined) return [];
      const [first, second] = [initrdTime(one), initrdTime(other)];
      const difference = first.seconds - second.seconds;
      const noise = Math.max(first.seconds * first.spread, second.seconds * second.spread);
      const where = use === 'few' ? 'with the few programs' : `with ${use} % read`;
      if (Math.abs(difference) <= noise) return [`the same as far as it repeats ${where}`];
      // No digit finer than the noise.
      const digits = Math.max(0, Math.min(4, Math.ceil(-Math.log10(noise))));
      const figure = Math.abs(difference).toFixed(digits);
      return [
        `${figure} s ${difference > 0 ? 'more' : 'less'} (${significant(first.seconds / second.seconds, 3)} times) ${where}`,
      ];
    });
    return parts.length === 0 ? [] : [`${labelOf(way)}: ${parts.join(', ')}.`];
  });
}

export function useSection(results: Results): Section[] {
  const usage = results.usage.filter(({ use }) => use !== 'few');
  if (usage.length === 0) return [];
  const [kernels, cpios] = [ofFamily(usage, 'kernel'), ofFamily(usage, 'cpio')];
  const sentences = lazinessSentences(usage);
  const over = overKernelSentences(results);
  const sizes = numbers(usage, ({ treeMB }) => treeMB).join(', ');
  return [
    {
      name: 'use',
      title: 'Time against use',
      parts: [
        `Until init has read so much of a tree of ${sizes} MB; ${clockText(results.clock)} since the kernel began with the initrd.`,
        sweep(
          usage,
          ({ use }) => Number(use),
          (use) => `${use} %`,
        ),
        ...repeats(usage, results.clock),
        ...(sentences.length === 0
          ? []
          : [
              'Where, if anywhere, does the lazy way cost more? The share of the tree that init has to read for the kernel way to cost more than a cpio (straight lines between the shares that were measured; "never": at none of them):',
              {
                cells: [
                  ['against', ...kernels.map(shortName)],
                  ...cpios.map((cpio) => [
                    labelOf(cpio),
                    ...kernels.map((kernel) => verdict(usage, kernel, cpio)),
                  ]),
                ],
              },
              { list: sentences },
            ]),
        ...(over.length === 0
          ? []
          : ['What the other ways to the same EROFS image cost over the kernel way:', { list: over }]),
      ],
    },
  ];
}
