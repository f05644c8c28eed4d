// SPDX-License-Identifier: GPL-2.0-only
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { Command, Option } from '@commander-js/extra-typings';
import { architecture } from '../host/architecture.ts';
import { goals, reached } from './report/goals.ts';
import { markdown } from './report/markdown.ts';
import { writeReport } from './report/write.ts';
import { command } from './run/command.ts';
import { benchPlans } from './run/plan.ts';
import { benchFolder, measured } from './run/run.ts';

const program = new Command('bench')
  .description(
    'Compares the ways from an initrd to the root that init finds. What has been measured is kept, so that a run ' +
      'which was interrupted goes on; it is measured anew when the kernel, an image or the way to measure is another.',
  )
  .addOption(
    new Option(
      '--plan <name>',
      'measure everything but whole systems (full), times and memory of boots (boots), a selection in minutes (quick), ' +
        'what the series promises (cost), small images by profile (profile), whole systems that are never left (system), ' +
        'larger ones (system-large), or one file on several kernels (one-file)',
    )
      .choices(benchPlans[architecture])
      .default(benchPlans[architecture][0]),
  )
  .option('--jobs <number>', 'run this number of machines at a time', Number, availableParallelism())
  .option('--only <kinds>', 'measure these kinds of points only, and write no report: timing,memory,...')
  .addHelpText(
    'after',
    '\nExit status: 0; 1 when something could not be measured, did not repeat, or is not as the series promises;\n' +
      '2 wrong usage.',
  )
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse();
const { plan, jobs, only } = program.opts();

await command(async () => {
  const results = await measured({ plan, jobs, only: only?.split(',') });
  if (results === undefined) return true;
  const folder = join(benchFolder, plan);
  await writeReport(folder, results);
  process.stdout.write(
    `${markdown(results)}\nPictures and report: ${relative(process.cwd(), folder)}/report.html\n`,
  );
  return goals(results).every(reached);
});
