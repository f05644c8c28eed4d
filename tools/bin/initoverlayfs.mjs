#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-only
// Runs the sources where they are, and the built program in an installed package, which has no sources.
import { existsSync } from 'node:fs';

const source = new URL('../src/initoverlayfs.ts', import.meta.url);
if (existsSync(source)) {
  const { register } = await import('tsx/esm/api');
  register();
  await import(source.href);
} else {
  await import('../dist/initoverlayfs.mjs');
}
