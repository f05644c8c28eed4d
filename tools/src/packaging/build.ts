// SPDX-License-Identifier: GPL-2.0-only
import { makePackage } from './make-package.ts';

await makePackage();
