// SPDX-License-Identifier: GPL-2.0-only
import { describeProgram, type OptionText, type ProgramText } from './describe.ts';

/** Values that are folders. */
const isFolder = (value: string) => value === '<dir>';
/** Values that are names of files, or can be. */
const isPath = (value: string) => /file|dir|path|list|device|bzimage/.test(value);

/** Writes a completion for bash: commands, options, their choices, and files. */
export function bashCompletion(): string {
  const { name, options, commands, groups } = describeProgram();
  const words = (list: OptionText[]) => list.flatMap(({ forms }) => forms).join(' ');
  const valued = commands.flatMap((command) => command.options);
  const cases = (pick: (option: OptionText) => string | undefined) =>
    [...new Set(valued.flatMap((option) => pick(option) ?? []))].join('\n');
  return `# Completion of ${name} for bash, made from its --help.
_${name}() {
    local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} words
    COMPREPLY=()
    case $previous in
${cases(({ forms, choices }) =>
  choices.length > 0
    ? `        ${forms.join('|')}) mapfile -t COMPREPLY < <(compgen -W '${choices.join(' ')}' -- "$current"); return ;;`
    : undefined,
)}
${cases(({ forms, value, choices }) =>
  value !== undefined && choices.length === 0 && !isPath(value)
    ? `        ${forms.join('|')}) return ;;`
    : undefined,
)}
${cases(({ forms, value }) =>
  value !== undefined && isFolder(value)
    ? `        ${forms.join('|')}) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;`
    : undefined,
)}
    esac
    if [[ $current == -* ]]; then
        case "\${COMP_WORDS[1]} \${COMP_WORDS[2]}" in
${commands.map((command) => `            ${caseOf(command.name)}) words='${words(command.options)}' ;;`).join('\n')}
            *) words='${words(options)}' ;;
        esac
    elif ((COMP_CWORD == 1)); then
        words='${firstWords({ commands, groups })
          .map((word) => word.name)
          .join(' ')} help'
${groups
  .map(
    (group) => `    elif ((COMP_CWORD == 2)) && [[ \${COMP_WORDS[1]} == ${group.name} ]]; then
        words='${group.below.join(' ')}'
`,
  )
  .join('')}    else
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _${name} ${name}
`;
}

/** Writes a completion for zsh. */
export function zshCompletion(): string {
  const { name, options, commands, groups } = describeProgram();
  return `#compdef ${name}
# Completion of ${name} for zsh, made from its --help.

local -a commands
commands=(
${firstWords({ commands, groups })
  .map((word) => `  ${quote(`${word.name}:${sentence(word.text)}`)}`)
  .join('\n')}
)

if ((CURRENT == 2)); then
  _describe command commands
  _arguments ${options.map(argument).join(' ')}
  return
fi
${groups
  .map(
    (group) => `if ((CURRENT == 3)) && [[ $words[2] == ${group.name} ]]; then
  _values command ${group.below.join(' ')}
  return
fi
`,
  )
  .join('')}case "$words[2] $words[3]" in
${commands
  .map(
    (command) => `  ${caseOf(command.name)})
    _arguments -S \\
${command.options.map((option) => `      ${argument(option)} \\`).join('\n')}
      '*:file:_files'
    ;;`,
  )
  .join('\n')}
esac
`;
}

/** Returns the pattern of the first two words of a command line: a command with others below it is two of them. */
function caseOf(name: string): string {
  return name.includes(' ') ? `'${name}'` : `'${name} '*`;
}

/** Lists the first words of all commands. */
function firstWords({
  commands,
  groups,
}: Pick<ProgramText, 'commands' | 'groups'>): { name: string; text: string }[] {
  return [...commands.filter(({ name }) => !name.includes(' ')), ...groups];
}

function argument({ forms, value, text, choices }: OptionText): string {
  const taken = value === undefined ? '' : `:${value.slice(1, -1)}:${actionOf(value, choices)}`;
  const described = `[${sentence(text).replace(/[[\]]/g, '\\$&').replaceAll(':', '\\:')}]${taken}`;
  const exclusive = forms.length > 1 ? quote(`(${forms.join(' ')})`) : '';
  const names = forms.length > 1 ? `{${forms.join(',')}}` : forms[0];
  return `${exclusive}${names}${quote(described)}`;
}

/** Returns how zsh completes a value: a single space is a value of which it only shows the name. */
function actionOf(value: string, choices: readonly string[]): string {
  if (choices.length > 0) return `(${choices.join(' ')})`;
  if (isFolder(value)) return '_files -/';
  return isPath(value) ? '_files' : ' ';
}

/** Returns the first sentence of a text, in one line and without its full stop. */
function sentence(text: string): string {
  return text.replaceAll('\n', ' ').replace(/\.( .*)?$/, '');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
