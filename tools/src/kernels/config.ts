// SPDX-License-Identifier: GPL-2.0-only
import type { Version } from '../codecs/erofs-features.ts';

/** Options of a kernel's configuration that are set, such as CONFIG_EROFS_FS, with `y`, `m`, a number or a text. */
export type Config = Map<string, string>;

/** Reads the lines of a configuration. What is not set is missing. */
export function parseConfig(text: string): Config {
  const config: Config = new Map();
  for (const [, name, value] of text.matchAll(/^(CONFIG_\w+)=(.*)$/gm))
    config.set(name as string, value as string);
  return config;
}

/** Returns the release in the comment at the start of a configuration. */
export function releaseOfConfig(text: string): string | undefined {
  return /^# Linux\/\S+ (\S+) Kernel Configuration$/m.exec(text)?.[1];
}

/** Reads the two numbers that features depend on, or returns undefined when a text does not start with them. */
export function parseVersion(release: string): Version | undefined {
  const [, major, minor] = /^v?(\d{1,4})\.(\d{1,4})(?:\D|$)/.exec(release) ?? [];
  return major === undefined ? undefined : { major: Number(major), minor: Number(minor) };
}
