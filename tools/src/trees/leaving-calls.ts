// SPDX-License-Identifier: GPL-2.0-only
import { isLeavingName, type LeavingName, leavingNames } from './leaving.ts';
import { type Command, lineAt, type Part, parseShell, textOf, type Word } from './shell.ts';
import { baseName } from './tree.ts';

/** Call in a script by which a tree may be left. */
export interface LeavingCall {
  /**
   * `applet`: by a program that is many in one, named before it. `path`: by a path. `bare`: by its name alone.
   */
  kind: 'applet' | 'path' | 'bare';
  name: LeavingName;
  /** The path that it names, if it does. */
  path?: string;
  line: number;
  /** Offsets in the script that the path of another program can replace, if that is safe. */
  span?: { start: number; end: number };
  /** True after `exec`. */
  isExec: boolean;
  /** True if neither the name nor the shell that runs the call is in a variable. */
  isNamed: boolean;
}

/** Facts about a script that the other files of its tree decide. */
export interface Surroundings {
  /** Tells whether a name or path is of a program that is many in one. */
  isMultiCall(name: string): boolean;
  /** Returns the values that scripts give to a variable; undefined stands for those that nobody knows here. */
  valuesOf(variable: string): readonly (Part[] | undefined)[];
  /** Tells whether scripts have a function that executes its arguments. */
  isForwarder(name: string): boolean;
}

const shells = new Set(['sh', 'ash', 'bash', 'dash', 'hush', 'ksh', 'mksh', 'zsh']);

/** Programs that execute their arguments, each with its options that have a value in the next word. */
const wrappers = new Map(
  Object.entries({
    command: '',
    chrt: '-T -P -D',
    env: '-u -C',
    eval: '',
    exec: '-a',
    ionice: '-c -n -p',
    nice: '-n',
    nohup: '',
    setsid: '',
    stdbuf: '-i -o -e',
    taskset: '-c',
  }).map(([name, options]) => [name, new Set(options.split(' '))]),
);
const isOption = /^-/;
/** Values of wrappers before the program: variables, priorities, masks of processors. */
const wrapperValue = /^(?:\w+=|(?:0x[\da-f]+|\d+)(?:[-,]\d+)*$)/;

/** Finds the calls in a script, in the order of the text, or in a text that a script gives to a shell. */
export function findLeavingCalls(text: string, around: Surroundings): LeavingCall[] {
  const commands = parseShell(text);
  if (!commands) return text.startsWith('#!') ? callsInLines(text) : [];
  return commands.flatMap((command) =>
    command.isSubstitution && !command.isArray ? [] : new Finder(text, command, around).all(),
  );
}

/**
 * Finds what looks like a call in the lines of a script that cannot be read as a whole. A shell runs its commands up to
 * the one that it cannot read.
 */
function callsInLines(text: string): LeavingCall[] {
  const call =
    /^[^#\n]{0,400}\bexec[ \t](?:[^#\n]{0,400}[ \t/"'])?(switch_root|run-init)["']?[ \t]+["']?[-/.$\w].*$/gm;
  return [...text.matchAll(call)].map((match) => ({
    kind: /(?:box|\$\{?\w+\}?)["']?[ \t]+(?:switch_root|run-init)/.test(match[0]) ? 'applet' : 'bare',
    name: match[1] as LeavingName,
    line: lineAt(text, match.index),
    isExec: true,
    isNamed: true,
  }));
}

class Finder {
  readonly #text: string;
  readonly #command: Command;
  readonly #around: Surroundings;
  readonly #found: LeavingCall[] = [];

  constructor(text: string, command: Command, around: Surroundings) {
    this.#text = text;
    this.#command = command;
    this.#around = around;
  }

  all(): LeavingCall[] {
    this.#lookAt(0, { isExec: false, isSafe: !this.#command.isArray });
    this.#lookAtTexts();
    return this.#found;
  }

  /** Looks at the words from one on as a command. */
  #lookAt(from: number, { isExec, isSafe }: { isExec: boolean; isSafe: boolean }): void {
    const { words } = this.#command;
    const { at, hasExec } = this.#skipWrappers(from);
    const [word, next] = [words[at], words[at + 1]];
    if (!word) return;
    const how = { isExec: isExec || hasExec, isSafe, isNamed: true };
    const name = next && this.#nameIn(next);
    if (name && this.#isMulti(word)) {
      this.#add({ kind: 'applet', ...name, first: word, last: next, rest: at + 2, ...how });
    } else if (name && how.isExec && variableOf(word) !== undefined) {
      const isWrapper = this.#isWrapper(variableOf(word) as string);
      const kind = isWrapper ? 'bare' : 'applet';
      this.#add({ kind, ...name, first: isWrapper ? next : word, last: next, rest: at + 2, ...how });
    } else {
      this.#lookAtProgram(word, at, how);
    }
  }

  /** Looks at a command by its first word alone. */
  #lookAtProgram(word: Word, at: number, how: { isExec: boolean; isSafe: boolean; isNamed: boolean }): void {
    const { words } = this.#command;
    const text = textOf(word);
    const called = { first: word, last: word, rest: at + 1, ...how };
    if (text !== undefined) {
      const name = baseName(text);
      if (isLeavingName(name)) {
        const isPath = text.includes('/');
        this.#add({ kind: isPath ? 'path' : 'bare', name, ...(isPath ? { path: text } : {}), ...called });
      } else if (text === 'set') {
        const first = words[at + 1] && textOf(words[at + 1] as Word) === '--' ? at + 2 : at + 1;
        this.#lookAt(first, { isExec: false, isSafe: false });
      } else if (how.isExec ? !shells.has(name) && name !== 'chroot' : this.#mayForward(text, at)) {
        this.#lookAtArguments(at + 1, how.isExec);
      }
      return;
    }
    const last = word.parts.at(-1);
    const [, tail] = (last?.kind === 'text' && /\/([^/]*)$/.exec(last.text)) || [];
    if (tail !== undefined && isLeavingName(tail))
      this.#add({ kind: 'path', name: tail, ...called, isSafe: false });
    else this.#lookAtValues(word, called);
  }

  /** Looks at a command whose name is in a variable, or printed by `command -v`. */
  #lookAtValues(word: Word, called: Pick<Found, 'first' | 'last' | 'rest' | 'isExec' | 'isSafe'>): void {
    if (!called.isExec && !this.#hasPaths(called.rest)) return;
    const values = this.#valuesOf(word).map((value) => value && this.#leaving(value));
    const leaving = values.filter((value) => value !== undefined);
    const [first] = leaving;
    if (!first) return;
    const isAlways = leaving.length === values.length && leaving.every((value) => isSame(value, first));
    this.#add({
      ...called,
      ...first,
      isNamed: false,
      isExec: called.isExec || leaving.some(({ isExec }) => isExec),
      isSafe: called.isSafe && isAlways && first.isWhole,
    });
  }

  /** Looks for a call in the arguments of a program that may execute them. */
  #lookAtArguments(from: number, isExec: boolean): void {
    const { words } = this.#command;
    for (let at = from; at < words.length; at++) {
      const text = textOf(words[at] as Word);
      if (text !== undefined && /^-[a-z]*c$/.test(text)) return;
      if (text === undefined || !isLeavingName(baseName(text)) || !this.#hasPaths(at + 1)) continue;
      const before = words[at - 1];
      const isApplet = before !== undefined && at > from && this.#isMulti(before);
      const isPath = text.includes('/');
      const word = words[at] as Word;
      this.#add({
        kind: isApplet ? 'applet' : isPath ? 'path' : 'bare',
        name: baseName(text) as LeavingName,
        ...(isPath ? { path: text } : {}),
        first: word,
        last: word,
        rest: at + 1,
        isExec,
        isSafe: false,
        isNamed: true,
      });
      return;
    }
  }

  /** Looks into texts that another shell runs: `sh -c '...'`, `eval "..."`, here-documents, and scripts made at boot. */
  #lookAtTexts(): void {
    const { words, outputs, documents } = this.#command;
    const isFile = outputs.some((output) => !/^\/(?:dev|proc|sys)\//.test(textOf(output) ?? ''));
    const command = baseName((words[0] && textOf(words[0])) ?? '');
    const runner = words[this.#skipWrappers(0).at];
    const isNamed = runner === undefined || textOf(runner) !== undefined;
    words.forEach((word, index) => {
      const before = index > 0 ? textOf(words[index - 1] as Word) : undefined;
      const isScript =
        (before !== undefined && /^-[a-z]*c$/.test(before)) || command === 'eval' || command === 'trap';
      const isMade = isFile && (command === 'echo' || command === 'printf');
      if (isScript || isMade) this.#lookInto(this.#unquoted(word), word.start, isScript, isNamed);
    });
    const isRun = words.some((word) => shells.has(baseName(textOf(word) ?? '')));
    for (const { text, start } of documents) if (isRun || isFile) this.#lookInto(text, start, isRun, isNamed);
  }

  #lookInto(text: string, start: number, isRun: boolean, isNamed: boolean): void {
    if (!leavingNames.some((name) => text.includes(name))) return;
    const line = lineAt(this.#text, start);
    for (const { span: _, ...call } of findLeavingCalls(text, this.#around))
      if (isRun || call.isExec)
        this.#found.push({
          ...call,
          line: line + call.line - 1,
          isExec: true,
          isNamed: isNamed && call.isNamed,
        });
  }

  #add({
    kind,
    name,
    path,
    first,
    last,
    rest,
    isExec,
    isSafe,
    isNamed,
    isSure = true,
    isLonger,
  }: Found): void {
    const [argument] = this.#command.words.slice(rest);
    if ((!argument && !isLonger) || /^(?:--help|-h|--version|-V)$/.test((argument && textOf(argument)) ?? ''))
      return;
    if (!isExec && kind !== 'applet' && !this.#hasPaths(rest)) return;
    const span = { start: first.start, end: last.end };
    const isReplaceable = isSafe && isSure;
    const line = lineAt(this.#text, first.start);
    const call = { kind, name, line, isExec, isNamed, ...(path === undefined ? {} : { path }) };
    this.#found.push({ ...call, ...(isReplaceable ? { span } : {}) });
  }

  /** Skips what executes the words after it. */
  #skipWrappers(from: number): { at: number; hasExec: boolean } {
    const { words } = this.#command;
    let hasExec = false;
    let at = from;
    for (;;) {
      const word = words[at];
      if (!word) break;
      const next = words[at + 1];
      if (this.#isMulti(word) && next && wrappers.has(textOf(next) ?? '')) {
        at++;
        continue;
      }
      const name = baseName(textOf(word) ?? '');
      const valued = wrappers.get(name);
      if (!valued) break;
      at++;
      hasExec ||= name === 'exec';
      for (let option = words[at]; option; option = words[at]) {
        const start = this.#startOf(option);
        if (name === 'command' && /^-p?[vV]/.test(start)) return { at: words.length, hasExec };
        if (!isOption.test(start) && !(name !== 'exec' && name !== 'command' && wrapperValue.test(start)))
          break;
        at += valued.has(start) ? 2 : 1;
      }
    }
    return { at, hasExec };
  }

  /** Returns the text that a word starts with. */
  #startOf({ parts: [first] }: Word): string {
    return first?.kind === 'text' ? first.text : '';
  }

  /** Returns the name of a program that leaves, if a word is that or a variable of that value. */
  #nameIn(word: Word): { name: LeavingName; isSure: boolean } | undefined {
    const text = textOf(word);
    if (text !== undefined) return isLeavingName(text) ? { name: text, isSure: true } : undefined;
    const values = this.#valuesOf(word).map((value) => value && textOf({ parts: value }));
    const name = values.find((value) => value !== undefined && isLeavingName(value));
    return name === undefined
      ? undefined
      : { name: name as LeavingName, isSure: values.every((one) => one === name) };
  }

  #isMulti(word: Word): boolean {
    const text = textOf(word);
    if (text !== undefined) return this.#around.isMultiCall(text);
    const last = word.parts.at(-1);
    if (last?.kind === 'text')
      return last.text.includes('/') && this.#around.isMultiCall(last.text.replace(/.*\//s, ''));
    const found = last?.kind === 'output' ? lookedUp(last.script) : undefined;
    return word.parts.length === 1 && found !== undefined && this.#around.isMultiCall(found);
  }

  /** Tells whether all values of a variable are known, and none is a program that is many in one. */
  #isWrapper(variable: string): boolean {
    const values = this.#around.valuesOf(variable).map((value) => value && textOf({ parts: value }));
    const isOther = (value: string | undefined) => {
      const [first = ''] = value?.trim().split(/\s+/) ?? [];
      return value !== undefined && (first === '' || wrappers.has(baseName(first)));
    };
    return values.length > 0 && values.every(isOther);
  }

  #valuesOf(word: Word): (Part[] | undefined)[] {
    const [part] = word.parts;
    if (word.parts.length !== 1 || !part) return [];
    if (part.kind === 'output') return [[part]];
    if (part.kind !== 'variable') return [];
    const values = [...this.#around.valuesOf(part.name)];
    if (part.fallback !== undefined) values.push(...valuesIn(part.fallback));
    return values;
  }

  /** Returns the call that a variable's value is. */
  #leaving(
    value: Part[],
  ):
    | (Pick<LeavingCall, 'kind' | 'name' | 'path' | 'isExec'> & { isWhole: boolean; isLonger?: boolean })
    | undefined {
    const [part] = value;
    if (value.length === 1 && part?.kind === 'output') {
      const found = lookedUp(part.script);
      return found !== undefined && isLeavingName(found)
        ? { kind: 'bare', name: found, isExec: false, isWhole: true }
        : undefined;
    }
    // A variable in it stands for a program.
    const text = value.map((one) => (one.kind === 'text' ? one.text : '\0')).join('');
    const words = text.split(/\s+/).filter((one) => one !== '');
    const at = words.findIndex((one) => isLeavingName(baseName(one)));
    const found = words[at];
    if (found === undefined) return undefined;
    const before = words.slice(0, at);
    const multi = before.at(-1);
    const isApplet = multi !== undefined && (multi.startsWith('\0') || this.#around.isMultiCall(multi));
    const starts = isApplet ? before.slice(0, -1) : before;
    if (!starts.every((one) => wrappers.has(baseName(one)) || isOption.test(one) || wrapperValue.test(one)))
      return undefined;
    const isPath = found.includes('/');
    return {
      kind: isApplet ? 'applet' : isPath ? 'path' : 'bare',
      name: baseName(found) as LeavingName,
      ...(isPath ? { path: found } : {}),
      isExec: starts.includes('exec'),
      isLonger: at < words.length - 1,
      isWhole: starts.length === 0 && at === words.length - 1 && !(isPath && found.includes('\0')),
    };
  }

  /** Tells whether a function or program of this name executes what looks like a call in its arguments. */
  #mayForward(name: string, at: number): boolean {
    const { words } = this.#command;
    const has = words.some(
      (word, index) => index > at && isLeavingName(baseName(textOf(word) ?? '')) && this.#hasPaths(index + 1),
    );
    return has && this.#around.isForwarder(name);
  }

  /** Tells whether words are the arguments of a call, a root and an init, and not the rest of a sentence. */
  #hasPaths(from: number): boolean {
    const rest = this.#command.words.slice(from);
    const isPath = (word: Word) => /^["']?[/.$]/.test(this.#text.slice(word.start, word.end));
    return rest.some(isPath) && (rest.length > 1 || rest.some((word) => variableOf(word) !== undefined));
  }

  /** Returns what a word is before the next shell reads it. */
  #unquoted(word: Word): string {
    const raw = this.#text.slice(word.start, word.end);
    if (raw.startsWith('"')) return raw.slice(1, -1).replace(/\\([$`"\\])/g, '$1');
    return textOf(word) ?? raw;
  }
}

interface Found extends Omit<LeavingCall, 'line' | 'span'> {
  first: Word;
  last: Word;
  /** Number of the first argument. */
  rest: number;
  isSafe: boolean;
  isSure?: boolean;
  /** True if more arguments come from a variable. */
  isLonger?: boolean;
}

function isSame(
  a: Pick<LeavingCall, 'kind' | 'name' | 'path'>,
  b: Pick<LeavingCall, 'kind' | 'name' | 'path'>,
): boolean {
  return a.kind === b.kind && a.name === b.name && a.path === b.path;
}

/** Returns the variable that a word is. */
function variableOf({ parts }: Word): string | undefined {
  const [part] = parts;
  return parts.length === 1 && part?.kind === 'variable' ? part.name : undefined;
}

/** Returns the values that a fallback in `${name:-...}` has. */
function valuesIn(fallback: string): (Part[] | undefined)[] {
  const [command] = parseShell(`_=${fallback.includes('"') ? fallback : `"${fallback}"`}`) ?? [];
  return [command?.assignments[0]?.value];
}

/** Returns the name that `command -v` and the like look up. */
function lookedUp(script: string): string | undefined {
  return /^\s*(?:command\s+-v|which|type\s+-[pP])\s+["']?([\w./-]+)["']?(?:\s+2>\s*\/dev\/null)?(?:\s*\|\|\s*(?:true|:))?\s*$/.exec(
    script,
  )?.[1];
}
