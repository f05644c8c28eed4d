// SPDX-License-Identifier: GPL-2.0-only
export { exitCode, Failure, type FailureKind } from './failure.ts';
