// Runs bundled commands one after the other, each evaluated anew, with its own arguments and environment. A run is over
// when a process of its own would end: when nothing keeps the event loop alive.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import vm from 'node:vm';

/** Compiled once: a run repeats the evaluation only. */
const scripts = new Map();

const streams = { stdout: process.stdout, stderr: process.stderr };
/** The output of the run at hand. */
let run;

function compiled(file) {
  const known = scripts.get(file);
  if (known !== undefined) return known;
  const script = new vm.Script(`(function (exports, require, module, __filename) {${readFileSync(file, 'utf8')}\n})`, {
    filename: file,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  scripts.set(file, script);
  return script;
}

function begin({ file, args, env }) {
  run = { stdout: [], stderr: [] };
  process.argv = [process.execPath, file, ...args];
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  process.exitCode = undefined;
  const module = { exports: {} };
  compiled(file).runInThisContext()(module.exports, createRequire(file), module, path.resolve(file));
  // From here on only the run itself keeps this process busy.
  process.channel.unref();
}

/** Forgets what a run has left on the process, as listeners for its signals. */
function cleanUp() {
  for (const name of process.eventNames()) {
    for (const listener of process.rawListeners(name)) {
      if (own.get(name)?.includes(listener) !== true) process.off(name, listener);
    }
  }
  for (const stream of Object.values(streams)) stream.removeAllListeners('error');
}

function outcome(code) {
  return { code, stdout: Buffer.concat(run.stdout).toString(), stderr: Buffer.concat(run.stderr).toString() };
}

for (const [name, stream] of Object.entries(streams)) {
  stream.write = (chunk, encoding, callback) => {
    run[name].push(Buffer.from(chunk));
    const done = typeof encoding === 'function' ? encoding : callback;
    if (done !== undefined) process.nextTick(done);
    return true;
  };
}

process.on('message', begin);
process.on('beforeExit', () => {
  if (run === undefined) return;
  const result = outcome(process.exitCode ?? 0);
  cleanUp();
  run = undefined;
  process.channel.ref();
  process.send({ ...result, isReusable: true });
});
// A run that ends its process has an outcome too.
process.on('exit', (code) => {
  if (run !== undefined) process.send({ ...outcome(code), isReusable: false });
});
process.on('disconnect', () => process.exit());
/** The listeners of this file. */
const own = new Map(process.eventNames().map((name) => [name, process.rawListeners(name)]));
