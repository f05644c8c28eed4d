// SPDX-License-Identifier: GPL-2.0-only
import { join, resolve } from 'node:path';
import { architecture } from './architecture.ts';
import { onDebug } from './variant.ts';

/** The folder of the project. */
export const projectRoot = resolve(import.meta.dirname, '../../..');

/** The folder that holds a folder of artefacts for each boot; `QEMU_TEST_ARTEFACTS` names another. */
export const artefactsRoot = resolve(
  process.env.QEMU_TEST_ARTEFACTS ||
    join(
      projectRoot,
      'build/qemu-tests',
      architecture === 'x86_64' ? '' : architecture,
      onDebug ? 'debug' : '',
    ),
);
