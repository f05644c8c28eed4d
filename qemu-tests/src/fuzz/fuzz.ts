// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from '@commander-js/extra-typings';
import pLimit from 'p-limit';
import { kernel } from '../host/kernels.ts';
import type { KernelVariant } from '../host/variant.ts';
import { type Base, listBases, readBases } from './base.ts';
import { bootMutants } from './boots.ts';
import { saveMutant } from './corpus.ts';
import { minimise } from './minimise.ts';
import { type Mutant, mutant, targetOf } from './mutant.ts';
import type { Result } from './result.ts';
import { runMutants } from './run.ts';
import { complaint, summary } from './summary.ts';

function whole(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 0) throw new InvalidArgumentError('a whole number is needed.');
  return count;
}

function existing(path: string): string {
  if (!existsSync(path)) throw new InvalidArgumentError('no such file.');
  return resolve(path);
}

const program = new Command('fuzz')
  .description('Mounts and boots damaged images. A seed and a number are the same mutant on every machine.')
  .option('--seed <number>', 'choose the mutants by this seed', whole, 1)
  .option('--mutants <number>', 'mount this many', whole, 1000)
  .option('--from <number>', 'begin with this number', whole, 0)
  .option('--boots <number>', 'boot this many initrds (default: one for 100 mutants)', whole)
  .option('--jobs <number>', 'run this many machines at a time', whole, 1)
  .option('--variant <name>', 'use this kernel of `make kernel`', 'debug')
  .option('--kernel <path>', 'use another kernel, which has CONFIG_TEST_FS_IMAGE', existing)
  .option('--keep-failing', 'save the mutants that fail in the corpus, with the edits that matter', false)
  .addHelpText(
    'after',
    `
Exit status: 0 nothing failed; 1 a mutant failed, or too few could be mounted; 2 the command line is wrong;
3 nothing can be said, the reason is on stderr.`,
  )
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? 0 : 2);
  })
  .parse();
const options = program.opts();

/** The number of mutants for one boot: a crash costs the next ones no more than a boot. */
const chunkSize = 500;

function say(text: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`);
}

/** Runs as many pieces of work at a time as there are jobs. */
const inParallel = <T>(work: readonly (() => Promise<T>)[]): Promise<T[]> =>
  pLimit(Math.max(1, options.jobs)).map(work, (each) => each());

async function mountAll(image: string, bases: readonly Base[], mutants: readonly Mutant[]) {
  const chunks: Mutant[][] = [];
  for (let at = 0; at < mutants.length; at += chunkSize) chunks.push(mutants.slice(at, at + chunkSize));
  const done = chunks.map(() => 0);
  const results = await inParallel(
    chunks.map((chunk, n) => async () => {
      let said = 0;
      const progress = (count: number) => {
        done[n] = count;
        if (count - said < 50 && count < chunk.length) return;
        said = count;
        say(`mounted or refused: ${done.reduce((sum, some) => sum + some)} of ${mutants.length}`);
      };
      const name = `fuzz ${options.seed} ${chunk[0]?.number}`;
      return runMutants({ name, kernel: image, bases, mutants: chunk, progress });
    }),
  );
  return results.flat();
}

/** Makes failed mutants smaller and keeps them. */
async function keep(
  image: string,
  bases: readonly Base[],
  mutants: readonly Mutant[],
  failed: readonly Result[],
) {
  for (const { number, failure = '' } of failed) {
    const whole = mutants.find((some) => some.number === number);
    const base = bases.find(({ name }) => name === whole?.base);
    if (whole === undefined || base === undefined) continue;
    say(`making mutant ${number} smaller`);
    const small = await minimise(whole, base, async (candidates) => {
      const results = await runMutants({
        name: `fuzz smaller ${number}`,
        kernel: image,
        bases: [base],
        mutants: candidates,
      });
      return results.map((result) => result.failure !== undefined);
    });
    say(saveMutant(`${base.name}-${options.seed}-${number}`, small, base, failure));
  }
}

async function main(): Promise<number> {
  const image = options.kernel ?? (await kernel(options.variant as KernelVariant));
  const bases = await readBases();
  const targets = bases.map(targetOf);
  const mutants = Array.from({ length: options.mutants }, (_, n) =>
    mutant(options.seed, options.from + n, targets),
  );

  process.stdout.write(
    `seed ${options.seed}, from ${options.from}; ${bases.length} images of ${listBases().mkfs}\n`,
  );
  const results = await mountAll(image, bases, mutants);
  const failed = results.filter(({ failure }) => failure !== undefined);
  if (options.keepFailing) await keep(image, bases, mutants, failed);
  if (results.length > 0) for (const line of summary(results)) process.stdout.write(`${line}\n`);

  const boots = await bootMutants({
    seed: options.seed,
    count: options.boots ?? Math.ceil(options.mutants / 100),
    kernel: image,
    progress: say,
    inParallel,
  });
  for (const line of boots.lines) process.stdout.write(`${line}\n`);

  const trouble = complaint(results);
  if (trouble !== undefined) process.stdout.write(`${trouble}\n`);
  return failed.length + boots.failed > 0 || trouble !== undefined ? 1 : 0;
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  return 3;
});
