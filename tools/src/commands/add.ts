// SPDX-License-Identifier: GPL-2.0-only
import { megabytes } from '../codecs/bytes.ts';
import { counted } from '../host/count.ts';
import { Failure } from '../host/failure.ts';
import { checkOutput, standardOutput, writeOutput } from '../host/output.ts';
import { FileSource } from '../host/source.ts';
import { withWork } from '../host/work.ts';
import { type Addition, type AddOptions, addArchives } from '../images/add.ts';
import { readAdditions } from './additions.ts';
import { openInput, refuseUki, standardInput } from './input.ts';
import { onOneLine, print } from './print.ts';
import { showProgress } from './progress.ts';
import { warnAll } from './warn.ts';

export interface AddArguments extends AddOptions {
  /** Default: the input, which is replaced when all has been written. */
  output?: string;
  to?: string;
}

export async function add(
  input: string,
  paths: string[],
  { output, to = '', ...options }: AddArguments,
): Promise<void> {
  const target = output ?? (input === standardInput ? standardOutput : input);
  await withWork(async (work) => {
    const step = showProgress();
    const source = await openInput(input, work);
    refuseUki(
      input,
      source,
      'is a unified kernel image, which is signed as a whole; systemd-stub adds the files in its folder .extra.d, and ukify makes another image',
    );
    await checkOutput(target, output === undefined ? paths : [input, ...paths]);
    const archives = await step('Reading what is added', () => readAdditions(paths, to, work, options.limit));
    if (archives.length === 0) throw new Failure('input', 'there is nothing in what is to be added');
    const adding = () => addArchives(source, archives, options, work);
    const addition = await step('Reading the initrd', adding).catch((error) => {
      throw error instanceof Failure && error.kind === 'input' ? error.in(input) : error;
    });
    // Another one may have added to it in the meantime.
    const unchanged = output === undefined && source instanceof FileSource ? source.identity : undefined;
    const made = { inputs: [input, ...paths], ...(unchanged ? { unchanged } : {}) };
    const write = () => writeOutput(target, addition.layout.chunks(), made);
    await step(`Writing ${target}`, write);
    warnAll(target, addition.warnings);
    print(describe(target, addition), target);
  });
}

function describe(target: string, { added, hasImage, layout }: Addition): string {
  const lines = added.map(({ offset, size, entries, replaced }) => {
    const what = replaced ? 'replaced an archive with the same names' : 'added an archive';
    return `${what}: ${counted(entries, 'entry', 'entries')}, ${size} bytes at offset 0x${offset.toString(16)}`;
  });
  if (hasImage)
    lines.push('init gets its files apart from the root (initoverlayfs.extra=overlay puts them over it)');
  return `${[...lines, `${onOneLine(target)}: ${megabytes(layout.size)}`].join('\n')}\n`;
}
