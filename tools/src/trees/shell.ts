// SPDX-License-Identifier: GPL-2.0-only
/** Piece of a word: text, an expansion of a variable, the output of commands, or another expansion. */
export type Part =
  | { kind: 'text'; text: string }
  | { kind: 'variable'; name: string; fallback?: string }
  | { kind: 'output'; script: string }
  | { kind: 'other' };

/** Word of a command. */
export interface Word {
  /** Offsets in the script. */
  start: number;
  end: number;
  parts: Part[];
}

/** Simple command: words, without redirections and without assignments before them. */
export interface Command {
  start: number;
  words: Word[];
  assignments: { name: string; value: Part[] }[];
  /** Files that its output goes to. */
  outputs: Word[];
  /** Texts of its here-documents, with their offsets. */
  documents: { text: string; start: number }[];
  /** Function that it is in. */
  inFunction?: string;
  /** True inside `$(...)`, and for the elements of an array. */
  isSubstitution: boolean;
  isArray: boolean;
}

/** Thrown where a text is no script. */
class NoScript extends Error {}

/** Commands within commands; more are in no script. */
const depthLimit = 100;

const blank = /[ \t]/;
const meta = /[\s;&|()<>]/;
const assignment = /^([A-Za-z_]\w*)\+?=/;
/** Words after which a command may start. */
const openers = new Set(['if', 'then', 'elif', 'else', 'while', 'until', 'do', '!', 'time']);
const closers = new Set(['fi', 'done']);

/**
 * Reads a script for a POSIX shell or bash, and returns its commands, also those in functions and substitutions, in the
 * order of their starts. Nothing is expanded.
 * @returns undefined for a text that is no script.
 */
export function parseShell(text: string): Command[] | undefined {
  try {
    return new Parser(text).all();
  } catch (error) {
    if (error instanceof NoScript) return undefined;
    throw error;
  }
}

/** Returns what a word is without its quotes, unless the shell expands something in it. */
export function textOf({ parts }: Pick<Word, 'parts'>): string | undefined {
  if (parts.length === 0) return '';
  const [only] = parts;
  return parts.length === 1 && only?.kind === 'text' ? only.text : undefined;
}

/** Returns the line of an offset, from 1. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

interface Context {
  depth: number;
  inFunction?: string | undefined;
  isSubstitution: boolean;
  isArray: boolean;
}

class Parser {
  readonly #text: string;
  #at = 0;
  readonly #commands: Command[] = [];
  #documents: { end: string; hasTabs: boolean; command: Command }[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  all(): Command[] {
    this.#list(undefined, { depth: 0, isSubstitution: false, isArray: false });
    return this.#commands.sort((a, b) => a.start - b.start);
  }

  get #here(): string {
    return this.#text.charAt(this.#at);
  }

  #isAt(token: string): boolean {
    return this.#text.startsWith(token, this.#at);
  }

  #expect(token: string): void {
    if (!this.#isAt(token)) throw new NoScript();
    this.#at += token.length;
  }

  /** Reads commands up to the closing parenthesis, or to the end of the text. */
  #list(end: ')' | undefined, context: Context): void {
    checkDepth(context);
    const open: { kind: 'case' | '{'; inFunction: string | undefined }[] = [];
    let inFunction = context.inFunction;
    let named: string | undefined;
    let command: Command | undefined;
    const below = (): Context => ({ ...context, depth: context.depth + 1, inFunction: named ?? inFunction });
    const current = (): Command => {
      command ??= {
        start: this.#at,
        words: [],
        assignments: [],
        outputs: [],
        documents: [],
        isSubstitution: context.isSubstitution,
        isArray: context.isArray,
        ...(inFunction === undefined ? {} : { inFunction }),
      };
      return command;
    };
    const finish = () => {
      if (command) this.#commands.push(command);
      command = undefined;
    };
    const close = (kind: 'case' | '{') => {
      const last = open.pop();
      if (last?.kind !== kind) throw new NoScript();
      inFunction = last.inFunction;
    };
    const pattern = () => {
      if (!this.#pattern(below())) close('case');
    };

    for (;;) {
      this.#skipBlanks();
      const here = this.#here;
      if (here === '') {
        finish();
        if (end || open.length > 0) throw new NoScript();
        return;
      }
      if (here === '\n') {
        finish();
        this.#at++;
        this.#readDocuments();
      } else if (here === '#') {
        this.#skipComment();
      } else if (here === ')') {
        finish();
        if (!end || open.length > 0) throw new NoScript();
        return;
      } else if (here === '(') {
        if (command) {
          named = this.#functionName(command);
          command = undefined;
        } else {
          this.#group(below());
          named = undefined;
        }
      } else if (this.#isAt(';;') || this.#isAt(';&')) {
        finish();
        this.#at += this.#isAt(';;&') ? 3 : 2;
        if (open.at(-1)?.kind !== 'case') throw new NoScript();
        pattern();
      } else if (this.#isAt('&>')) {
        this.#redirection(current(), below());
      } else if (here === ';' || here === '&' || here === '|') {
        finish();
        this.#at++;
      } else if (here === '<' || here === '>') {
        this.#redirection(current(), below());
      } else {
        const isFirst = !command || (command.words.length === 0 && command.assignments.length === 0);
        const start = this.#at;
        const word = this.#word(below());
        const raw = this.#text.slice(start, word.end);
        if (/^(?:\d+|\{\w+\})$/.test(raw) && /[<>]/.test(this.#here)) continue;
        if (!isFirst || (command && command.outputs.length > 0)) {
          this.#add(command as Command, word, raw, below());
        } else if (openers.has(raw)) {
          finish();
        } else if (closers.has(raw)) {
          finish();
        } else if (raw === '{') {
          open.push({ kind: '{', inFunction });
          inFunction = named ?? inFunction;
          named = undefined;
        } else if (raw === '}') {
          close('{');
        } else if (raw === 'esac') {
          close('case');
        } else if (raw === 'case') {
          this.#skipBlanks();
          this.#word(below());
          this.#skipLines();
          this.#expect('in');
          open.push({ kind: 'case', inFunction });
          pattern();
        } else if (raw === 'function') {
          this.#skipBlanks();
          named = textOf(this.#word(below()));
          this.#skipBlanks();
          if (this.#isAt('()')) this.#at += 2;
        } else if (raw === '[[') {
          this.#condition(below());
        } else {
          this.#at = start;
          const made = current();
          this.#at = word.end;
          this.#add(made, word, raw, below());
          if (raw === 'for') {
            this.#skipBlanks();
            if (this.#isAt('((')) this.#at = this.#balanced(this.#at);
          }
        }
      }
    }
  }

  /** Reads the parentheses after the name of a function. */
  #functionName({ words, assignments }: Command): string {
    const [only] = words;
    const name = only && textOf(only);
    if (words.length !== 1 || !name || assignments.length > 0) throw new NoScript();
    this.#at++;
    this.#skipBlanks();
    this.#expect(')');
    return name;
  }

  /** Reads a subshell or arithmetic. */
  #group(context: Context): void {
    const end = this.#isAt('((') ? this.#balanced(this.#at) : 0;
    if (end > 0 && this.#text.slice(end - 2, end) === '))') {
      this.#at = end;
      return;
    }
    this.#at++;
    this.#list(')', context);
    this.#expect(')');
  }

  #add(command: Command, word: Word, raw: string, context: Context): void {
    const [, name] = assignment.exec(raw) ?? [];
    const isArray = name !== undefined && this.#here === '(';
    if (isArray) {
      this.#at++;
      this.#list(')', { ...context, isSubstitution: true, isArray: true });
      this.#expect(')');
    }
    if (name === undefined || command.words.length > 0) {
      command.words.push(word);
      return;
    }
    const isKnown = !isArray && !raw.startsWith(`${name}+`);
    command.assignments.push({ name, value: isKnown ? withoutPrefix(word.parts) : [{ kind: 'other' }] });
  }

  /** Reads patterns of a case up to their parenthesis. @returns false at its end. */
  #pattern(context: Context): boolean {
    this.#skipLines();
    const start = this.#at;
    if (this.#here === '(') this.#at++;
    for (;;) {
      this.#skipBlanks();
      if (this.#here === ')') break;
      if (this.#here === '|') {
        this.#at++;
        continue;
      }
      const word = this.#word(context);
      if (word.start === start && this.#text.slice(start, word.end) === 'esac') return false;
    }
    this.#at++;
    return true;
  }

  #redirection(command: Command, context: Context): void {
    const [operator = ''] =
      /^(?:&>>?|<<<|<<-?|<[&>]?|>[>&|]?)/.exec(this.#text.slice(this.#at, this.#at + 3)) ?? [];
    this.#at += operator.length;
    this.#skipBlanks();
    const word = this.#word(context);
    if (operator === '<<' || operator === '<<-') {
      const end = this.#text.slice(word.start, word.end).replace(/\\(.)|["']/g, '$1');
      this.#documents.push({ end, hasTabs: operator === '<<-', command });
    } else if (operator.includes('>') && !operator.endsWith('>&')) command.outputs.push(word);
  }

  /** Reads the here-documents whose line has ended. */
  #readDocuments(): void {
    const documents = this.#documents;
    this.#documents = [];
    for (const { end, hasTabs, command } of documents) {
      const start = this.#at;
      let textEnd = start;
      while (this.#at < this.#text.length) {
        const lineStart = this.#at;
        const newline = this.#text.indexOf('\n', lineStart);
        const lineEnd = newline < 0 ? this.#text.length : newline;
        this.#at = Math.min(lineEnd + 1, this.#text.length);
        const line = this.#text.slice(lineStart, lineEnd);
        const isEnd = (hasTabs ? line.replace(/^\t+/, '') : line) === end;
        textEnd = isEnd ? lineStart : this.#at;
        if (isEnd) break;
      }
      command.documents.push({ text: this.#text.slice(start, textEnd), start });
    }
  }

  /** Skips the rest of `[[ ... ]]`, where operators and parentheses are text. */
  #condition(context: Context): void {
    while (!/^\]\](?:[\s;&|)]|$)/.test(this.#text.slice(this.#at, this.#at + 3))) {
      if (this.#here === '') throw new NoScript();
      if (!this.#piece(context, [])) this.#at++;
    }
    this.#at += 2;
  }

  #word(context: Context): Word {
    const start = this.#at;
    const parts: Part[] = [];
    for (;;) {
      const here = this.#here;
      if (here === '(' && this.#at > start && /[?*+@!]/.test(this.#text.charAt(this.#at - 1))) {
        this.#at = this.#balanced(this.#at);
        parts.push({ kind: 'other' });
      } else if (here === '' || meta.test(here)) {
        // Output of a process in place of a file, in bash.
        if (this.#at > start || !/^[<>]\(/.test(this.#text.slice(this.#at, this.#at + 2))) break;
        this.#at = this.#balanced(this.#at + 1);
        parts.push({ kind: 'other' });
      } else if (!this.#piece(context, parts)) {
        addText(parts, here);
        this.#at++;
      }
    }
    if (this.#at === start) throw new NoScript();
    return { start, end: this.#at, parts };
  }

  /** Reads a quoted text or an expansion. @returns false at any other character. */
  #piece(context: Context, parts: Part[]): boolean {
    const here = this.#here;
    if (here === '\\') {
      const next = this.#text.charAt(this.#at + 1);
      this.#at += 2;
      if (next !== '\n') addText(parts, next);
    } else if (here === "'") {
      const end = this.#text.indexOf("'", this.#at + 1);
      if (end < 0) throw new NoScript();
      addText(parts, this.#text.slice(this.#at + 1, end));
      this.#at = end + 1;
    } else if (here === '"') {
      this.#quoted(context, parts);
    } else if (here === '$') {
      this.#expansion(context, parts, false);
    } else if (here === '`') {
      this.#backticks(parts);
    } else return false;
    return true;
  }

  /** Reads a text in double quotes. */
  #quoted(context: Context, parts: Part[]): void {
    addText(parts, '');
    this.#at++;
    while (this.#here !== '"') {
      const here = this.#here;
      if (here === '') throw new NoScript();
      if (here === '\\') {
        const next = this.#text.charAt(this.#at + 1);
        if (next !== '\n') addText(parts, /[$`"\\]/.test(next) ? next : here + next);
        this.#at += 2;
      } else if (here === '$') {
        this.#expansion(context, parts, true);
      } else if (here === '`') {
        this.#backticks(parts);
      } else {
        addText(parts, here);
        this.#at++;
      }
    }
    this.#at++;
  }

  #backticks(parts: Part[]): void {
    const start = ++this.#at;
    while (this.#here !== '`') {
      if (this.#here === '') throw new NoScript();
      this.#at += this.#here === '\\' ? 2 : 1;
    }
    addPart(parts, { kind: 'output', script: this.#text.slice(start, this.#at) });
    this.#at++;
  }

  #expansion(context: Context, parts: Part[], isQuoted: boolean): void {
    const rest = this.#text.slice(this.#at + 1, this.#at + 256);
    const [name] = /^(?:[A-Za-z_]\w*|[0-9@*#?$!-])/.exec(rest) ?? [];
    if (rest.startsWith('((')) {
      const end = this.#balanced(this.#at + 1);
      if (this.#text.slice(end - 2, end) === '))') {
        this.#at = end;
        addPart(parts, { kind: 'other' });
        return;
      }
    }
    if (rest.startsWith('(')) {
      const start = this.#at + 2;
      this.#at = start;
      this.#list(')', { ...context, isSubstitution: true, isArray: false });
      addPart(parts, { kind: 'output', script: this.#text.slice(start, this.#at) });
      this.#at++;
    } else if (rest.startsWith('{')) {
      const start = this.#at + 2;
      this.#braces(context, isQuoted);
      const inside = this.#text.slice(start, this.#at - 1);
      const [all, variable, fallback] = /^(\w+)(?::?[-=](.*))?$/s.exec(inside) ?? [];
      if (all === undefined) addPart(parts, { kind: 'other' });
      else
        addPart(parts, {
          kind: 'variable',
          name: variable as string,
          ...(fallback === undefined ? {} : { fallback }),
        });
    } else if (rest.startsWith("'") && !isQuoted) {
      this.#at += 2;
      while (this.#here !== "'") {
        if (this.#here === '') throw new NoScript();
        this.#at += this.#here === '\\' ? 2 : 1;
      }
      this.#at++;
      addPart(parts, { kind: 'other' });
    } else if (name !== undefined) {
      this.#at += 1 + name.length;
      addPart(parts, { kind: 'variable', name });
    } else {
      addText(parts, '$');
      this.#at++;
    }
  }

  /** Skips `${...}`. */
  #braces(outside: Context, isQuoted: boolean): void {
    const context = { ...outside, depth: outside.depth + 1 };
    checkDepth(context);
    const start = this.#at;
    this.#at += 2;
    // In double quotes, a single quote is a character, except in the pattern of some operators.
    const isText = isQuoted && !/^\{!?\w+[#%/]/.test(this.#text.slice(start + 1, start + 256));
    while (this.#here !== '}') {
      if (this.#here === '') throw new NoScript();
      if ((this.#here === "'" && isText) || !this.#piece(context, [])) this.#at++;
    }
    this.#at++;
  }

  /** Returns the end of what is in parentheses, from the first one. */
  #balanced(start: number): number {
    let depth = 0;
    for (let at = start; at < this.#text.length; at++) {
      const here = this.#text.charAt(at);
      if (here === '\\') at++;
      else if (here === '(') depth++;
      else if (here === ')' && --depth === 0) return at + 1;
    }
    throw new NoScript();
  }

  #skipBlanks(): void {
    while (blank.test(this.#here) || this.#isAt('\\\n')) this.#at += this.#here === '\\' ? 2 : 1;
  }

  #skipComment(): void {
    const end = this.#text.indexOf('\n', this.#at);
    this.#at = end < 0 ? this.#text.length : end;
  }

  /** Skips blanks, comments and empty lines. */
  #skipLines(): void {
    for (;;) {
      this.#skipBlanks();
      if (this.#here === '#') this.#skipComment();
      if (this.#here !== '\n') return;
      this.#at++;
      this.#readDocuments();
    }
  }
}

/** Returns the value in an assignment's parts. */
export function withoutPrefix(parts: readonly Part[]): Part[] {
  const [first, ...rest] = parts;
  if (first?.kind !== 'text') return [...parts];
  const text = first.text.replace(assignment, '');
  return text === '' ? rest : [{ kind: 'text', text }, ...rest];
}

function checkDepth({ depth }: Context): void {
  if (depth > depthLimit) throw new NoScript();
}

function addText(parts: Part[], text: string): void {
  const last = parts.at(-1);
  if (last?.kind === 'text') last.text += text;
  else parts.push({ kind: 'text', text });
}

/** Adds a part after text, of which an empty one is left out. */
function addPart(parts: Part[], part: Part): void {
  const last = parts.at(-1);
  if (last?.kind === 'text' && last.text === '') parts.pop();
  parts.push(part);
}
