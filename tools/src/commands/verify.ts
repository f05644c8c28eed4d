// SPDX-License-Identifier: GPL-2.0-only
import { exitCode, Failure, inFile } from '../host/failure.ts';
import { withWork } from '../host/work.ts';
import { readArchives, readImages } from '../images/root.ts';
import { type Verification, verifyInitrd } from '../images/verify.ts';
import {
  configuredOnly,
  type Kernel,
  kernelOfRelease,
  readConfig,
  readKernel,
  readKernelFile,
} from '../kernels/kernel.ts';
import { Limit } from '../segments/limit.ts';
import { type OpenedInitrd, openInitrd } from './input.ts';
import { onOneLine } from './print.ts';
import { showProgress } from './progress.ts';

export interface VerifyArguments {
  config?: string;
  kernel?: string;
  pageSize?: number;
  rdinit?: string;
  strict?: boolean;
  json?: boolean;
  limit?: number;
  ukiProfile?: number;
}

/** Says what a kernel will do with an initrd. The exit code tells scripts whether it boots in place. */
export async function verify(
  file: string,
  { config, kernel, pageSize, rdinit, strict = false, json = false, limit, ukiProfile }: VerifyArguments,
): Promise<void> {
  const { verification, uki } = await withWork(async (work) => {
    const opened = await openInitrd(file, work, ukiProfile);
    const { source } = opened;
    const facts = await kernelOf(file, opened, { config, kernel });
    const run = () =>
      verifyInitrd(source, {
        kernel: facts,
        ...(pageSize === undefined ? {} : { pageSize }),
        ...(rdinit === undefined ? {} : { init: rdinit }),
        limit,
        readRoot: async (placement, lost, see) =>
          placement.images.length > 0 && !placement.error
            ? readImages(source, placement, lost, { see, limit: new Limit(limit) })
            : readArchives(source, work, { limit }),
      });
    const verification = await showProgress()('Reading the initrd', run).catch((error) => {
      throw error instanceof Failure && error.kind === 'input' ? error.in(file) : error;
    });
    return { verification, uki: opened.uki };
  });
  if (json) process.stdout.write(`${JSON.stringify({ file, uki, ...verification }, undefined, 2)}\n`);
  else process.stdout.write(describe(file, verification));
  const doubtful = strict && verification.findings.some(({ level }) => level === 'warning');
  if (!verification.boots || doubtful) process.exitCode = exitCode.answer;
}

/** Returns the kernel that the user named, or the one in a unified kernel image. */
async function kernelOf(
  file: string,
  opened: OpenedInitrd,
  { config, kernel }: { config: string | undefined; kernel: string | undefined },
): Promise<Kernel> {
  if (config !== undefined || kernel !== undefined) {
    const configured = config === undefined ? {} : await readConfig(config);
    return {
      ...configured,
      ...(kernel === undefined ? {} : await readKernel(kernel)),
      // --config counts more than what is found in or beside the kernel.
      ...configuredOnly(configured),
    };
  }
  const inside =
    opened.kernel &&
    (await readKernelFile(opened.kernel).catch((error) => {
      throw inFile(error, file);
    }));
  return inside ?? (opened.release === undefined ? {} : kernelOfRelease(opened.release));
}

function describe(file: string, { boots, inPlace, findings }: Verification): string {
  const count = (wanted: string) => findings.filter(({ level }) => level === wanted).length;
  const verdict = boots ? 'boots in place' : inPlace ? 'does not boot' : 'does not boot in place';
  const counts = (['error', 'warning'] as const)
    .map((level) => [count(level), level] as const)
    .filter(([number]) => number > 0)
    .map(([number, level]) => `${number} ${level}${number === 1 ? '' : 's'}`);
  const lines = findings.map(({ level, offset, message }) => {
    const place = offset === undefined ? '' : `offset 0x${offset.toString(16)}: `;
    return `${level.padEnd(8)} ${place}${onOneLine(message)}`;
  });
  return `${[`${onOneLine(file)}: ${verdict}${counts.length > 0 ? ` (${counts.join(', ')})` : ''}`, ...lines].join('\n')}\n`;
}
