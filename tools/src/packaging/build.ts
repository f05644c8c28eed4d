// SPDX-License-Identifier: GPL-2.0-only
import { makeBundle } from './bundle.ts';

await makeBundle();
