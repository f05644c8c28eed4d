// SPDX-License-Identifier: GPL-2.0-only

/** Text files in a folder of modules: those of depmod(8), and modules.builtin of the kernel's build. */
export interface Depmod {
  /** modules.dep: `path: paths it needs`. */
  dep: string;
  /** modules.builtin: the paths of modules that are part of the kernel. */
  builtin: string;
  /** modules.softdep: `softdep name pre: names post: names`. */
  softdep: string;
  /** modules.alias: `alias pattern name`. */
  alias: string;
}

/** Modules to load, and wanted names without a module. */
export interface LoadOrder {
  /** Paths below the folder. A module comes after those that it needs. */
  paths: string[];
  /** Wanted names that the kernel has built in. */
  builtIn: string[];
  /** Wanted names that are neither modules nor built in. */
  missing: string[];
}

/** Returns the kernel's name of a module: `kernel/fs/erofs/erofs.ko.xz` is erofs, and `-` becomes `_`. */
export function moduleName(path: string): string {
  return path
    .slice(path.lastIndexOf('/') + 1)
    .replace(/\.ko(\.\w+)?$/, '')
    .replaceAll('-', '_');
}

/**
 * Orders the modules that modprobe(8) would load for these names. A module comes after its dependencies and after the
 * `pre` part of its soft dependencies. Names may be aliases without wildcards.
 */
export function loadOrder(names: Iterable<string>, depmod: Depmod): LoadOrder {
  const paths = new Map<string, string>();
  const needs = new Map<string, string[]>();
  for (const line of lines(depmod.dep)) {
    const [path = '', rest = ''] = line.split(':');
    paths.set(moduleName(path), path);
    // modules.dep lists the first one to load last.
    needs.set(path, words(rest).reverse());
  }
  const builtIn = new Set(lines(depmod.builtin).map(moduleName));
  const before = new Map<string, string[]>();
  for (const line of lines(depmod.softdep)) {
    const [, name = '', pre = ''] = /^softdep (\S+) (?:.*?\bpre: (.*?))?(?= post: |$)/.exec(line) ?? [];
    before.set(moduleName(name), [...(before.get(moduleName(name)) ?? []), ...words(pre)]);
  }
  const aliases = new Map<string, string[]>();
  for (const line of lines(depmod.alias)) {
    const [keyword, alias = '', name = ''] = line.split(' ');
    if (keyword === 'alias') aliases.set(alias, [...(aliases.get(alias) ?? []), moduleName(name)]);
  }

  const order = new Set<string>();
  const seen = new Set<string>();
  function visit(path: string): void {
    if (seen.has(path)) return;
    seen.add(path);
    for (const name of before.get(moduleName(path)) ?? []) for (const found of resolve(name)) visit(found);
    for (const needed of needs.get(path) ?? []) visit(needed);
    order.add(path);
  }
  function resolve(name: string): string[] {
    const path = paths.get(moduleName(name));
    if (path !== undefined) return [path];
    return (aliases.get(name) ?? []).flatMap((target) => paths.get(target) ?? []);
  }

  const result: LoadOrder = { paths: [], builtIn: [], missing: [] };
  for (const name of names) {
    const found = resolve(name);
    for (const path of found) visit(path);
    if (found.length === 0) (builtIn.has(moduleName(name)) ? result.builtIn : result.missing).push(name);
  }
  result.paths = [...order];
  return result;
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

function words(text: string): string[] {
  return text.split(' ').filter((word) => word !== '');
}
