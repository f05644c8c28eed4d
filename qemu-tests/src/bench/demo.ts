// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { Command, Option } from '@commander-js/extra-typings';
import { distributionPath, type Generator, plan as planOf } from '../debian/distribution.ts';
import { architecture } from '../host/architecture.ts';
import { cacheRoot } from '../host/cache.ts';
import { demoSystemText, demoText } from './report/demo.ts';
import { goals, reached } from './report/goals.ts';
import { writeReport } from './report/write.ts';
import { command } from './run/command.ts';
import { benchFolder, measured } from './run/run.ts';

const program = new Command('demo')
  .description('Boots a Debian as cpio and in place, and compares.')
  .addOption(
    new Option(
      '--plan <name>',
      "boot a distribution's initramfs (demo), or a whole system that is never left (system)",
    )
      // An initramfs is made by programs of its own architecture, and those of another one are not run here.
      .choices(architecture === 'x86_64' ? (['demo', 'system'] as const) : (['system'] as const))
      .default(architecture === 'x86_64' ? ('demo' as const) : ('system' as const)),
  )
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse();

function say(text: string): void {
  process.stderr.write(`demo: ${text}\n`);
}

/** Says what takes minutes before it is done. */
async function announce(generators: readonly Generator[]): Promise<void> {
  const kernels = await readdir(join(cacheRoot(), 'kernel')).catch(() => []);
  if (kernels.length === 0) {
    say(
      'to be made once: Linux with the series and without; downloads 150 MB of source, builds for 10 minutes',
    );
  }
  for (const generator of generators) {
    if (existsSync(distributionPath(await planOf(generator)))) continue;
    say(
      `to be made once: a Debian with ${generator}; downloads about 90 MB of packages, takes 1 to 2 minutes`,
    );
  }
  const initramfs = architecture === 'arm64' ? ', and an initramfs that leads to it in two' : '';
  say(
    generators.length > 0
      ? 'to be booted: each initramfs as built and converted, and trees of 10 and 100 MB; about 5 minutes'
      : `to be made once and booted: a Debian with systemd as an initrd in three forms${initramfs}; about 5 minutes`,
  );
}

const demos = {
  demo: { plan: 'demo', text: demoText },
  system: { plan: 'demo-system', text: demoSystemText },
} as const;

await command(async () => {
  const { plan, text } = demos[program.opts().plan];
  const initrd = plan === 'demo' ? process.env.INITRD || undefined : undefined;
  // The root that is booted to is the Debian of the first, whatever the initramfs.
  await announce(plan === 'demo' ? (initrd ? ['dracut'] : ['dracut', 'initramfs-tools']) : []);
  const results = await measured({ plan, jobs: availableParallelism(), initrd });
  if (results === undefined) return true;
  const folder = join(benchFolder, plan);
  await writeReport(folder, results);
  process.stdout.write(
    `${text(results)}\nPictures and report: ${relative(process.cwd(), folder)}/report.html\n`,
  );
  return goals(results).every(reached);
});
