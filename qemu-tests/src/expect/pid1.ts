// SPDX-License-Identifier: GPL-2.0-only
import { rowsOf } from '../machine/verdict.ts';
import type { Boot } from '../machine/vm.ts';

/** Returns the variables of the socket activation protocol, sd_listen_fds(3), that PID 1 was started with. */
export function listenVariables({ verdict }: Pick<Boot, 'verdict'>): string[] {
  return rowsOf(verdict, 'pid1').flatMap(({ env }) => (env?.startsWith('LISTEN_') ? [env] : []));
}
