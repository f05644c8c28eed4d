// SPDX-License-Identifier: GPL-2.0-only
import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { Command, Option } from '@commander-js/extra-typings';
import { writeOutput } from '@initoverlayfs/tools';
import { tasks } from '../host/progress.ts';
import { hostFrom } from '../machine/qemu.ts';
import { type Form, form, refusal } from './forms/forms.ts';
import { benchKernels, type Kernels } from './forms/kernels.ts';
import { type BenchTree, benchTree } from './forms/tree.ts';
import { environment } from './measure/environment.ts';
import { loadSeconds } from './measure/storage.ts';
import { systemRefusal } from './measure/systems.ts';
import { type Clock, type PlanName, planNames, type Results, resultsSchema } from './model/schema.ts';
import type { Way } from './model/way.ts';
import { charts } from './report/charts/charts.ts';
import { html } from './report/html.ts';
import { markdown } from './report/markdown.ts';
import { assemble, unsteady } from './run/assemble.ts';
import { jobOf } from './run/job.ts';
import { Journal } from './run/journal.ts';
import { type Plan, plans, points, wallPlan } from './run/plan.ts';
import { progressText, run } from './run/queue.ts';

const out = resolve(import.meta.dirname, '../../../build/bench');

/** Written whole or not at all. */
async function write(name: string, content: string | Uint8Array): Promise<void> {
  await writeOutput(join(out, name), Buffer.from(content));
}

/** The plan without the ways that cannot be measured here, and why not. */
async function possible(plan: Plan): Promise<{ plan: Plan; missing: Record<string, string> }> {
  const missing: Record<string, string> = {};
  const without = async (ways: readonly Way[], why: typeof refusal, prefix: string): Promise<Way[]> => {
    const left: Way[] = [];
    for (const way of ways) {
      const reason = await why(way);
      if (reason === undefined) left.push(way);
      else if (missing[way] === undefined) missing[`${prefix}${way}`] = reason;
    }
    return left;
  };
  const ways = await without(plan.ways, refusal, '');
  const systemWays = await without(plan.systemWays, systemRefusal, 'systems: ');
  return { plan: { ...plan, ways, systemWays }, missing };
}

interface Options {
  readonly plan: PlanName;
  readonly jobs: number;
  /** Leaves the other experiments out; nothing is written then but what was measured. */
  readonly only?: string | undefined;
}

async function main({ plan: name, jobs, only }: Options): Promise<void> {
  const clock: Clock = hostFrom(process.env).accel === 'kvm' ? 'wall' : 'instructions';
  const chosen = plans[name];
  const { plan, missing } = await possible(clock === 'wall' ? wallPlan(chosen) : chosen);
  const wanted = points(plan).filter(({ kind }) => only === undefined || only.split(',').includes(kind));
  const kernels: Kernels = await benchKernels();
  const trees = new Map<number, BenchTree>();
  const forms = new Map<string, Form>();
  const formOf = (treeMB: number, way: Way): Form => {
    const found = forms.get(`${treeMB} ${way}`);
    if (found === undefined) throw new RangeError(`no form of ${way} with ${treeMB} MB`);
    return found;
  };
  const journal = new Journal(join(out, `measured-${clock}`));
  let outcomes = new Map<string, unknown>();
  await mkdir(out, { recursive: true });

  await tasks([
    {
      title: 'Trees of programs, libraries and modules, in every form',
      task: async (_, task) => {
        const needed = wanted.flatMap((point) =>
          'treeMB' in point ? [[point.treeMB, point.way] as const] : [],
        );
        for (const [treeMB, way] of needed) {
          if (forms.has(`${treeMB} ${way}`)) continue;
          task.output = `${treeMB} MB, ${way}`;
          const tree = trees.get(treeMB) ?? (await benchTree(treeMB));
          trees.set(treeMB, tree);
          forms.set(`${treeMB} ${way}`, await form(tree, way));
        }
      },
    },
    {
      title: 'Boots',
      task: async (_, task) => {
        const list = await Promise.all(wanted.map((point) => jobOf(point, formOf, kernels, clock)));
        // A host's clock does not tell what else the host does.
        outcomes = await run(list, journal, clock === 'wall' ? 1 : jobs, (progress) => {
          task.output = progressText(progress);
        });
      },
    },
  ]).run();
  if (only !== undefined) return;

  const command = [
    'make bench',
    ...(name === 'full' ? [] : [`PLAN=${name}`]),
    ...(clock === 'wall' ? ['ACCEL=kvm'] : []),
  ].join(' ');
  const results: Results = resultsSchema.parse({
    format: 2,
    ...{ clock, plan: name },
    environment: await environment(command, kernels, clock, missing),
    trees: [...trees.values()].map(({ megabytes, bytes, files, fewBytes, sha256 }) => ({
      ...{ megabytes, bytes, files, fewBytes, sha256 },
    })),
    ...assemble(plan, outcomes, (treeMB, way) => formOf(treeMB, way).files, loadSeconds(kernels)),
  });
  const complaints = unsteady(results);
  if (complaints.length > 0) {
    throw new Error(['The same boot did not take the same time:', ...complaints].join('\n'));
  }

  const pictures = await charts(results);
  await write('results.json', `${JSON.stringify(results, null, 2)}\n`);
  await write('results.md', markdown(results));
  for (const { name, svg, png } of pictures) {
    await write(`${name}.svg`, svg);
    await write(`${name}.png`, png);
  }
  await write('report.html', html(results, pictures));
  process.stdout.write(
    `${markdown(results)}\nPictures and report: ${relative(process.cwd(), out)}/report.html\n`,
  );
}

const program = new Command('bench')
  .description(
    'Compares the ways from an initrd to the root that init finds. What has been measured is kept, so that a run\n' +
      'which was interrupted goes on; it is measured anew when the kernel, an image or the way to measure is another.',
  )
  .addOption(new Option('--plan <name>', 'what to measure').choices(planNames).default<PlanName>('full'))
  .option('--jobs <number>', 'machines at a time', Number, availableParallelism())
  .option('--only <kinds>', 'measure these kinds of points only, write no report: timing,memory,...')
  .addHelpText(
    'after',
    '\nExit status: 0; 1 when something could not be measured or did not repeat; 2 wrong usage.',
  )
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse();

try {
  await main(program.opts());
} catch (error) {
  const whole = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const lines =
    whole instanceof AggregateError ? [whole.message, ...whole.errors.map(String)] : [String(whole)];
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exitCode = 1;
}
