// SPDX-License-Identifier: GPL-2.0-only
// Makes node write the kilobytes of its own peak to the file OWN_PEAK. What its parent is told has mkfs.erofs in it.
import { appendFileSync } from 'node:fs';

process.on('exit', () => appendFileSync(process.env.OWN_PEAK, `${process.resourceUsage().maxRSS}\n`));
