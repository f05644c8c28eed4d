// SPDX-License-Identifier: GPL-2.0-only
// A vitest reporter: each reason for which tests were left out, which the default reporter keeps to itself.
export default class {
  onTestRunEnd(modules) {
    const tests = new Map();
    for (const test of modules.flatMap((module) => [...module.children.allTests('skipped')])) {
      const reason = test.result().note ?? 'no reason given';
      tests.set(reason, [...(tests.get(reason) ?? []), `${test.module.relativeModuleId}: ${test.fullName}`]);
    }
    for (const [reason, names] of tests) console.log(`not run: ${reason}\n  ${names.join('\n  ')}`);
  }
}
