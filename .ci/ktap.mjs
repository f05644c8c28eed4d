// SPDX-License-Identifier: GPL-2.0-only
// A vitest reporter that prints TAP version 13, as kernel people's tools read it: a line a test as it ends, reasons
// for skips, everything else as diagnostics after `# `, and the plan at the end.
const diagnostics = (text) => text.replace(/\u001b\[[0-9;]*m/g, '').split('\n').map((line) => `# ${line}`.trimEnd());

export default class {
  #count = 0;

  #print(ok, name, directive = '', errors = []) {
    this.#count += 1;
    const lines = errors.flatMap((error) => diagnostics(error.stack ?? error.message ?? String(error)));
    const result = `${ok ? 'ok' : 'not ok'} ${this.#count} - ${name.replaceAll('#', '\\#')}${directive}`;
    process.stdout.write(`${[...lines, result].join('\n')}\n`);
  }

  onInit() {
    process.stdout.write('TAP version 13\n');
  }

  onTestCaseResult(test) {
    const { state, errors, note } = test.result();
    const name = `${test.module.relativeModuleId}: ${test.fullName}`;
    if (state === 'skipped') this.#print(true, name, ` # SKIP ${note ?? 'no reason given'}`);
    else this.#print(state === 'passed', name, '', errors ?? []);
  }

  // A file that could not be loaded has no tests that could fail.
  onTestModuleEnd(module) {
    const errors = [...module.errors(), ...[...module.children.allSuites()].flatMap((suite) => suite.errors())];
    if (errors.length > 0) this.#print(false, module.relativeModuleId, '', errors);
  }

  onTestRunEnd(_modules, unhandled) {
    for (const error of unhandled) this.#print(false, 'an error outside any test', '', [error]);
    process.stdout.write(`1..${this.#count}\n`);
  }
}
