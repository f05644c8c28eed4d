// SPDX-License-Identifier: GPL-2.0-only
import { describeProgram, type OptionText, type ProgramText } from './describe.ts';

/** Writes a completion for bash: commands, options, their choices, and files. */
export function bashCompletion(): string {
  const { name, options, commands, groups } = describeProgram();
  const words = (list: OptionText[]) => list.flatMap(({ forms }) => forms).join(' ');
  return `# Completion of ${name} for bash, made from its --help.
_${name}() {
    local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} words
    COMPREPLY=()
    case "\${COMP_WORDS[1]} \${COMP_WORDS[2]} $previous" in
${commands.flatMap(({ name, options }) => options.flatMap((option) => bashCase(name, option))).join('\n')}
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

/** Returns the kind of words that a value is completed with. */
function completedBy({ value = '', choices }: OptionText): 'choices' | 'folders' | 'files' | 'nothing' {
  if (choices.length > 0) return 'choices';
  if (value === '<dir>') return 'folders';
  return /file|dir|path|list|device|bzimage/.test(value) ? 'files' : 'nothing';
}

/** Writes the case of an option of a command, if its value is not completed with files as arguments are. */
function bashCase(command: string, option: OptionText): string[] {
  const by = completedBy(option);
  if (option.value === undefined || by === 'files') return [];
  const actions = {
    choices: `mapfile -t COMPREPLY < <(compgen -W '${option.choices.join(' ')}' -- "$current"); return`,
    folders: 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$current"); return',
    nothing: 'return',
  };
  const pattern = option.forms.map((form) => `${caseOf(command)}' ${form}'`).join('|');
  return [`        ${pattern}) ${actions[by]} ;;`];
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

function argument(option: OptionText): string {
  const { forms, value, text, choices } = option;
  // A single space is a value of which zsh only shows the name.
  const actions = { choices: `(${choices.join(' ')})`, folders: '_files -/', files: '_files', nothing: ' ' };
  const taken =
    value === undefined ? '' : `:${value.slice(1, -1).replaceAll(':', ' ')}:${actions[completedBy(option)]}`;
  const described = `[${sentence(text).replace(/[[\]]/g, '\\$&').replaceAll(':', '\\:')}]${taken}`;
  const exclusive = forms.length > 1 ? quote(`(${forms.join(' ')})`) : '';
  const names = forms.length > 1 ? `{${forms.join(',')}}` : forms[0];
  return `${exclusive}${names}${quote(described)}`;
}

/** Returns the first sentence of a text, in one line and without its full stop. */
function sentence(text: string): string {
  return text.replaceAll('\n', ' ').replace(/\.( .*)?$/, '');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
