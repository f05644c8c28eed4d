// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execaSync } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { entryPath } from '../host/cache.ts';
import { consoleArguments, hostFrom, shellQuote, testArguments, wholeCommandLine } from './qemu.ts';

const host = { architecture: 'x86_64', qemu: 'qemu', accel: 'tcg' } as const;
const channels = { consoleLog: '/a/console.log', verdict: '/a/verdict.jsonl' };

test('quoted words come out of a shell as they went in', () => {
  const words = [
    'plain',
    'two words',
    "it's",
    '$HOME `id` "x" \\',
    '',
    '-- walk,/;pid1',
    'new\nline',
    '*',
    'ä',
  ];
  const { stdout } = execaSync('sh', ['-c', `printf '%s\\0' ${shellQuote(words)}`]);
  expect(stdout.split('\0').slice(0, -1)).toEqual(words);
});

test('a machine with a script has the verdict port, one without has none', () => {
  const withScript = testArguments({ kernel: '/k', steps: [['pid1']] }, channels, host);
  expect(withScript).toContain('virtserialport,chardev=verdict,name=org.initoverlayfs.verdict');
  expect(withScript[withScript.indexOf('-append') + 1]).toBe('console=ttyS0 panic=-1 no_timer_check -- pid1');
  expect(testArguments({ kernel: '/k' }, channels, host).join(' ')).not.toContain('virtserialport');
});

test('a kernel of the project boots by shorter ways, unless instructions are counted', () => {
  const option = (argv: string[], name: string) => argv[argv.indexOf(name) + 1];
  const kernel = join(entryPath('kernel', ['configuration']), 'bzImage');
  const machine = { kernel, append: 'quiet' };
  const words = 'console=ttyS0 panic=-1 no_timer_check';
  const short = testArguments(machine, channels, host);
  expect(option(short, '-append')).toBe(`${words} loop.max_loop=0 acpi=off nolapic_timer lpj=4000000 quiet`);
  expect(option(short, '-kernel')).toBe(join(dirname(kernel), 'vmlinux'));
  const tables = testArguments({ ...machine, acpi: true }, channels, host);
  expect(option(tables, '-append')).toBe(`${words} loop.max_loop=0 quiet`);
  for (const more of [{ icount: 'no-sleep' as const }, { kernel: '/boot/vmlinuz' }]) {
    const whole = testArguments({ ...machine, ...more }, channels, host);
    expect(option(whole, '-append')).toBe(`${words} quiet`);
    expect(option(whole, '-kernel')).toBe(more.kernel ?? kernel);
  }
});

test('kmemleak is off where the kernel has it and the test does not ask for it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kernel-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const kernel = join(folder, 'bzImage');
  const words = () => wholeCommandLine({ kernel }, host).split(' ');
  expect(words()).not.toContain('kmemleak=off');
  await writeFile(join(folder, '.config'), 'CONFIG_KASAN=y\nCONFIG_DEBUG_KMEMLEAK=y\n');
  expect(words()).toContain('kmemleak=off');
  expect(wholeCommandLine({ kernel, leaks: true }, host)).not.toContain('kmemleak');
});

test('the clock of a machine with several processors is not watched', () => {
  const line = (argv: string[]) => argv[argv.indexOf('-append') + 1];
  expect(line(testArguments({ kernel: '/k', append: 'quiet', cpus: 4 }, channels, host))).toBe(
    'console=ttyS0 panic=-1 no_timer_check tsc=nowatchdog quiet',
  );
});

test('commas in paths are doubled where QEMU splits at them', () => {
  const odd = { consoleLog: '/a,b/console.log', verdict: '/a,b/verdict.jsonl' };
  const loads = [{ file: '/p,m', address: 0x40200000 }];
  const argv = testArguments({ kernel: '/k', steps: [], disks: ['/d,1'], loads }, odd, host);
  expect(argv).toContain('file,id=verdict,path=/a,,b/verdict.jsonl');
  expect(argv).toContain('if=virtio,format=raw,snapshot=on,file=/d,,1');
  expect(argv).toContain('loader,file=/p,,m,addr=0x40200000,force-raw=on');
});

test('part of the memory lies at 4 GiB when that is asked for', () => {
  const argv = testArguments({ kernel: '/k', memoryMiB: 64, belowFourGiBMiB: 50 }, channels, host);
  expect(argv[argv.indexOf('-machine') + 1]).toBe('q35,max-ram-below-4g=50M');
  expect(argv[argv.indexOf('-m') + 1]).toBe('64M');
});

test('a machine has the chipset that is asked for', () => {
  const argv = testArguments({ kernel: '/k', chipset: 'pc' }, channels, host);
  expect(argv[argv.indexOf('-machine') + 1]).toBe('pc');
});

test('a throttled disk gets its limits, in a machine whose clock keeps step', () => {
  const throttle = { bytesPerSecond: 781_250, requestsPerSecond: 47 };
  const argv = testArguments({ kernel: '/k', disks: ['/d'], throttle, icount: 'in-step' }, channels, host);
  const limits = 'throttling.bps-read=781250,throttling.iops-read=47';
  expect(argv).toContain(`if=virtio,format=raw,snapshot=on,file=/d,${limits}`);
  expect(argv[argv.indexOf('-icount') + 1]).toBe('shift=5,sleep=on,align=on');
});

test('the environment can ask for KVM, but instructions are counted under TCG', () => {
  const kvm = hostFrom({ ACCEL: 'kvm', QEMU: '/opt/qemu' });
  expect(kvm).toEqual({ architecture: 'x86_64', qemu: '/opt/qemu', accel: 'kvm' });
  const plain = consoleArguments({ kernel: '/k' }, kvm).join(' ');
  expect(plain).toContain('-accel kvm -cpu host,la57=off');
  const counted = consoleArguments({ kernel: '/k', icount: 'no-sleep' }, kvm).join(' ');
  expect(counted).toContain('-accel tcg -cpu max,la57=off');
  expect(counted).toContain('-icount shift=0,sleep=off');
});

test('a clock that counts instructions has nothing of the host in it', () => {
  const options = (icount?: 'no-sleep' | 'sleep') =>
    testArguments({ kernel: '/k', steps: [], icount }, channels, host).join(' ');
  const set = /-rtc base=\S+,clock=vm .*virtio-serial-pci,ioeventfd=off/;
  expect(options('no-sleep')).toMatch(set);
  expect(options('sleep')).toMatch(set);
  expect(options()).not.toMatch(/-rtc|ioeventfd/);
});

test('a machine of arm64 is virt, with a processor that has pages of all sizes', () => {
  const arm = hostFrom({ KERNEL_ARCH: 'arm64' });
  const argv = testArguments({ kernel: '/k', cpus: 4, memoryMiB: 200 + 4 / 1024 }, channels, arm).join(' ');
  expect(argv).toMatch(/^qemu-system-aarch64 .* -machine virt -accel tcg -cpu cortex-a76 -m 204804K -smp 4 /);
  expect(argv).toContain(' -append console=ttyAMA0 panic=-1 ');
  const port = testArguments({ kernel: '/k', serialLogs: ['/l'] }, channels, arm).join(' ');
  expect(port).toContain('-chardev file,id=serial1,path=/l -device virtserialport,chardev=serial1,');
  const tagged = testArguments({ kernel: '/k', memoryTags: true }, channels, arm).join(' ');
  expect(tagged).toContain('-machine virt,mte=on -accel tcg -cpu max,');
});

test('parts that a machine of the architecture does not have are refused', () => {
  const arm = hostFrom({ KERNEL_ARCH: 'arm64' });
  expect(() => testArguments({ kernel: '/k', belowFourGiBMiB: 64 }, channels, arm)).toThrow(
    'belowFourGiBMiB',
  );
  expect(() => testArguments({ kernel: '/k', chipset: 'pc' }, channels, arm)).toThrow('chipset');
  expect(() => testArguments({ kernel: '/k', memoryTags: true }, channels, host)).toThrow('memoryTags');
  expect(() => hostFrom({ KERNEL_ARCH: 'mips' })).toThrow('KERNEL_ARCH=mips: want x86_64 or arm64');
});
