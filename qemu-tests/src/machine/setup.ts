// SPDX-License-Identifier: GPL-2.0-only
import { afterEach } from 'vitest';
import { killForgotten } from './vm.ts';

/** A test that starts a machine and does not wait for it has judged nothing. */
afterEach(() => {
  const names = killForgotten();
  if (names.length > 0) throw new Error(`started and never waited for: ${names.join(', ')}`);
});
