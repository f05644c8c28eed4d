// SPDX-License-Identifier: GPL-2.0-only
import type { Result } from './result.ts';

/** The number of a hundred mutants that have to mount: with fewer, little of the kernel is tested. */
export const leastMounted = 60;

function counted(names: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a);
}

/** Returns a complaint about a run as a whole, or undefined. */
export function complaint(results: readonly Result[]): string | undefined {
  const mounted = results.filter(({ mount }) => mount === 'mounted').length;
  const share = (100 * mounted) / results.length;
  if (results.length === 0 || share >= leastMounted) return undefined;
  return `only ${share.toFixed(0)} % of the mutants could be mounted, ${leastMounted} % are needed`;
}

/** Returns a few lines for a person: the mutants that were mounted, refused with reasons, used, and failed. */
export function summary(results: readonly Result[]): string[] {
  const mounted = results.filter(({ mount }) => mount === 'mounted');
  const refused = results.filter(({ mount }) => mount !== 'mounted' && mount !== undefined);
  const died = results.filter(({ mount }) => mount === undefined);
  const failed = results.filter(({ failure }) => failure !== undefined);
  const sum = (name: string) => results.reduce((total, { used }) => total + (used[name] ?? 0), 0);
  const share = (part: readonly Result[]) => `${((100 * part.length) / results.length).toFixed(0)} %`;
  const errors = counted(refused.map(({ mount }) => mount ?? '')).map(([name, count]) => `${name} ${count}`);
  return [
    `${results.length} mutants: ${mounted.length} mounted (${share(mounted)}), ${refused.length} refused, ${died.length} not survived`,
    `refused: ${errors.join(', ') || 'none'}`,
    `used: ${['dirs', 'files', 'links', 'xattrs', 'programs'].map((name) => `${sum(name)} ${name}`).join(', ')}, ${Math.round(sum('bytes') / 1e6)} MB read, ${sum('errors')} calls failed, ${sum('faults')} faults`,
    ...failed.map(({ number, failure }) => `failed: mutant ${number}: ${failure?.split('\n')[0]}`),
    `${failed.length} failed`,
  ];
}
