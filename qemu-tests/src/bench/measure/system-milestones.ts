// SPDX-License-Identifier: GPL-2.0-only
import type { Figures } from '../../debian/report.ts';
import { systemdStart } from '../../log/marks.ts';
import { requiredSeconds } from '../../log/record.ts';
import type { SystemRow } from '../model/schema.ts';
import { factsOf, type Way } from '../model/way.ts';
import { ordered, patterns } from './milestones.ts';

/** The lines of storage-init, from its first to its last. */
const storageInit = /^storage-init: /;

/**
 * Returns the milestones of a real system, from its report at the end of the boot.
 *
 * `init`, for `user-*`, is the last line of storage-init, when it has attached the image; making the overlay and moving
 * the mounts, some milliseconds, is in what follows. For the others /init is what the kernel runs; for `kernel-*` that
 * is the shim, which passes on the extra archive. `systemd` is its first start as PID 1, `left` the last: that in the
 * real root.
 *
 * Throws an Error when the log lacks a milestone or the order is another.
 */
export function systemMilestones(
  way: Way,
  { log, multiUser }: Pick<Figures, 'log' | 'multiUser'>,
): SystemRow['at'] {
  const first = (pattern: RegExp) => requiredSeconds(log, pattern);
  const last = (pattern: RegExp) => requiredSeconds(log.toReversed(), pattern);
  return ordered({
    initrdStart: first(patterns.initrdStart),
    initrdEnd: first(patterns.initrdEnd),
    runInit: first(patterns.runInit),
    init: factsOf(way).family === 'user' ? last(storageInit) : first(patterns.runInit),
    systemd: first(systemdStart),
    left: last(systemdStart),
    multiUser: multiUser ?? Number.NaN,
  });
}
