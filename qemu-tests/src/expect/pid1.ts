// SPDX-License-Identifier: GPL-2.0-only
import { rowsOf } from '../machine/verdict.ts';
import type { Boot } from '../machine/vm.ts';

/** The variables by which init learns of the extra files. */
export const extraVariables = ['LISTEN_PID=1', 'LISTEN_FDS=1', 'LISTEN_FDNAMES=initrd-extra'];

/** Returns the variables of the socket activation protocol, sd_listen_fds(3), that PID 1 was started with. */
export function listenVariables({ verdict }: Pick<Boot, 'verdict'>): string[] {
  return rowsOf(verdict, 'pid1').flatMap(({ env }) => (env?.startsWith('LISTEN_') ? [env] : []));
}
