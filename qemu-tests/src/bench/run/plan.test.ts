// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { idOf, weightOf } from '../model/point.ts';
import { factsOf } from '../model/way.ts';
import { benchPlans, plans, points, ramOf, wallPlan } from './plan.ts';

test('the full plan boots every way with every tree and every use', () => {
  const ids = new Set(points(plans.full).map(idOf));
  for (const way of plans.full.ways) {
    for (const treeMB of [10, 25, 50, 100, 200, 400]) expect(ids).toContain(`timing/${treeMB}/${way}/few/1`);
    for (const use of [0, 1, 10, 50, 100]) expect(ids).toContain(`timing/100/${way}/${use}/1`);
    expect(ids).toContain(`smallest/100/${way}/few`);
  }
});

test.each(Object.entries(plans))('no point is twice in the %s plan, and each has a weight', (_, plan) => {
  const all = points(plan);
  expect(new Set(all.map(idOf)).size).toBe(all.length);
  expect(all.every((point) => weightOf(point) > 0)).toBe(true);
});

test('the same boot of all ways comes one after the other, so that pairs are close in time', () => {
  const runs = points(plans.quick).flatMap((point) =>
    point.kind === 'timing' && point.treeMB === 10 ? [point.run] : [],
  );
  expect(runs).toEqual([...runs].sort((a, b) => a - b));
});

test('the quick plan needs no disk', () => {
  expect(plans.quick.ways.filter((way) => factsOf(way).disk)).toEqual([]);
  expect(points(plans.quick).every(({ kind }) => kind === 'timing' || kind === 'memory')).toBe(true);
});

test.each(benchPlans.arm64)('the plan %s has only points that are measured on arm64, too', (name) => {
  expect(new Set(points(plans[name]).map(({ kind }) => kind))).toEqual(new Set(['timing', 'memory']));
});

test('the full plan has every point of the demo and of what the series promises', () => {
  const full = new Set(points(plans.full).map(idOf));
  const boots16K = (id: string) => /^(timing|smallest)\/100\/kernel-lz4hc-16k/.test(id);
  const others = [...points(plans.demo), ...points(plans.cost)].map(idOf);
  expect(others.filter((id) => !full.has(id) && !boots16K(id))).toEqual([]);
});

test.each([plans.full, plans.quick])(
  'on the host clock nothing is measured that counts instructions',
  (plan) => {
    const wall = wallPlan(plan);
    expect(new Set(points(wall).map(({ kind }) => kind))).toEqual(new Set(['timing', 'memory']));
    expect(wall.runs % 2).toBe(1);
    expect(wall.runs).toBeGreaterThan(plan.runs);
  },
);

test.each([
  ['boots', 2048],
  ['cost', 2048],
  ['system', 2048],
  ['one-file', 2048],
  ['system-large', 6144],
  ['demo', undefined],
  ['full', undefined],
] as const)('the machines of the %s plan have %s MiB of RAM', (name, mib) => {
  expect(ramOf(plans[name])).toBe(mib);
});
