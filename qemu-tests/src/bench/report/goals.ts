// SPDX-License-Identifier: GPL-2.0-only

import type { Form } from '../forms/images.ts';
import { type Decompression, excess } from '../measure/decompressed.ts';
import type { Cost } from '../measure/uses.ts';
import { alignColumns } from './columns.ts';

/** The smallest machine that an image boots and is read in. */
export interface Memory {
  readonly form: Form;
  readonly mib: number;
}

export interface Report {
  readonly costs: readonly Cost[];
  readonly memory: readonly Memory[];
  readonly decompressions: readonly Decompression[];
}

/** One promise: a figure and what it has to be below, or at most equal to. */
export interface Goal {
  readonly text: string;
  readonly value: number;
  readonly limit: number;
}

export function reached({ value, limit }: Goal): boolean {
  return value <= limit;
}

/** From the start of the kernel until every file has been read, without what the agent does in between. */
export function bootAndRead({ runInit, seconds }: Cost): number {
  return runInit + seconds.read;
}

/** What the series promises of the times. Throws a RangeError when a form that it takes was not measured. */
export function timeGoals(costs: readonly Cost[]): Goal[] {
  const of = (form: Form): Cost => {
    const cost = costs.find(({ image }) => image.form === form);
    if (cost === undefined) throw new RangeError(`${form} was not measured`);
    return cost;
  };
  const [tmpfs, lz4, plain] = [of('cpio none'), of('cpio lz4'), of('EROFS none')];
  return [
    { text: 'read everything: EROFS none, tmpfs', value: plain.seconds.read, limit: tmpfs.seconds.read },
    { text: 'map everything: EROFS none, tmpfs', value: plain.seconds.map, limit: tmpfs.seconds.map },
    ...(['EROFS lz4hc 4K', 'EROFS lz4hc 64K'] as const).map((form) => ({
      text: `boot and read everything: ${form}, cpio lz4`,
      value: bootAndRead(of(form)),
      limit: bootAndRead(lz4),
    })),
  ];
}

/** What 64 KiB pclusters may cost: a tenth more than what is used, in whichever way. */
export function decompressionGoals(decompressions: readonly Decompression[]): Goal[] {
  return decompressions
    .filter(({ form }) => form === 'EROFS lz4hc 64K')
    .map((each) => ({ text: `decompressed too much, ${each.pattern}`, value: excess(each), limit: 0.1 }));
}

/** In MiB, for the tree of 100 MB; the compressed image's limit is absolute. */
export function memoryGoals(memory: readonly Memory[]): Goal[] {
  return memory
    .filter(({ form }) => form.startsWith('EROFS lz4hc'))
    .map(({ form, mib }) => ({ text: `MiB to boot ${form} and read it all`, value: mib, limit: 96 }));
}

const percent = (part: number) => `${(part * 100).toFixed(2)} %`;

function timeTable(costs: readonly Cost[]): string {
  const names = Object.keys(costs[0]?.seconds ?? {}) as (keyof Cost['seconds'])[];
  return alignColumns([
    ['image', 'file MB', 'Run /init', ...names, 'boot+read'],
    ...costs.map((cost) => [
      cost.image.form,
      (cost.image.bytes / 1e6).toFixed(1),
      cost.runInit.toFixed(4),
      ...names.map((name) => cost.seconds[name].toFixed(4)),
      bootAndRead(cost).toFixed(4),
    ]),
  ]);
}

function decompressionTable(decompressions: readonly Decompression[]): string {
  return alignColumns([
    ['image', 'pattern', 'calls', 'MB out', 'MB used', 'too much'],
    ...decompressions.map((each) => [
      each.form,
      each.pattern,
      String(each.calls),
      (each.bytes / 1e6).toFixed(2),
      (each.usedBytes / 1e6).toFixed(2),
      percent(excess(each)),
    ]),
  ]);
}

function goalTable(goals: readonly Goal[]): string {
  const figure = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(4));
  return alignColumns([
    ['to reach', 'is', 'at most', ''],
    ...goals.map((goal) => [
      goal.text,
      figure(goal.value),
      figure(goal.limit),
      reached(goal) ? 'reached' : 'MISSED',
    ]),
  ]);
}

export function goals({ costs, memory, decompressions }: Report): Goal[] {
  return [...timeGoals(costs), ...memoryGoals(memory), ...decompressionGoals(decompressions)];
}

/** The tables for people. */
export function reportText(report: Report): string {
  return [
    timeTable(report.costs),
    alignColumns([['image', 'smallest MiB'], ...report.memory.map(({ form, mib }) => [form, String(mib)])]),
    decompressionTable(report.decompressions),
    goalTable(goals(report)),
  ].join('\n');
}
