// SPDX-License-Identifier: GPL-2.0-only
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { Failure } from '../host/failure.ts';

const root = { cold: 'profile', keepSignatures: 'modules', extraCompress: 'extra' };

/** Options that change nothing without another one, by command. */
const partners: Record<string, Record<string, string>> = {
  convert: root,
  build: root,
  split: { bootfstype: 'bootfs', fs: 'bootfs', hint: 'bootfs' },
  closure: { kernel: 'module' },
};

/**
 * Checks that no option was given in vain: a user who names one expects something of it.
 * @throws Failure (usage) when one is without the option that it belongs to.
 */
export function checkPartners(command: CommandUnknownOpts): void {
  const isGiven = (name: string) => command.getOptionValueSource(name) === 'cli';
  const flagOf = (name: string) => command.options.find((each) => each.attributeName() === name)?.long;
  for (const [name, partner] of Object.entries(partners[command.name()] ?? {}))
    if (isGiven(name) && !isGiven(partner))
      throw new Failure(
        'usage',
        `${flagOf(name)} does nothing without ${flagOf(partner)}; add that or leave it out`,
      );
  if (isGiven('pcluster') && command.getOptionValue('compress') === 'none')
    throw new Failure('usage', '--pcluster does nothing with --compress none; leave out one of them');
}
