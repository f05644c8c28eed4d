// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { steps } from './steps.ts';

test('the steps are those of the agent', () => {
  const source = readFileSync(join(import.meta.dirname, '../../guest/agent.h'), 'utf8');
  const names = [...source.matchAll(/\bX\(([a-z]\w*)\)/g)].map(([, name]) => name);
  expect(Object.keys(steps)).toEqual(names.sort());
});
