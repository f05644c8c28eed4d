// SPDX-License-Identifier: GPL-2.0-only

/** Function that runs one step of a longer work. The title may be shown to a person. */
export type Step = <T>(title: string, run: () => Promise<T>) => Promise<T>;

export const quietly: Step = (_, run) => run();
