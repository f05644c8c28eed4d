// SPDX-License-Identifier: GPL-2.0-only
import { defineConfig, mergeConfig } from 'vitest/config';
import { LongestFirst } from './order.ts';
import base from './vitest.config.ts';

/**
 * The tests that `make qemu-test` also boots on the sanitizer kernel, with KERNEL_VARIANT=debug: of each promise that KASAN,
 * lockdep or kmemleak can say something about that the release kernel cannot, and no more, since the whole suite
 * takes a quarter of an hour there. `make qemu-test KERNEL_VARIANT=debug` is the whole suite.
 */
export default mergeConfig(
  { ...base, test: { ...base.test, include: [] } },
  defineConfig({
    test: {
      sequence: { sequencer: LongestFirst },
      include: [
        // They are on all the time, and nothing is leaked: in place, stacked, fallen back, and a plain cpio.
        'src/series/sanitizers.debug.ts',
        // The kernel's own tests of what parses the initrd.
        'src/series/kunit.debug.ts',
        // Nothing is read outside an image, whatever it says and however it is damaged.
        'src/series/bounds.test.ts',
        'src/fuzz/replay.debug.ts',
        // The way back to today's path, from every point at which the new one can fail.
        'src/series/fallback.test.ts',
        'src/series/archive-refused.test.ts',
        // Pages are given back once, and none that somebody has. A missing reference to a page that two images share
        // shows only there.
        'src/series/holders.test.ts',
        'src/series/accounted.test.ts',
        // Nothing is written after the end of init's environment, which is full.
        'src/series/environment.test.ts',
      ],
    },
  }),
);
