// SPDX-License-Identifier: GPL-2.0-only
import { describeProgram, type OptionText } from './describe.ts';

/** Writes the manual page initoverlayfs(1) in the macros of man(7). */
export function manual(): string {
  const { name, version, text: summary, after, options, commands, groups } = describeProgram();
  const [title, ...codes] = after.split('\n');
  return `${[
    `.TH ${name.toUpperCase()} 1 "" "${name} ${version}" "User Commands"`,
    '.SH NAME',
    `${name} \\- ${roff(summary.charAt(0).toLowerCase() + summary.slice(1).replace(/\.$/, ''))}`,
    '.SH SYNOPSIS',
    `.B ${name}`,
    '.RI [ options ]',
    '.RI [ command ]',
    '.SH OPTIONS',
    ...options.flatMap(paragraph),
    '.SH COMMANDS',
    ...commands.flatMap((command) => [
      ...groups.flatMap(({ name: group, text, below }) =>
        command.name === `${group} ${below[0]}` ? [`.SS ${name} ${group} command`, roff(text)] : [],
      ),
      `.SS ${name} ${command.name} [options]${command.arguments.map(({ usage }) => ` ${usage}`).join('')}`,
      roff(command.text),
      ...command.arguments.flatMap((argument) => ['.TP', `.I ${roff(argument.name)}`, roff(argument.text)]),
      ...command.options.flatMap(paragraph),
    ]),
    `.SH ${roff((title ?? '').replace(/:$/, '').toUpperCase())}`,
    ...codes.flatMap((line) => {
      const [code = '', ...words] = line.trim().split(/\s+/);
      return ['.TP', `.B ${code}`, roff(words.join(' '))];
    }),
  ].join('\n')}\n`;
}

function paragraph({ forms, value, text }: OptionText): string[] {
  const names = forms.map((form) => `\\fB${roff(form)}\\fR`).join(', ');
  return ['.TP', `${names}${value === undefined ? '' : ` ${roff(value)}`}`, roff(text)];
}

/** Protects characters that roff would read as commands or as typographic hyphens. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1');
}
