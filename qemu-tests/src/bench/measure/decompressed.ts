// SPDX-License-Identifier: GPL-2.0-only
import type { Step } from '../../machine/steps.ts';
import { trial } from '../../machine/trial.ts';
import { rowsOf, type Verdict } from '../../machine/verdict.ts';
import type { Form } from '../forms/forms.ts';
import type { DecompressedRow, DecompressionPattern } from '../model/access-schema.ts';
import { access, checkUse, machineOf, useSteps } from './machine.ts';
import { type Request, requestsOf, traceSteps, tracing } from './trace.ts';

const steps: Readonly<Record<DecompressionPattern, readonly Step[]>> = {
  'read 4K': [access('read', 4096)],
  'read 64K': [access('read')],
  'read 128K': [access('read', 131072)],
  map: [access('map')],
  'random 4K': [access('random')],
  programs: useSteps('few'),
};

/** The files of a tree that a boot can get into the page cache. */
const places = ['/init', '/usr', '/bench'];

function residentBytes(verdict: Verdict): number {
  const rows = rowsOf(verdict, 'resident');
  if (rows.length !== places.length) throw new Error('the agent did not say what the page cache holds');
  return rows.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Adds up requests; `onceBytes`: as if each pcluster had been decompressed once, as far as it was needed. */
export function tally(requests: readonly Request[]): { calls: number; bytes: number; onceBytes: number } {
  const largest = new Map<string, number>();
  let bytes = 0;
  for (const { source, outputBytes } of requests) {
    bytes += outputBytes;
    largest.set(source, Math.max(outputBytes, largest.get(source) ?? 0));
  }
  const onceBytes = [...largest.values()].reduce((sum, size) => sum + size, 0);
  return { calls: requests.length, bytes, onceBytes };
}

/** Boots a compressed image on a kernel with the probes, uses its files, and counts what is decompressed for it. */
export async function decompressed(
  form: Form,
  pattern: DecompressionPattern,
  kernel: string,
): Promise<DecompressedRow> {
  const { way, tree } = form;
  const machine = machineOf(form, { patched: kernel, stock: kernel });
  const { found } = await trial(
    {
      ...machine,
      name: `bench decompressed ${way} ${tree.megabytes} ${pattern}`,
      append: `${machine.append} ${tracing}`,
      steps: [...steps[pattern], ...places.map((place): Step => ['resident', place]), ...traceSteps],
    },
    ({ verdict }) => {
      checkUse(verdict);
      return { resident: residentBytes(verdict), requests: requestsOf(verdict) };
    },
  );
  const { calls, bytes, onceBytes } = tally(found.requests.filter(({ copied }) => !copied));
  return {
    way,
    treeMB: tree.megabytes,
    pattern,
    calls,
    bytes,
    usedBytes: Math.min(found.resident, onceBytes),
  };
}
