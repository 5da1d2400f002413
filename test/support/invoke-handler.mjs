// Runs the bundled Lambda handler like Lambda: one process, one event at a time. It reads events as JSON lines from
// standard input and writes the answers as lines that start with "answer ".
import { createInterface } from 'node:readline';

const { handler } = await import(process.argv[2]);
console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const answer = await handler(JSON.parse(line), {});
  console.log(`answer ${JSON.stringify(answer)}`);
}
