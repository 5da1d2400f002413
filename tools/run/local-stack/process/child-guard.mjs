// Runs a command for as long as the process that asked for it lives: when that one ends, however it ends, its IPC
// channel closes, and the command is killed with it. Usage: node child-guard.mjs COMMAND ARGS…
import { spawn } from 'node:child_process';

let child;
const end = () => {
  child?.kill('SIGKILL');
  process.exit(0);
};
process.on('disconnect', end);
// It may have gone while this file was being read: then no event will come.
if (!process.connected) end();

const [command, ...args] = process.argv.slice(2);
child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
child.on('error', (error) => {
  console.error(error.message);
  process.exit(127);
});
child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 0 : 1)));
