// SPDX-License-Identifier: GPL-2.0-only
import type { Closure } from './closure.ts';
import { bytesOf } from './content.ts';
import { contentOf, lookUp } from './tree.ts';

/** Folders of units, the ones that count more first. */
const folders = ['etc/systemd/system', 'run/systemd/system', 'usr/lib/systemd/system', 'lib/systemd/system'];
/** Units that systemd starts in an initrd, and in a root. */
const startedInInitrd = ['initrd.target', 'initrd-cleanup.service', 'initrd-switch-root.target'];
const startedInRoot = ['default.target'];
/** Units that others have by default. */
const implied = ['sysinit.target', 'basic.target', 'system.slice'];
/** Units that systemd loads, but does not start. */
const loaded = ['shutdown.target', 'umount.target', 'rescue.target', 'rescue.service', 'emergency.target'];

const starts = /^(?:Wants|Requires|BindsTo|Upholds|Sockets|Service)$/;
const names =
  /^(?:Wants|Requires|BindsTo|Upholds|Sockets|Service|Requisite|PartOf|Conflicts|Before|After|OnFailure|OnSuccess|Unit|Slice|PropagatesStopTo|StopPropagatedFrom|JoinsNamespaceOf)$/;
const executes = /^Exec(?:Condition|StartPre|Start|StartPost)$/;

interface Unit {
  name: string;
  started: boolean;
}

/**
 * Adds what systemd reads and executes: itself, its generators, units that a boot starts with their programs, and units
 * that these name, which are loaded only.
 */
export function addUnits(closure: Closure): void {
  const { root } = closure;
  // Executed for each mount unit, of which generators write most during the boot.
  closure.addProgram('mount');
  const inInitrd = ['etc/initrd-release', 'usr/lib/initrd-release'].some((path) => lookUp(root, path));
  const started = [...(inInitrd ? startedInInitrd : startedInRoot), ...implied];
  const left: Unit[] = [
    ...started.map((name) => ({ name, started: true })),
    ...loaded.map((name) => ({ name, started: false })),
  ];
  // A unit is read once when it is loaded, and once more when it turns out to be started.
  const seen = new Map<string, boolean>();
  for (let unit = left.pop(); unit; unit = left.pop()) {
    const before = seen.get(unit.name);
    if (before === true || (before === false && !unit.started)) continue;
    seen.set(unit.name, unit.started);
    for (const named of addUnit(closure, unit)) left.push(named);
  }
}

/** Adds the files of a unit. @returns the units that they name. */
function addUnit(closure: Closure, { name, started }: Unit): Unit[] {
  const template = name.replace(/@[^.]*\./, '@.');
  const named: Unit[] = [];
  let found = false;
  for (const each of new Set([name, template])) {
    for (const folder of folders) {
      const path = `${folder}/${each}`;
      if (!found && closure.add(path)) {
        found = true;
        for (const unit of readUnit(closure, path, started)) named.push(unit);
      }
      for (const [suffix, isStarted] of [
        ['wants', started],
        ['requires', started],
      ] as const)
        for (const child of childrenOf(closure, `${path}.${suffix}`))
          named.push({ name: child, started: isStarted });
      for (const child of childrenOf(closure, `${path}.d`)) {
        closure.add(`${path}.d/${child}`);
        for (const unit of readUnit(closure, `${path}.d/${child}`, started)) named.push(unit);
      }
    }
  }
  // A socket, path or timer starts the service of its name.
  if (started && /\.(?:socket|path|timer)$/.test(name))
    named.push({ name: name.replace(/\.\w+$/, '.service'), started: !name.endsWith('.timer') });
  return named;
}

/** Reads a file of a unit, and adds the programs that it executes. */
function readUnit(closure: Closure, path: string, started: boolean): Unit[] {
  const inode = lookUp(closure.root, path);
  if (inode?.type !== 'file') return [];
  const text = Buffer.from(bytesOf(contentOf(inode))).toString('latin1');
  const named: Unit[] = [];
  for (const line of text.replaceAll('\\\n', ' ').split('\n')) {
    const [, key = '', value = ''] = /^\s*(\w+)\s*=\s*(.*)$/.exec(line) ?? [];
    const words = value.split(/\s+/).filter((word) => word !== '');
    if (names.test(key)) named.push(...words.map((name) => ({ name, started: started && starts.test(key) })));
    if (started && executes.test(key)) addCommand(closure, words);
  }
  return named;
}

/** Adds the program of a command, and the files that its arguments name. */
function addCommand(closure: Closure, [program = '', ...args]: string[]): void {
  closure.addProgram(program.replace(/^[@:!+|-]+/, ''));
  for (const [path] of args.join(' ').matchAll(/\/[\w./+@-]+/g)) closure.add(path);
}

function childrenOf(closure: Closure, path: string): string[] {
  const inode = lookUp(closure.root, path);
  return inode?.type === 'directory' ? [...inode.children.keys()] : [];
}
