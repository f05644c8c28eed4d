// SPDX-License-Identifier: GPL-2.0-only
import type { Results } from '../../model/schema.ts';
import { accessSection, decompressedSection, goalSection } from './access.ts';
import { contentSection } from './content.ts';
import { environmentSection } from './environment.ts';
import { fileSection } from './files.ts';
import { limitsSection } from './limits.ts';
import { memorySection } from './memory.ts';
import { oneFileSection } from './one-file.ts';
import { phaseSection } from './phases.ts';
import { profileSection } from './profile.ts';
import type { Section } from './section.ts';
import { sizeSection } from './size.ts';
import { smallestSections } from './smallest.ts';
import { storageSection } from './storage.ts';
import { systemSection } from './systems.ts';
import { useSection } from './use.ts';
import { initramfsSection, wholeSections } from './wholes.ts';

/** All that there is to say of the results, in order; experiments without rows are left out. */
export function sections(results: Results): Section[] {
  return [
    ...sizeSection(results),
    ...useSection(results),
    ...phaseSection(results),
    ...memorySection(results),
    ...accessSection(results),
    ...contentSection(results),
    ...decompressedSection(results),
    ...systemSection(results),
    ...wholeSections(results),
    ...initramfsSection(results),
    ...oneFileSection(results),
    ...profileSection(results),
    ...storageSection(results),
    ...smallestSections(results),
    ...fileSection(results),
    ...goalSection(results),
    environmentSection(results),
    limitsSection(results),
  ];
}
