// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { kernelFault } from './console.ts';

const healthy = [
  '[    0.000000] Command line: console=ttyS0 panic=-1 -- say,Oops: 0',
  '[    0.304512] initoverlayfs: 1 EROFS image(s) mounted in place, 4096 bytes, rw',
  '[    0.331200] Run /init as init process',
  '[    0.332000] x86/mm: Checked W+X mappings: passed, no W+X pages found.',
  '[    0.340000] kmemleak: Kernel memory leak detector initialized (mem pool available: 11812)',
  '[    0.341000] kmemleak: Automatic memory scanning thread started',
  '[    0.345000] kmemleak: Kernel memory leak detector disabled',
  '[    0.350000] traps: program[52] general protection fault ip:401000 sp:7ffdb88e9890 error:0 in program[1000,400000+2000]',
].join('\r\n');

test('a healthy log has no fault', () => {
  expect(kernelFault(healthy)).toBeUndefined();
});

test.each([
  'Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000000',
  'BUG: unable to handle page fault for address: ffffffffdeadbeef',
  'BUG: Bad page state in process agent  pfn:01234',
  'WARNING: CPU: 0 PID: 1 at fs/namespace.c:1 mntput_no_expire+0x1/0x2',
  'WARNING: possible circular locking dependency detected',
  'WARNING: suspicious RCU usage',
  'Oops: 0000 [#1] PREEMPT SMP',
  'Oops: general protection fault, probably for non-canonical address',
  'UBSAN: array-index-out-of-bounds in fs/erofs/super.c:1:2',
  'BUG: KASAN: slab-out-of-bounds in erofs_read_metabuf+0x1/0x2',
  'BUG kmalloc-64 (Not tainted): Right Redzone overwritten',
  'Internal error: Oops - Undefined instruction: 0000000002000000 [#1]  SMP',
  'rcu: INFO: rcu_sched detected stalls on CPUs/tasks:',
  'rcu: INFO: rcu_sched self-detected stall on CPU',
  'rcu: INFO: rcu_sched detected expedited stalls on CPUs/tasks: { 0-... } 6 jiffies s: 1 root: 0x1/.',
  'INFO: task kworker/0:1:9 blocked for more than 120 seconds.',
  'INFO: task kworker/0:1:9 blocked in I/O wait for more than 120 seconds.',
  'kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)',
  'kmemleak: Freeing unknown object at 0xffff888001234000',
  'kmemleak: Cannot allocate a kmemleak_object structure',
  'kmemleak: Memory pool empty, consider increasing CONFIG_DEBUG_KMEMLEAK_MEM_POOL_SIZE',
  'turning off the locking correctness validator.',
  'Disabling lock debugging due to kernel taint',
])('a fault that the kernel reports is seen: %s', (text) => {
  expect(kernelFault(`${healthy}\r\n[    1.000000] ${text}\r\n`)).toBe(`[    1.000000] ${text}`);
});
