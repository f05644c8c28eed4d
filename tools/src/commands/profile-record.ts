// SPDX-License-Identifier: GPL-2.0-only
import { megabytes } from '../codecs/bytes.ts';
import { Failure, inFile } from '../host/failure.ts';
import { checkOutput, writeOutput } from '../host/output.ts';
import { withWork } from '../host/work.ts';
import { addArchives } from '../images/add.ts';
import { shimFile } from '../images/distribution.ts';
import { makeRecording, recordedProfile } from '../images/recording.ts';
import { readView } from '../images/view.ts';
import { unpackedSize } from '../segments/unpacked-size.ts';
import { openInput, refuseUki } from './input.ts';
import { onOneLine, print } from './print.ts';
import { showProgress } from './progress.ts';
import { checkWhole, warnOfView } from './view.ts';
import { warn } from './warn.ts';

export interface RecordArguments {
  output: string;
  shim?: string;
  limit?: number;
}

/**
 * Writes an initrd that lists what its boot reads.
 * @throws Failure (usage) when nothing can be added to its root.
 */
export async function record(image: string, { output, shim, limit }: RecordArguments): Promise<void> {
  await checkOutput(output, [image]);
  await withWork(async (work) => {
    const step = showProgress();
    const source = await openInput(image, work);
    refuseUki(image, source, 'is a unified kernel image; name the initrd that it was made of');
    work.unpacks(() => unpackedSize(source));
    const reading = readView(source, work, { keep: () => true, ...(limit === undefined ? {} : { limit }) });
    const view = await step('Reading the initrd', () => reading).catch((error) => {
      throw inFile(error, image);
    });
    warnOfView(image, view);
    checkWhole(image, view);
    if (view.segments.some(({ kind, part }) => kind === 'erofs' && part !== undefined)) {
      const problem =
        'has an image as root, to which nothing is added; name what it was made of, and convert the result';
      throw new Failure('usage', problem, { file: image });
    }
    const { files, starters } = await makeRecording(view.parts.main.root, (name) => shimFile(name, shim));
    const adding = addArchives(source, [files], limit === undefined ? {} : { limit }, work);
    const { layout } = await adding.catch((error) => {
      throw inFile(error, image);
    });
    await step(`Writing ${output}`, () => writeOutput(output, layout.chunks(), { inputs: [image] }));
    if (starters.length === 0)
      warn(
        `${image}: nothing in it starts the recorder; run /usr/lib/initoverlayfs-profile-record when it has booted`,
      );
    else print(`the recorder is started by ${starters.join(', ')} when the root is left\n`, output);
    print(
      `${onOneLine(output)}: ${megabytes(layout.size)}; a boot of it, or of what is converted from it, writes ${recordedProfile}\n`,
      output,
    );
  });
}
