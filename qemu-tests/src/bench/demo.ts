// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { distributionPath, type Generator, plan } from '../debian/distribution.ts';
import { cacheRoot } from '../host/cache.ts';
import { demoText } from './report/demo.ts';
import { goals, reached } from './report/goals.ts';
import { writeReport } from './report/write.ts';
import { command } from './run/command.ts';
import { benchFolder, measured } from './run/run.ts';

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
    if (existsSync(distributionPath(await plan(generator)))) continue;
    say(
      `to be made once: a Debian with ${generator}; downloads about 90 MB of packages, takes 1 to 2 minutes`,
    );
  }
  say('to be booted: each initramfs as built and converted, and trees of 10 and 100 MB; about 5 minutes');
}

await command(async () => {
  const initrd = process.env.INITRD || undefined;
  // The root that is booted to is the Debian of the first, whatever the initramfs.
  await announce(initrd ? ['dracut'] : ['dracut', 'initramfs-tools']);
  const results = await measured({ plan: 'demo', jobs: availableParallelism(), initrd });
  if (results === undefined) return true;
  const folder = join(benchFolder, 'demo');
  await writeReport(folder, results);
  process.stdout.write(
    `${demoText(results)}\nPictures and report: ${relative(process.cwd(), folder)}/report.html\n`,
  );
  return goals(results).every(reached);
});
