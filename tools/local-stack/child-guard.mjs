// Runs a command for as long as the process that asked for it lives: when that one ends, however it ends, its IPC
// channel closes, and the command is killed with it. Usage: node child-guard.mjs COMMAND ARGS…
import { spawn } from 'node:child_process';

const [command, ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });

child.on('error', (error) => {
  console.error(error.message);
  process.exit(127);
});
child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 0 : 1)));
process.on('disconnect', () => {
  child.kill('SIGKILL');
  process.exit(0);
});
