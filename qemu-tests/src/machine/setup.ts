// SPDX-License-Identifier: GPL-2.0-only
import { afterEach } from 'vitest';
import { architecture } from '../host/architecture.ts';
import { needs } from '../host/options.ts';
import { killForgotten } from './vm.ts';

// The agent mounts the first two and reports through the others.
const console = { x86_64: 'SERIAL_8250_CONSOLE', arm64: 'SERIAL_AMBA_PL011_CONSOLE' }[architecture];
needs('PROC_FS', 'SYSFS', 'DEVTMPFS', 'VIRTIO_PCI', 'VIRTIO_CONSOLE', console);

/** Fails a test that starts a machine and does not wait for it: it has judged nothing. */
afterEach(() => {
  const names = killForgotten();
  if (names.length > 0) throw new Error(`started and never waited for: ${names.join(', ')}`);
});
