// SPDX-License-Identifier: GPL-2.0-only

/** Runs one step of a longer work under a title that a person may be shown. */
export type Step = <T>(title: string, run: () => Promise<T>) => Promise<T>;

export const quietly: Step = (_, run) => run();
