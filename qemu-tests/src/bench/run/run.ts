// SPDX-License-Identifier: GPL-2.0-only
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Generator } from '../../debian/distribution.ts';
import { foreignSystem } from '../../debian/foreign-system.ts';
import { type SystemSize, type WholeSystem, wholeSystem } from '../../debian/system.ts';
import { architecture } from '../../host/architecture.ts';
import { tasks } from '../../host/progress.ts';
import { hostFrom } from '../../machine/qemu.ts';
import { type Form, form, refusal } from '../forms/forms.ts';
import { type InitramfsForm, initramfsForm } from '../forms/initramfs-forms.ts';
import { benchKernels, oneFileKernel, type ReleasedKernel, tracingKernel } from '../forms/kernels.ts';
import {
  debianOriginal,
  type Original,
  ownOriginal,
  type SystemForm,
  systemForm,
  systemRoot,
} from '../forms/system-forms.ts';
import { type BenchTree, benchTree } from '../forms/tree.ts';
import { oneFile, type WholeForm, wholeForm } from '../forms/whole-forms.ts';
import { environment } from '../measure/environment.ts';
import { tracing } from '../measure/milestones.ts';
import { loadSeconds } from '../measure/storage.ts';
import { systemRefusal } from '../measure/systems.ts';
import { wholeWords } from '../measure/whole.ts';
import { subjectOf } from '../model/point.ts';
import { type Clock, type PlanName, type Results, resultsSchema } from '../model/schema.ts';
import type { Way } from '../model/way.ts';
import type { OneFileKernel } from '../model/whole-schema.ts';
import { assemble, unsteady } from './assemble.ts';
import { jobOf, of, wantsTracing } from './job.ts';
import { Journal } from './journal.ts';
import { type Plan, plans, points, ramOf, type WholePlan, wallPlan } from './plan.ts';
import { progressText, run } from './queue.ts';

/** The folder of what has been measured; a plan's results are in a folder of its name. */
export const benchFolder = resolve(
  import.meta.dirname,
  '../../../../build/bench',
  architecture === 'x86_64' ? '' : architecture,
);

/** Returns the plan without the ways that cannot be measured here, and why not. */
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
  const wholes: WholePlan[] = [];
  for (const whole of plan.wholes) {
    const left = await without(whole.ways, refusal, 'whole systems: ');
    wholes.push({ ...whole, ways: left, smallest: whole.smallest.filter((way) => left.includes(way)) });
  }
  return { plan: { ...plan, ways, systemWays, wholes }, missing };
}

export interface Selection {
  readonly plan: PlanName;
  /** Machines at a time. */
  readonly jobs: number;
  /** Leaves the other experiments out; there are no results then. */
  readonly only?: readonly string[] | undefined;
  /** An initramfs of the user's in the place of Debian's. */
  readonly initrd?: string | undefined;
}

/** Makes a whole system for the architecture of the run. */
function systemOf(size: SystemSize, told: (text: string) => void): Promise<WholeSystem> {
  if (architecture === 'x86_64') return wholeSystem(size, told);
  if (size !== 'small') throw new RangeError(`${size}: only the small system is made for ${architecture}`);
  return foreignSystem(architecture, told);
}

/** Returns what to type for a plan. */
function commandOf({ plan, initrd }: Selection, clock: Clock): string {
  return [
    ...(initrd === undefined ? [] : [`INITRD=${initrd}`]),
    ...(plan.startsWith('demo')
      ? [`make ${plan}`]
      : ['make bench', ...(plan === 'full' ? [] : [`PLAN=${plan}`])]),
    ...(architecture === 'x86_64' ? [] : [`ARCH=${architecture}`]),
    ...(clock === 'wall' ? ['ACCEL=kvm'] : []),
  ].join(' ');
}

/**
 * Measures what a plan has and the journal does not, and returns the results; undefined where only some experiments
 * were asked for. Throws an Error when something could not be measured or did not repeat.
 */
export async function measured(selection: Selection): Promise<Results | undefined> {
  const { plan: name, jobs, only, initrd } = selection;
  const clock: Clock = hostFrom(process.env).accel === 'kvm' ? 'wall' : 'instructions';
  const own = initrd === undefined ? undefined : await ownOriginal(initrd);
  const chosen = { ...plans[name], ...(own ? { systems: [own.image] } : {}) };
  const { plan, missing } = await possible(clock === 'wall' ? wallPlan(chosen) : chosen);
  const wanted = points(plan).filter(({ kind }) => only === undefined || only.includes(kind));
  const images = new Set(wanted.flatMap((point) => ('image' in point ? [point.image] : [])));
  // These show their own progress.
  const kernels = await benchKernels();
  const tracers = new Map<Way, string>();
  for (const { way } of wanted.filter(wantsTracing)) tracers.set(way, await tracingKernel(way));

  const released = new Map<OneFileKernel, ReleasedKernel>();
  for (const name of plan.oneFile) released.set(name, await oneFileKernel(name));

  const trees = new Map<number, BenchTree>();
  const forms = new Map<string, Form>();
  const originals = new Map<string, Original>(own ? [[own.image, own]] : []);
  const systems = new Map<string, SystemForm>();
  const made = new Map<string, WholeSystem>();
  const wholes = new Map<string, WholeForm>();
  const initramfsForms = new Map<string, InitramfsForm>();
  const oneFiles = new Map<string, WholeForm>();
  let root = '';
  const formOf = (treeMB: number, way: Way) => of(forms, `${treeMB} MB, ${way}`);
  const systemFormOf = (image: string, way: Way) => of(systems, `${image}, ${way}`);
  const wholeFormOf = (system: string, way: Way) => of(wholes, `${system}, ${way}`);
  const initramfsFormOf = (system: string, way: Way) => of(initramfsForms, `${system}, ${way}`);
  const oneFileOf = (system: string) => of(oneFiles, system);
  let outcomes = new Map<string, unknown>();
  await mkdir(benchFolder, { recursive: true });

  await tasks([
    {
      title: 'Debian systems',
      enabled: () => images.size > 0,
      task: async (_, task) => {
        const told = (text: string) => {
          task.output = text;
        };
        for (const image of plans.demo.systems) {
          if (images.has(image)) originals.set(image, await debianOriginal(image as Generator, told));
        }
        root = await systemRoot(told);
      },
    },
    {
      title: 'Initrds in every form',
      task: async (_, task) => {
        const told = (text: string) => {
          task.output = text;
        };
        for (const point of wanted) {
          const key = `${subjectOf(point)}${'treeMB' in point ? ' MB' : ''}, ${point.way}`;
          if (forms.has(key) || systems.has(key)) continue;
          task.output = key;
          if ('image' in point) {
            systems.set(key, await systemForm(of(originals, point.image), point.way));
          } else if ('system' in point) {
            const whole = made.get(point.system) ?? (await systemOf(point.system, told));
            made.set(point.system, whole);
            if (point.kind === 'initramfs') {
              initramfsForms.set(key, await initramfsForm(whole, point.way));
            } else if (point.kind === 'one-file') {
              const modules = [...released.values()].flatMap((each) => each.modules ?? []);
              if (!oneFiles.has(point.system)) oneFiles.set(point.system, await oneFile(whole, modules));
            } else if (!wholes.has(key)) wholes.set(key, await wholeForm(whole, point.way));
          } else {
            const tree = trees.get(point.treeMB) ?? (await benchTree(point.treeMB, told));
            trees.set(point.treeMB, tree);
            forms.set(key, await form(tree, point.way));
          }
        }
      },
    },
    {
      title: 'Boots',
      task: async (_, task) => {
        const equipment = {
          ...{ clock, kernels, tracing: tracers, formOf, systemFormOf, wholeFormOf, root },
          ...{ initramfsFormOf, oneFileOf, oneFileKernels: released },
        };
        const list = await Promise.all(wanted.map((point) => jobOf(point, equipment)));
        const journal = new Journal(join(benchFolder, `measured-${clock}`));
        // A host's clock does not tell what else the host does.
        outcomes = await run(list, journal, clock === 'wall' ? 1 : jobs, (progress) => {
          task.output = progressText(progress);
        });
      },
    },
  ]).run();
  if (only !== undefined) return undefined;

  const results = resultsSchema.parse({
    format: 2,
    ...{ clock, plan: name },
    environment: await environment(
      commandOf(selection, clock),
      kernels,
      clock,
      missing,
      ramOf(plan),
      plan.wholes.length + plan.oneFile.length > 0 ? `${wholeWords} ${tracing}` : undefined,
    ),
    trees: [...trees.values()].map(({ megabytes, bytes, files, fewBytes, sha256 }) => ({
      ...{ megabytes, bytes, files, fewBytes, sha256 },
    })),
    ...assemble(plan, outcomes, (treeMB, way) => formOf(treeMB, way).files, loadSeconds(kernels)),
  });
  const complaints = unsteady(results);
  if (complaints.length > 0) {
    throw new Error(['The same boot did not take the same time:', ...complaints].join('\n'));
  }
  return results;
}
