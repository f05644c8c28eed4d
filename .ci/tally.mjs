// SPDX-License-Identifier: GPL-2.0-only
// Sums vitest's JSON reports, one a run, into the line `N passed, N failed`, the last of all, after a line for each
// test that failed. A file that could not be loaded has no tests in it and counts as one that failed, as does a run
// without a report, and one that failed although its tests passed: `REPORT.failed` says that vitest did, and no report
// has the error of a promise that nobody waits for. Exit status: 0 when nothing failed and something passed.
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

function filesOf(path) {
  const without = (message) => ({ name: path, status: 'failed', message, assertionResults: [] });
  try {
    const files = JSON.parse(readFileSync(path, 'utf8')).testResults;
    const silent = existsSync(`${path}.failed`) && files.every(({ status }) => status !== 'failed');
    return silent ? [...files, without('an error outside any test')] : files;
  } catch (error) {
    console.error(`tally: no report of a finished run in ${path}: ${error.message}`);
    return [without('no report')];
  }
}

const failed = (file, test, message = '') => {
  const [first] = stripVTControlCharacters(message).split('\n');
  console.log(`FAILED ${relative('', file)}: ${test}: ${first}`);
};

const files = process.argv.slice(2).flatMap(filesOf);
const count = { passed: 0, failed: 0, skipped: 0 };
for (const { name, status, message, assertionResults } of files) {
  for (const { status: outcome, fullName, failureMessages } of assertionResults) {
    count[outcome === 'passed' || outcome === 'failed' ? outcome : 'skipped'] += 1;
    if (outcome === 'failed') failed(name, fullName, failureMessages?.[0]);
  }
  if (status === 'failed' && !assertionResults.some((test) => test.status === 'failed')) {
    count.failed += 1;
    failed(name, 'the file', message);
  }
}
if (count.skipped > 0) console.log(`${count.skipped} not run; the reasons are above`);
console.log(`${count.passed} passed, ${count.failed} failed`);
process.exitCode = count.failed > 0 || count.passed === 0 ? 1 : 0;
