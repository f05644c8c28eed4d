// SPDX-License-Identifier: GPL-2.0-only
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { makeProgram } from '../commands/program.ts';

/** Option of a command as the manual and the completions need it. */
export interface OptionText {
  /** Short and long form without the value, such as `-o` and `--output`. */
  forms: string[];
  /** Name of the value in angle brackets, if the option takes one. */
  value?: string;
  text: string;
  choices: readonly string[];
}

export interface CommandText {
  /** Name, with that of the command that it is part of: `profile merge`. */
  name: string;
  text: string;
  /** Arguments as --help shows them, such as `<initrd>` and `[patterns...]`. */
  arguments: { name: string; usage: string; text: string }[];
  options: OptionText[];
}

export interface ProgramText {
  name: string;
  version: string;
  text: string;
  /** Text after the options in --help: the exit codes. */
  after: string;
  options: OptionText[];
  commands: CommandText[];
  /** Commands that only have others below them, such as `profile`, with the names of these. */
  groups: { name: string; text: string; below: string[] }[];
}

/** Reads the command line that --help prints, so that the manual and the completions say the same. */
export function describeProgram(): ProgramText {
  const program = makeProgram();
  const help = program.createHelp();
  return {
    name: program.name(),
    version: program.version() ?? '',
    text: program.description(),
    after: afterHelp(program),
    options: help.visibleOptions(program).map(optionText),
    groups: program.commands.flatMap((command) =>
      command.commands.length === 0
        ? []
        : [
            {
              name: command.name(),
              text: command.description(),
              below: command.commands.map((each) => each.name()),
            },
          ],
    ),
    commands: leavesOf(program, '').map(({ name, command }) => ({
      name,
      text: command.description(),
      arguments: command.registeredArguments.map((argument) => ({
        name: argument.name(),
        usage: usageOf(argument),
        text: argument.description,
      })),
      options: help.visibleOptions(command).map((option) => ({
        ...optionText(option),
        text: help.optionDescription(option),
      })),
    })),
  };
}

/** Lists the commands that do something. */
function leavesOf(
  parent: CommandUnknownOpts,
  prefix: string,
): { name: string; command: CommandUnknownOpts }[] {
  return parent.commands.flatMap((command) => {
    const name = `${prefix}${command.name()}`;
    return command.commands.length > 0 ? leavesOf(command, `${name} `) : [{ name, command }];
  });
}

function usageOf(argument: { name(): string; required: boolean; variadic: boolean }): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

function optionText(option: {
  flags: string;
  description: string;
  argChoices?: readonly string[];
}): OptionText {
  const [, value] = /(<[^>]+>)/.exec(option.flags) ?? [];
  const forms = option.flags
    .replace(/<[^>]+>/, '')
    .split(',')
    .map((form) => form.trim());
  return {
    forms,
    ...(value === undefined ? {} : { value }),
    text: option.description,
    choices: option.argChoices ?? [],
  };
}

/** Returns what --help prints after the commands. */
function afterHelp(program: ReturnType<typeof makeProgram>): string {
  let printed = '';
  program.configureOutput({ writeOut: (text) => (printed += text) });
  program.outputHelp();
  return printed.slice(printed.indexOf('Exit codes:')).trim();
}
